"""Who has access on a scope: effective, team members and superusers included, and by which way.

Lists are conditions in SQL, one page at a time; the ways of a whole page are two statements.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q, QuerySet

from access.actions import ALL, Action
from access.models import Grant, Membership, Role, ServicePrincipal, User
from access.models.roles import GrantQuerySet
from access.principals import PUBLIC, Principal
from access.scopes import EVERYTHING, Scope


@dataclass(frozen=True, slots=True)
class Way:
    """One way by which access reaches somebody; without a grant it is a superuser's flag."""

    actions: frozenset[Action]
    scope: Scope
    grant: Grant | None = None
    team: str = ""

    @property
    def role(self) -> Role | None:
        return self.grant.role if self.grant else None


@dataclass(frozen=True, slots=True)
class Holder:
    """Somebody who may do something on the scope that was asked about, and why."""

    principal: Principal
    asked: Scope
    ways: tuple[Way, ...]

    @property
    def everywhere(self) -> list[Action]:
        """What is allowed in all of the scope, in the order of the enum."""
        covering = [way.actions for way in self.ways if way.scope.contains(self.asked)]
        return _ordered(frozenset().union(*covering))

    @property
    def in_part(self) -> list[Action]:
        """What is allowed in a part of the scope only."""
        touching = frozenset().union(*(way.actions for way in self.ways))
        return _ordered(touching - frozenset(self.everywhere))

    @property
    def may_all(self) -> bool:
        return frozenset(self.everywhere) == ALL


def people(scope: Scope, action: Action | None, *, at: datetime) -> QuerySet[User]:
    """Active people whom a grant reaches on all or a part of the scope, or who are superusers."""
    grants = _grants(scope, action, at)
    members = Membership.objects.filter(team__in=grants.filter(team__isnull=False).values("team"))
    return User.objects.filter(is_active=True).filter(
        Q(is_superuser=True)
        | Q(pk__in=grants.filter(user__isnull=False).values("user"))
        | Q(pk__in=members.values("user"))
    )


def machines(scope: Scope, action: Action | None, *, at: datetime) -> QuerySet[ServicePrincipal]:
    """Service principals that are not disabled and have a grant on all or a part of the scope."""
    grants = _grants(scope, action, at).filter(service_principal__isnull=False)
    return ServicePrincipal.objects.filter(
        disabled_at__isnull=True, pk__in=grants.values("service_principal")
    )


def explain_people(
    rows: Sequence[User], scope: Scope, action: Action | None, *, at: datetime
) -> list[Holder]:
    """Each of these people with all ways; what the public has is not repeated for each."""
    teams_of: defaultdict[int, list[int]] = defaultdict(list)
    memberships = Membership.objects.filter(user__in=[user.pk for user in rows])
    for user_id, team_id in memberships.values_list("user_id", "team_id"):
        teams_of[user_id].append(team_id)
    teams = {team for joined in teams_of.values() for team in joined}
    grants = _grants(scope, action, at).filter(Q(user__in=rows) | Q(team__in=teams))
    of_user, of_team = _by(grants.as_ways())
    # Once for all members: of a big team each has the same ways, by the dozen.
    by_team = {team: _ways(of_team[team]) for team in teams}
    return [
        Holder(
            Principal.of(user),
            scope,
            (
                *((Way(ALL, EVERYTHING),) if user.is_superuser else ()),
                *_ways(of_user[user.pk]),
                *(way for team in teams_of[user.pk] for way in by_team[team]),
            ),
        )
        for user in rows
    ]


def explain_machines(
    rows: Sequence[ServicePrincipal], scope: Scope, action: Action | None, *, at: datetime
) -> list[Holder]:
    """Each of these machines with its grants."""
    grants = _grants(scope, action, at).filter(service_principal__in=rows)
    held: defaultdict[int | None, list[Grant]] = defaultdict(list)
    for grant in grants.as_ways():
        held[grant.service_principal_id].append(grant)
    return [Holder(Principal.of(one), scope, tuple(_ways(held[one.pk]))) for one in rows]


def the_public(scope: Scope, action: Action | None, *, at: datetime) -> Holder | None:
    """What everybody may do there, also without signing in; None if nothing."""
    ways = tuple(_ways(_grants(scope, action, at).public().as_ways()))
    return Holder(PUBLIC, scope, ways) if ways else None


def _grants(scope: Scope, action: Action | None, at: datetime) -> GrantQuerySet:
    grants = Grant.objects.live(at).touching(scope)
    return grants.filter(role__actions__contains=[action.text]) if action else grants


def _by(
    grants: Iterable[Grant],
) -> tuple[defaultdict[int, list[Grant]], defaultdict[int, list[Grant]]]:
    """The grants by the person and by the team that has them."""
    of_user: defaultdict[int, list[Grant]] = defaultdict(list)
    of_team: defaultdict[int, list[Grant]] = defaultdict(list)
    for grant in grants:
        if grant.user_id is not None:
            of_user[grant.user_id].append(grant)
        elif grant.team_id is not None:
            of_team[grant.team_id].append(grant)
    return of_user, of_team


def _ways(grants: Iterable[Grant]) -> list[Way]:
    """Widest first."""
    ways = [
        Way(grant.role.allowed, grant.scope, grant, grant.team.name if grant.team else "")
        for grant in grants
    ]
    return sorted(ways, key=lambda way: (way.scope.extent.value, str(way.scope)))


def _ordered(actions: frozenset[Action]) -> list[Action]:
    return [action for action in Action if action in actions]
