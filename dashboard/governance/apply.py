"""A plan made true: all of it in one transaction, through the actions that screens use, or nothing.

What has to be asked of registries is asked before the transaction begins. Inside it everything is
compared once more: what somebody changed since the plan was looked at is not overwritten unseen.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.core.exceptions import ObjectDoesNotExist, PermissionDenied, ValidationError
from django.db import IntegrityError, connection
from django.views.decorators.debug import sensitive_variables

from access.models import User
from access.policy import Rights
from dashboard.governance.acts import machines, people, registries, webhooks
from dashboard.governance.acts.hands import Act, Hands, Shown
from dashboard.governance.changes import Change, Verb
from dashboard.governance.judging import problems_of
from dashboard.governance.plan import Plan, plan, told
from dashboard.governance.problems import Problem, Refused
from dashboard.governance.secrets import Resolver, once
from dashboard.governance.sections import REGISTRIES
from registries.actor import Actor
from registries.connection_checks import ConnectionCheck, check_connections
from registries.connection_secrets import lacks_secret
from registries.connections import needs_check
from registries.models import Registry
from registries.registry_settings import RegistrySettings, cleaned
from registries.transactions import together

# Two documents are not applied at the same time.
_LOCK = 0x706F7476
CHANGED = "Something was changed since this was planned: plan again, and look at it."

_ACTS: dict[str, Act] = {
    "registries": registries.registry,
    "mirrors": registries.mirror,
    "roles": people.role,
    "teams": people.team,
    "members": people.member,
    "claim_rules": people.claim_rule,
    "service_principals": machines.service_principal,
    "trust_rules": machines.trust_rule,
    "grants": people.grant,
    "admin_accounts": registries.admin_account,
    "webhooks": webhooks.webhook,
}


@dataclass(frozen=True, slots=True)
class Applied:
    """What was done, and the secrets that were made by it, which are to be shown this once."""

    changes: tuple[Change, ...]
    shown: tuple[Shown, ...] = ()


@sensitive_variables()
def apply(
    planned: Plan,
    *,
    rights: Rights,
    actor: Actor,
    secrets: Resolver,
    user: User | None = None,
    check: bool = True,
) -> Applied:
    """Make a plan true for who has these rights; `user` is as in `plan`.

    `secrets` resolves the document's references. With `check`, connections that are new or changed
    are tried out first, all at the same time, as far as their secrets are known. Raises Refused,
    with every problem, for a plan that has some, for what an action refuses, for a connection that
    fails, and where somebody changed something meanwhile; then nothing was changed.
    """
    known = once(secrets)
    checks: dict[str, ConnectionCheck] = {}
    if check and planned.document.of(REGISTRIES):
        planned = _again(planned, rights, user, known)
        checks = _checked(planned, known)
    hands = Hands(rights, actor, user, known, checks)
    with together():
        _take_turns()
        now = _again(planned, rights, user, known)
        for change in now.changes:
            _act(change, hands)
    return Applied(now.changes, tuple(hands.shown))


def _again(planned: Plan, rights: Rights, user: User | None, secrets: Resolver) -> Plan:
    """The same plan, as it is now; raises Refused if it cannot be applied, or is another."""
    if planned.problems:
        raise Refused(planned.problems)
    now = plan(planned.document, rights=rights, user=user, secrets=secrets, prune=planned.prune)
    if now.problems:
        raise Refused(now.problems)
    if told(now.changes) != told(planned.changes):
        raise Refused([Problem(0, "", CHANGED)])
    return now


def _take_turns() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])


def _act(change: Change, hands: Hands) -> None:
    """Raises Refused with what the action says of it."""
    try:
        _ACTS[change.section.name](change, hands)
    except ValidationError as error:
        raise Refused(problems_of(change.item, error)) from None
    except PermissionDenied as error:
        raise Refused([change.item.problem(str(error.args[0]))]) from None
    except (IntegrityError, ObjectDoesNotExist):  # removed or made by somebody at this moment
        raise Refused([change.item.problem(CHANGED)]) from None


# Connections ----------------------------------------------------------------------------------


@sensitive_variables()
def _checked(full: Plan, secrets: Resolver) -> dict[str, ConnectionCheck]:
    """The checks of registries by name, all passed; raises Refused with what failed."""
    asked = list(_dialled(full.changes, secrets))
    outcomes = check_connections([(settings, stored) for _change, settings, stored in asked])
    problems: list[Problem] = []
    passed: dict[str, ConnectionCheck] = {}
    for (change, settings, _stored), outcome in zip(asked, outcomes, strict=True):
        if isinstance(outcome, ValidationError):
            problems += problems_of(change.item, outcome)
        elif (failure := outcome.failure) is not None:
            problems.append(change.item.problem(f"{failure.detail} {failure.advice}".strip()))
        else:
            passed[settings.name] = outcome
    if problems:
        raise Refused(problems)
    return passed


def _dialled(
    changes: Sequence[Change], secrets: Resolver
) -> Iterable[tuple[Change, RegistrySettings, Registry | None]]:
    """The registries that can be tried out, and whose connection is new or another."""
    for change in changes:
        if change.section is not REGISTRIES or change.verb is Verb.DELETE:
            continue
        stored: Registry | None = change.row.held if change.row else None
        settings = cleaned(registries.wanted_settings(change, secrets))
        is_same = stored is not None and not needs_check(stored, settings)
        if not is_same and not lacks_secret(settings, stored):
            yield change, settings, stored
