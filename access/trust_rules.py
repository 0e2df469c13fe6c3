"""Trust rules: whose tokens of a CI system may be exchanged for a machine's short-lived secret.

A rule makes secrets of the machine without anybody asking again. So giving a machine one takes the
same as making a secret of it by hand (`access.machines`), and stopping it no more than stopping it.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields

from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from access.actions import Action
from access.events import TrustRuleChanged, TrustRuleCreated, TrustRuleRemoved
from access.machines import locked, require_care, require_control, visible_machines
from access.models import ServicePrincipal, TrustRule, User
from access.policy import Rights
from access.scopes import EVERYTHING
from access.subjects import InvalidSubject, require_narrow
from access.tokens.issuers import require_address
from registries.actor import Actor
from registries.events import emit
from registries.models.registry import SLUG
from registries.oci.connection import InvalidConnection
from registries.oci.tls import ssl_context
from registries.transactions import durable

LIFETIME_MINUTES = 15
LONGEST_LIFETIME_MINUTES = 60


@dataclass(frozen=True, slots=True)
class Terms:
    """Which tokens a rule takes, and for how long its secrets live."""

    issuer: str
    audience: str
    subject: str
    lifetime_minutes: int = LIFETIME_MINUTES
    allow_private: bool = False
    ca_certificate: str = ""


@durable
def create_rule(
    *,
    name: str,
    machine: ServicePrincipal,
    terms: Terms,
    rights: Rights,
    maintainer: User | None = None,
    actor: Actor,
) -> TrustRule:
    """A rule that holds from now on. Raises ValidationError for one that would let in more than
    anybody can mean. `maintainer` is as in `access.machines`, here and below."""
    machine = locked(machine)
    require_care(machine, rights, maintainer)
    _require_network(rights, terms, None)
    rule = TrustRule(name=name, service_principal=machine, **asdict(terms))
    try:
        SLUG(name)
    except ValidationError as error:
        raise ValidationError({"name": error.messages}) from None
    _check(rule)
    rule.save(force_insert=True)
    emit([TrustRuleCreated("", timezone.now(), name, machine.name, _told(rule))], actor=actor)
    return rule


@durable
def change_rule(
    rule: TrustRule,
    *,
    terms: Terms,
    rights: Rights,
    maintainer: User | None = None,
    actor: Actor,
) -> TrustRule:
    """Other terms. The name is in the audit log, and the machine is whose the rule is: both stay."""
    machine, rule = _held(rule)
    require_care(machine, rights, maintainer)
    _require_network(rights, terms, rule)
    old = _told(rule)
    for field, value in asdict(terms).items():
        setattr(rule, field, value)
    _check(rule)
    rule.save(update_fields=list(asdict(terms)))
    _emit_change(rule, old, actor)
    return rule


@durable
def disable_rule(
    rule: TrustRule, *, rights: Rights, maintainer: User | None = None, actor: Actor
) -> TrustRule:
    """It takes no token until it is enabled. What was exchanged lives on to its near end; whoever
    cannot wait revokes it, or disables the machine."""
    machine, rule = _held(rule)
    require_control(machine, rights, maintainer)
    return _switch(rule, on=False, actor=actor)


@durable
def enable_rule(
    rule: TrustRule, *, rights: Rights, maintainer: User | None = None, actor: Actor
) -> TrustRule:
    machine, rule = _held(rule)
    require_care(machine, rights, maintainer)
    return _switch(rule, on=True, actor=actor)


@durable
def remove_rule(
    rule: TrustRule, *, rights: Rights, maintainer: User | None = None, actor: Actor
) -> None:
    """As `disable_rule`, for good."""
    machine, rule = _held(rule)
    require_control(machine, rights, maintainer)
    old = _told(rule)
    rule.delete()
    emit([TrustRuleRemoved("", timezone.now(), rule.name, machine.name, old)], actor=actor)


def require_sense(terms: Terms) -> None:
    """Raises ValidationError, by the field's name, for terms that let in more than anybody can mean,
    or nothing. Asks no database."""
    wrong: dict[str, str] = {}
    try:
        require_address(terms.issuer, allow_private=terms.allow_private)
    except ValueError as error:
        wrong["issuer"] = str(error)
    try:
        require_narrow(terms.subject, terms.issuer)
    except InvalidSubject as error:
        wrong["subject"] = str(error)
    said = terms.audience
    if "*" in said or said != said.strip() or not said.isprintable():
        wrong["audience"] = _("An audience is compared as it is: no stars, no spaces around it.")
    try:
        ssl_context(terms.ca_certificate or None)
    except InvalidConnection as error:
        wrong["ca_certificate"] = str(error)
    if wrong:
        raise ValidationError(wrong)


# Who may -----------------------------------------------------------------------------------------


def visible_rules(user: User | None, rights: Rights) -> QuerySet[TrustRule]:
    """Those of the machines that this person may see (`user` as in `visible_machines`)."""
    machines = visible_machines(user, rights)
    rules = TrustRule.objects.filter(service_principal__in=machines)
    return rules.select_related("service_principal__team")


def may_reach_private(rights: Rights) -> bool:
    """Whether these rights may send Portolan into private networks: those that connect registries
    there. A rule's issuer must not become somebody's probe."""
    return rights.may(Action.REGISTRY_MANAGE, EVERYTHING)


def _require_network(rights: Rights, terms: Terms, before: TrustRule | None) -> None:
    """Whoever may not open private networks may not turn a rule that was let there elsewhere."""
    kept = before is not None and (before.allow_private, before.issuer) == (
        terms.allow_private,
        terms.issuer,
    )
    if terms.allow_private and not kept and not may_reach_private(rights):
        raise PermissionDenied(
            _("Only who may connect registries anywhere can allow an issuer private addresses."),
            Action.REGISTRY_MANAGE,
            EVERYTHING,
        )


# Inside a transaction ----------------------------------------------------------------------------


def _check(rule: TrustRule) -> None:
    require_sense(Terms(**{one.name: getattr(rule, one.name) for one in fields(Terms)}))
    rule.full_clean(exclude=["disabled_at", "last_used_at"])


def _held(rule: TrustRule) -> tuple[ServicePrincipal, TrustRule]:
    """The rule as it is now, and its machine, for this transaction alone."""
    machine = locked(rule.service_principal)
    return machine, TrustRule.objects.select_for_update().get(pk=rule.pk)


def _switch(rule: TrustRule, *, on: bool, actor: Actor) -> TrustRule:
    if (rule.disabled_at is None) == on:
        return rule
    old = _told(rule)
    rule.disabled_at = None if on else timezone.now()
    rule.save(update_fields=["disabled_at"])
    _emit_change(rule, old, actor)
    return rule


def _told(rule: TrustRule) -> dict[str, str]:
    return {
        "issuer": rule.issuer,
        "audience": rule.audience,
        "subject": rule.subject,
        "lifetime": f"{rule.lifetime_minutes} minutes",
        "private addresses": "allowed" if rule.allow_private else "refused",
        "certificate authority": rule.ca_certificate,
        "state": "disabled" if rule.disabled_at else "enabled",
    }


def _emit_change(rule: TrustRule, before: dict[str, str], actor: Actor) -> None:
    after = _told(rule)
    names = [name for name in after if after[name] != before[name]]
    if names:
        old, new = ({name: of[name] for name in names} for of in (before, after))
        machine = rule.service_principal.name
        emit([TrustRuleChanged("", timezone.now(), rule.name, machine, old, new)], actor=actor)
