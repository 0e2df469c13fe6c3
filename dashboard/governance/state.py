"""What is there now, as things of the same sections as in a file: as far as who asks may see it.

Read set by set, a statement or two a section, however much there is. No secret is opened here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from access.actions import Action
from access.machines import visible_machines
from access.models import (
    AdminAccount,
    ClaimRule,
    Grant,
    Membership,
    Role,
    ServicePrincipal,
    Team,
    TrustRule,
    User,
)
from access.policy import Rights
from access.principals import PUBLIC, Kind, Principal
from access.reach import lying_in
from access.scopes import EVERYTHING, Scope
from dashboard.governance.document import Document, Item, Key
from dashboard.governance.sections import (
    ADMIN_ACCOUNTS,
    CLAIM_RULES,
    GRANTS,
    MEMBERS,
    MIRRORS,
    REGISTRIES,
    ROLES,
    SERVICE_PRINCIPALS,
    TEAMS,
    TRUST_RULES,
    WEBHOOKS,
    Section,
)
from registries.models import Mirror, Registry
from webhooks.care import manageable
from webhooks.models import Subscription
from webhooks.subscription_settings import Where


@dataclass(frozen=True, slots=True)
class Row:
    """A thing that is there; `held` is its row in the database where more of it may be needed."""

    item: Item
    pk: Any
    held: Any = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class State:
    """All that is there of the sections that who asks may see, in the order of their keys."""

    rows: Mapping[str, tuple[Row, ...]]

    def of(self, section: Section) -> tuple[Row, ...]:
        return self.rows.get(section.name, ())

    def keys(self, section: Section) -> set[Key]:
        return {row.item.key for row in self.of(section)}

    def document(self) -> Document:
        """It as a document."""
        items = {name: tuple(row.item for row in rows) for name, rows in self.rows.items()}
        teams = [row.item.key[0] for row in self.of(TEAMS)]
        whole = {(part.name, team) for part in (MEMBERS, CLAIM_RULES) for team in teams}
        return Document(items, frozenset(whole))


def read(rights: Rights, user: User | None = None) -> State:
    """What who has these rights may see; `user` is the person where his teams count."""
    rows: dict[str, tuple[Row, ...]] = {}
    for section, is_seen, found in _SOURCES:
        if is_seen(rights, user):
            rows[section.name] = tuple(sorted(found(rights, user), key=lambda row: row.item.key))
    return State(rows)


# Who sees a section at all --------------------------------------------------------------------


def _somewhere(action: Action) -> Callable[[Rights, User | None], bool]:
    return lambda rights, _user: rights.may_somewhere(action)


def _has_teams(rights: Rights, user: User | None) -> bool:
    return user is not None or rights.may(Action.ACCESS_MANAGE, EVERYTHING)


def _managed(rights: Rights, action: Action) -> Callable[[str], bool]:
    """Whether a registry of this name is one on all of which the action is allowed."""
    return lambda name: rights.may(action, Scope(name))


# What is there --------------------------------------------------------------------------------


def _registries(rights: Rights, _user: User | None) -> Iterable[Row]:
    seen = _managed(rights, Action.REGISTRY_MANAGE)
    for registry in Registry.objects.select_related("credential", "api_credential"):
        if not seen(registry.name):
            continue
        credential = getattr(registry, "credential", None)
        api = getattr(registry, "api_credential", None)
        values = {
            "name": registry.name,
            "kind": registry.kind,
            "url": registry.url,
            "options": dict(sorted(registry.options.items())),
            "public_host": registry.public_host,
            "allow_private": registry.allow_private,
            "ca_certificate": registry.ca_certificate,
            "repositories": tuple(registry.repository_names),
            "sync_every": registry.sync_interval,
            "username": credential.username if credential else "",
            "api_username": api.username if api else "",
        }
        yield Row(Item(REGISTRIES, values), registry.pk, registry)


def _mirrors(rights: Rights, _user: User | None) -> Iterable[Row]:
    seen = _managed(rights, Action.REGISTRY_MANAGE)
    for mirror in Mirror.objects.select_related("source", "target"):
        if seen(mirror.source.name) and seen(mirror.target.name):
            values = {
                "source": mirror.source_text,
                "target": mirror.target_text,
                "tags": mirror.tags,
            }
            yield Row(Item(MIRRORS, values), mirror.pk, mirror)


def _roles(_rights: Rights, _user: User | None) -> Iterable[Row]:
    order = [action.text for action in Action]
    for role in Role.objects.filter(is_built_in=False):
        values = {
            "name": role.name,
            "label": role.label,
            "description": role.description,
            "actions": tuple(text for text in order if text in role.actions),
        }
        yield Row(Item(ROLES, values), role.pk, role)


def _visible_teams(rights: Rights, user: User | None) -> QuerySet[Team]:
    if rights.may(Action.ACCESS_MANAGE, EVERYTHING):
        return Team.objects.all()
    return Team.objects.filter(memberships__user=user)


def _teams(rights: Rights, user: User | None) -> Iterable[Row]:
    for team in _visible_teams(rights, user):
        values = {"name": team.name, "description": team.description}
        yield Row(Item(TEAMS, values), team.pk, team)


def _members(rights: Rights, user: User | None) -> Iterable[Row]:
    """Those whom a person added: whom a sign-in brought, the next sign-in brings."""
    found = Membership.objects.filter(
        source=Membership.Source.MANUAL, team__in=_visible_teams(rights, user)
    )
    columns = ("pk", "team__name", "user__username", "is_maintainer")
    for pk, team, name, maintains in found.values_list(*columns):
        yield Row(Item(MEMBERS, {"team": team, "user": name, "maintainer": maintains}), pk)


def _claim_rules(rights: Rights, user: User | None) -> Iterable[Row]:
    found = ClaimRule.objects.filter(team__in=_visible_teams(rights, user))
    columns = ("pk", "team__name", "provider", "claim", "value")
    for pk, *said in found.values_list(*columns):
        yield Row(Item(CLAIM_RULES, dict(zip(CLAIM_RULES.key, said, strict=True))), pk)


def _visible_machines(rights: Rights, user: User | None) -> QuerySet[ServicePrincipal]:
    if user is None:
        return ServicePrincipal.objects.all()  # `_has_teams` let pass: he manages all access
    return visible_machines(user, rights)


def _service_principals(rights: Rights, user: User | None) -> Iterable[Row]:
    for machine in _visible_machines(rights, user).select_related("team"):
        values = {
            "name": machine.name,
            "description": machine.description,
            "team": machine.team.name if machine.team else "",
            "disabled": machine.disabled_at is not None,
        }
        yield Row(Item(SERVICE_PRINCIPALS, values), machine.pk, machine)


def _trust_rules(rights: Rights, user: User | None) -> Iterable[Row]:
    machines = _visible_machines(rights, user)
    found = TrustRule.objects.filter(service_principal__in=machines)
    for rule in found.select_related("service_principal"):
        values = {
            "name": rule.name,
            "service_principal": rule.service_principal.name,
            "issuer": rule.issuer,
            "audience": rule.audience,
            "subject": rule.subject,
            "lifetime": timedelta(minutes=rule.lifetime_minutes),
            "allow_private": rule.allow_private,
            "ca_certificate": rule.ca_certificate,
            "disabled": rule.disabled_at is not None,
        }
        yield Row(Item(TRUST_RULES, values), rule.pk, rule)


def _grants(rights: Rights, _user: User | None) -> Iterable[Row]:
    """Those that hold: what ended is not there, though its row may still wait to be swept away."""
    found = Grant.objects.live(timezone.now()).filter(lying_in(rights.scopes(Action.ACCESS_MANAGE)))
    columns = (
        "pk", "user__username", "team__name", "service_principal__name",
        "role__name", "registry__name", "path", "until", "reason",
    )  # fmt: skip
    for pk, user, team, machine, role, registry, path, until, reason in found.values_list(*columns):
        values = {
            "principal": str(_principal(user, team, machine)),
            "role": role,
            "scope": f"{registry}/{path}" if path else registry or str(EVERYTHING),
            "until": _in_utc(until),
            "reason": reason,
        }
        yield Row(Item(GRANTS, values), pk)


def _principal(user: str | None, team: str | None, machine: str | None) -> Principal:
    named = ((Kind.USER, user), (Kind.TEAM, team), (Kind.MACHINE, machine))
    return next((Principal(kind, name) for kind, name in named if name is not None), PUBLIC)


def _in_utc(moment: datetime | None) -> datetime | None:
    return moment.astimezone(UTC) if moment else None


def _admin_accounts(rights: Rights, _user: User | None) -> Iterable[Row]:
    """Those that are on: off is how all others are."""
    seen = _managed(rights, Action.ACCESS_MANAGE)
    found = AdminAccount.objects.filter(enabled_at__isnull=False).select_related("registry")
    for account in found:
        if seen(account.registry.name):
            values = {"registry": account.registry.name, "enabled": True}
            yield Row(Item(ADMIN_ACCOUNTS, values), account.pk, account.registry)


def _webhooks(rights: Rights, _user: User | None) -> Iterable[Row]:
    for webhook in manageable(rights):
        values = {
            "name": webhook.name,
            "where": str(Where(webhook.scope, webhook.tag)),
            "topics": tuple(topic.value for topic in webhook.subscribed),
            "payload": webhook.form,
            "team": webhook.team.name if webhook.team else "",
            # That it stopped after failures is how it does, and not how it is meant.
            "paused": webhook.state == Subscription.State.PAUSED,
            "host": webhook.host,
        }
        yield Row(Item(WEBHOOKS, values), webhook.pk, webhook)


_SOURCES: tuple[
    tuple[
        Section,
        Callable[[Rights, User | None], bool],
        Callable[[Rights, User | None], Iterable[Row]],
    ],
    ...,
] = (
    (REGISTRIES, _somewhere(Action.REGISTRY_MANAGE), _registries),
    (MIRRORS, _somewhere(Action.REGISTRY_MANAGE), _mirrors),
    (ROLES, _somewhere(Action.ACCESS_MANAGE), _roles),
    (TEAMS, _has_teams, _teams),
    (MEMBERS, _has_teams, _members),
    (CLAIM_RULES, _has_teams, _claim_rules),
    (SERVICE_PRINCIPALS, _has_teams, _service_principals),
    (TRUST_RULES, _has_teams, _trust_rules),
    (GRANTS, _somewhere(Action.ACCESS_MANAGE), _grants),
    (ADMIN_ACCOUNTS, _somewhere(Action.ACCESS_MANAGE), _admin_accounts),
    (WEBHOOKS, _somewhere(Action.WEBHOOK_MANAGE), _webhooks),
)
