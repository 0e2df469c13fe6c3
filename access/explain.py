"""Check access: may X do Y on Z, why or why not, which roles would allow it, and who could grant it.

The yes or no is the policy's own; what is added here is the way to it.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum

from django.db.models import Q, QuerySet

from access.actions import Action, parsed
from access.models import Grant, Membership, Role, ServicePrincipal, Team, User
from access.models.roles import GrantQuerySet
from access.policy import Entitlement, Rights, entitled_by, public_rights, rights_of
from access.scopes import Scope

# Whom to ask is a hint: a company of owners need not be listed.
GRANTERS_SHOWN = 10

Subject = User | Team | ServicePrincipal | None


class Obstacle(Enum):
    """Why a grant that somebody has does not allow what was asked."""

    OTHER_ACTIONS = "other actions"  # it holds there, and its role allows other things
    ELSEWHERE = "elsewhere"  # its role allows it, in another place or in a part
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Miss:
    """A grant that comes near, and what it lacks."""

    obstacle: Obstacle
    role: str
    scope: Scope
    team: str = ""
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer to one question. `switched_off` is an account or machine that may do nothing."""

    allowed: bool
    reasons: tuple[Entitlement, ...] = ()
    misses: tuple[Miss, ...] = ()
    switched_off: bool = False
    roles: list[Role] = field(default_factory=list)
    granters: list[User] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Effect:
    """What somebody may do on a scope: in all of it, in a part of it only, and by what."""

    everywhere: list[Action]
    in_part: list[Action]
    reasons: tuple[Entitlement, ...]
    switched_off: bool


def effect(somebody: Subject, scope: Scope) -> Effect:
    """All that somebody (None is the public) may do on the scope; the public's grants are among the
    reasons. What holds elsewhere only is not told."""
    rights = _rights(somebody)
    reasons = [one for one in rights.entitlements if one.scope.touches(scope)]
    everywhere = rights.allowed_in(scope)
    in_part = frozenset().union(*(one.actions for one in reasons)) - everywhere
    return Effect(
        [action for action in Action if action in everywhere],
        [action for action in Action if action in in_part],
        tuple(sorted(reasons, key=lambda one: (one.scope.extent, str(one.scope), one.role))),
        _is_off(somebody),
    )


def check(
    somebody: Subject, action: Action, scope: Scope, *, seen_by: Rights | None = None, at: datetime
) -> Verdict:
    """Whether somebody (None is the public) may do the action in all of the scope, and why.

    `seen_by` are the rights of who asks about somebody else: grants on other scopes are told only
    to who manages access there.
    """
    rights = _rights(somebody)
    if reasons := rights.why(action, scope):
        return Verdict(allowed=True, reasons=reasons)
    roles = roles_allowing(action)
    return Verdict(
        allowed=False,
        misses=(*_near(rights, action, scope, seen_by), *_ended(somebody, action, scope, at)),
        switched_off=_is_off(somebody),
        roles=roles,
        granters=granters(roles[0], scope, at=at) if roles else [],
    )


def roles_allowing(action: Action) -> list[Role]:
    """The roles that allow an action, the one that allows least first; built-in before one's own."""
    found = Role.objects.filter(actions__contains=[action.text])
    return sorted(found, key=lambda role: (len(role.actions), not role.is_built_in, role.pk))


def granters(role: Role, scope: Scope, *, at: datetime, limit: int = GRANTERS_SHOWN) -> list[User]:
    """People who could grant the role on the scope: they may manage access there, and have all that
    the role allows. Three statements, however many grants there are."""
    covering = Grant.objects.live(at).covering(scope)
    managing = covering.filter(role__actions__contains=[Action.ACCESS_MANAGE.text])
    may_manage = User.objects.filter(is_active=True).filter(
        Q(is_superuser=True)
        | Q(pk__in=managing.filter(user__isnull=False).values("user"))
        | Q(memberships__team__in=managing.filter(team__isnull=False).values("team"))
    )
    candidates = may_manage.distinct().order_by("username")
    allowed = _allowed(covering, may_manage)
    needed = role.allowed | {Action.ACCESS_MANAGE}
    able = [user for user in candidates if user.is_superuser or needed <= allowed[user.pk]]
    return able[:limit]


def _allowed(
    covering: GrantQuerySet, people: QuerySet[User]
) -> defaultdict[int, frozenset[Action]]:
    """What each of these people may do by these grants: their own, their teams', the public's."""
    of_user: defaultdict[int, frozenset[Action]] = defaultdict(frozenset)
    of_team: defaultdict[int, frozenset[Action]] = defaultdict(frozenset)
    of_all: frozenset[Action] = frozenset()
    members = Membership.objects.filter(user__in=people).values_list("user_id", "team_id")
    joined = list(members)
    reaching = covering.filter(
        Q(user__in=people) | Q(team__in={team for _, team in joined}) | Q(is_public=True)
    )
    rows = reaching.values_list("is_public", "user_id", "team_id", "role__actions")
    for is_public, user, team, actions in rows:
        if is_public:
            of_all |= parsed(actions)
        elif user:
            of_user[user] |= parsed(actions)
        elif team:
            of_team[team] |= parsed(actions)
    for user, team in joined:
        of_user[user] |= of_team[team]
    return defaultdict(lambda: of_all, {user: own | of_all for user, own in of_user.items()})


def _rights(somebody: Subject) -> Rights:
    if somebody is None:
        return public_rights()
    if isinstance(somebody, Team):
        return entitled_by(Grant.objects.filter(Q(team=somebody) | Q(is_public=True)))
    return rights_of(somebody)


def _is_off(somebody: Subject) -> bool:
    if isinstance(somebody, ServicePrincipal):
        return somebody.disabled_at is not None
    return isinstance(somebody, User) and not somebody.is_active


def _near(rights: Rights, action: Action, scope: Scope, seen_by: Rights | None) -> list[Miss]:
    """What somebody has that holds there without the action, or has the action elsewhere."""
    misses = []
    for one in rights.entitlements:
        if one.scope.contains(scope):
            obstacle = Obstacle.OTHER_ACTIONS
        elif action in one.actions and scope.registry in (None, one.scope.registry):
            obstacle = Obstacle.ELSEWHERE
            if seen_by is not None and not seen_by.may(Action.ACCESS_MANAGE, one.scope):
                continue
        else:
            continue
        misses.append(Miss(obstacle, one.role, one.scope, one.team or "", one.until))
    return misses


def _ended(somebody: Subject, action: Action, scope: Scope, at: datetime) -> list[Miss]:
    """Grants that would allow it and ended; they are swept away within the hour, and missed then."""
    rows = (
        _reaching(somebody)
        .with_names()
        .covering(scope)
        .filter(until__lte=at, role__actions__contains=[action.text])
    )
    return [
        Miss(
            Obstacle.ENDED,
            grant.role.name,
            grant.scope,
            grant.team.name if grant.team else "",
            grant.until,
        )
        for grant in rows
    ]


def _reaching(somebody: Subject) -> GrantQuerySet:
    if isinstance(somebody, User):
        return Grant.objects.reaching_user(somebody)
    if isinstance(somebody, ServicePrincipal):
        return Grant.objects.reaching_machine(somebody)
    if isinstance(somebody, Team):
        return Grant.objects.filter(Q(team=somebody) | Q(is_public=True))
    return Grant.objects.public()
