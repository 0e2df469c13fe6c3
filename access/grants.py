"""Granting and revoking. Screens, API and commands call these, and decide nothing themselves.

Nobody gives (or takes) what he could not use himself: it needs the right to manage access and every
action of the role, in all of the scope.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _

from access import owners
from access.actions import Action, texts
from access.events import AccessGranted, AccessRevoked
from access.models import Grant, Role, ServicePrincipal, Team, User
from access.policy import Rights
from access.principals import Principal
from access.scopes import Scope
from registries.actor import SYSTEM, Actor
from registries.events import emit
from registries.models import Registry
from registries.transactions import durable

Holder = User | Team | ServicePrincipal | None


@durable
def grant_role(
    *,
    role: Role,
    to: Holder,
    scope: Scope,
    until: datetime | None = None,
    reason: str = "",
    rights: Rights,
    actor: Actor,
) -> Grant:
    """Give a role to somebody (None is the public) on a scope; once more changes its end and reason.

    `rights` are those of who grants. Raises PermissionDenied where they do not reach so far, and
    ValidationError for an end that is past or a registry that is not there.
    """
    return give(
        role=role, to=to, scope=scope, until=until, reason=reason, rights=rights, actor=actor
    )


@durable
def grant_in_bulk(
    *,
    roles: Iterable[Role],
    to: Iterable[Holder],
    scopes: Iterable[Scope],
    until: datetime | None = None,
    reason: str = "",
    rights: Rights,
    actor: Actor,
) -> list[Grant]:
    """Each role to each of them on each scope: all of it, or nothing."""
    holders, wanted = list(to), list(scopes)
    return [
        give(
            role=role,
            to=holder,
            scope=scope,
            until=until,
            reason=reason,
            rights=rights,
            actor=actor,
        )
        for role in roles
        for holder in holders
        for scope in wanted
    ]


@durable
def revoke_grants(
    grants: Sequence[int], *, reason: str = "", rights: Rights, actor: Actor
) -> list[Grant]:
    """Take these grants (by id) away: all of them, or none. Those that are gone already are no
    error. Raises PermissionDenied, and ValidationError for the last owner's."""
    return take(grants, reason=reason, rights=rights, actor=actor)


@durable
def end_grants(at: datetime) -> int:
    """Remove the grants that ended, and say so; returns how many. They allow nothing already."""
    ended = list(Grant.objects.with_names().filter(until__lte=at).select_for_update(of=("self",)))
    _remove(ended, reason=_("It ended."), at=at, actor=SYSTEM)
    return len(ended)


# Inside a transaction -------------------------------------------------------------------------


def give(
    *,
    role: Role,
    to: Holder,
    scope: Scope,
    until: datetime | None,
    reason: str,
    rights: Rights,
    actor: Actor,
) -> Grant:
    """What `grant_role` does, inside the caller's transaction."""
    now = timezone.now()
    require_mastery(rights, role, scope)
    if until is not None and until <= now:
        raise ValidationError(_("The end of a grant lies in the future."))
    registry = _registry_of(scope)
    ends_ownership = until is not None and owners.makes_owner(role, scope)
    if ends_ownership:
        owners.lock()
    held, _created = Grant.objects.update_or_create(
        **_holding(to),
        role=role,
        registry=registry,
        path=scope.path,
        defaults={"until": until, "reason": reason, "granted_by": actor.label, "granted_at": now},
    )
    if ends_ownership:
        owners.require_one()
    emit(
        [
            AccessGranted(
                scope.registry or "",
                now,
                str(Principal.holding(held)),
                role.name,
                str(scope),
                until.isoformat() if until else "",
                reason,
            )
        ],
        actor=actor,
    )
    return held


def take(grants: Sequence[int], *, reason: str, rights: Rights, actor: Actor) -> list[Grant]:
    """What `revoke_grants` does, inside the caller's transaction."""
    taken = list(
        Grant.objects.with_names()
        .filter(pk__in=grants)
        .order_by("pk")
        .select_for_update(of=("self",))
    )
    for grant in taken:
        require_mastery(rights, grant.role, grant.scope)
    takes_ownership = any(owners.makes_owner(grant.role, grant.scope) for grant in taken)
    if takes_ownership:
        owners.lock()
    _remove(taken, reason=reason, at=timezone.now(), actor=actor)
    if takes_ownership:
        owners.require_one()
    return taken


def require_mastery(rights: Rights, role: Role, scope: Scope) -> None:
    """Raises PermissionDenied unless who has these rights may grant the role there."""
    rights.require(Action.ACCESS_MANAGE, scope)
    missing = role.allowed - rights.allowed_in(scope)
    if missing:
        raise PermissionDenied(
            _("You cannot grant what you do not have on %(scope)s: %(actions)s.")
            % {"scope": scope, "actions": ", ".join(texts(missing))}
        )


def lets_grant(roles: Iterable[Role], scopes: Iterable[Scope], rights: Rights) -> bool:
    """Whether who is given these roles there could grant in turn: that outlives what gave it.

    Raises PermissionDenied unless who has these rights may grant all of it.
    """
    given, wanted = list(roles), list(scopes)
    for role in given:
        for scope in wanted:
            require_mastery(rights, role, scope)
    return any(Action.ACCESS_MANAGE in role.allowed for role in given)


def grantable(roles: Iterable[Role], rights: Rights, scope: Scope) -> list[Role]:
    """Those of the roles that who has these rights may grant on the scope."""
    if not rights.may(Action.ACCESS_MANAGE, scope):
        return []
    allowed = rights.allowed_in(scope)
    return [role for role in roles if role.allowed <= allowed]


def _remove(grants: Sequence[Grant], *, reason: str, at: datetime, actor: Actor) -> None:
    Grant.objects.filter(pk__in=[grant.pk for grant in grants]).delete()
    emit(
        [
            AccessRevoked(
                grant.scope.registry or "",
                at,
                str(Principal.holding(grant)),
                grant.role.name,
                str(grant.scope),
                reason,
            )
            for grant in grants
        ],
        actor=actor,
    )


def _registry_of(scope: Scope) -> Registry | None:
    if scope.registry is None:
        return None
    registry = Registry.objects.filter(name=scope.registry).first()
    if registry is None:
        raise ValidationError(_("There is no registry “%s”.") % scope.registry)
    return registry


def _holding(to: Holder) -> dict[str, Any]:
    return {
        "user": to if isinstance(to, User) else None,
        "team": to if isinstance(to, Team) else None,
        "service_principal": to if isinstance(to, ServicePrincipal) else None,
        "is_public": to is None,
    }
