"""Who has access on a scope: effective, team members and superusers included, and by which way.

Lists are conditions in SQL, one page at a time; the ways of a whole page are three statements.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from django.db.models import Case, Q, QuerySet, When

from access.actions import ALL, Action, ordered
from access.models import Grant, Membership, Role, ServicePrincipal, User
from access.models.roles import GrantQuerySet
from access.principals import PUBLIC, Principal
from access.scopes import Extent, Scope, above


class Way(NamedTuple):
    """One way by which access reaches somebody; without a grant (by id) it is a superuser's flag.

    A tuple: thousands may reach a page of people.
    """

    actions: frozenset[Action]
    registry: str | None
    path: str
    covers: bool  # all of the scope that was asked about, not a part of it only
    grant: int | None = None
    role: Role | None = None
    team: str = ""
    is_public: bool = False
    until: datetime | None = None
    reason: str = ""

    @property
    def scope(self) -> Scope:
        """Where it holds."""
        return Scope(self.registry, self.path)


@dataclass(frozen=True, slots=True)
class Holder:
    """Somebody who may do something on the scope that was asked about, and why."""

    principal: Principal
    ways: tuple[Way, ...]

    @property
    def everywhere(self) -> tuple[Action, ...]:
        """What is allowed in all of the scope, in the order of the enum."""
        return ordered(_all_of(way.actions for way in self.ways if way.covers))

    @property
    def in_part(self) -> tuple[Action, ...]:
        """What is allowed in a part of the scope only."""
        touching = _all_of(way.actions for way in self.ways)
        return ordered(touching.difference(self.everywhere))

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
    ways = _ways(grants, scope)
    return [
        Holder(
            Principal.of(user),
            (
                *((Way(ALL, None, "", covers=True),) if user.is_superuser else ()),
                *ways.of_user[user.pk],
                *(way for team in teams_of[user.pk] for way in ways.of_team[team]),
            ),
        )
        for user in rows
    ]


def explain_machines(
    rows: Sequence[ServicePrincipal], scope: Scope, action: Action | None, *, at: datetime
) -> list[Holder]:
    """Each of these machines with its grants."""
    grants = _grants(scope, action, at).filter(service_principal__in=rows)
    ways = _ways(grants, scope).of_machine
    return [Holder(Principal.of(one), tuple(ways[one.pk])) for one in rows]


def the_public(scope: Scope, action: Action | None, *, at: datetime) -> Holder | None:
    """What everybody may do there, also without signing in; None if nothing."""
    ways = _ways(_grants(scope, action, at).public(), scope).of_public
    return Holder(PUBLIC, tuple(ways)) if ways else None


def _grants(scope: Scope, action: Action | None, at: datetime) -> GrantQuerySet:
    grants = Grant.objects.live(at).touching(scope)
    return grants.filter(role__actions__contains=[action.text]) if action else grants


@dataclass(frozen=True, slots=True)
class _Ways:
    """By the id of who was granted them, each list with the widest first."""

    of_user: defaultdict[int, list[Way]] = field(default_factory=lambda: defaultdict(list))
    of_team: defaultdict[int, list[Way]] = field(default_factory=lambda: defaultdict(list))
    of_machine: defaultdict[int, list[Way]] = field(default_factory=lambda: defaultdict(list))
    of_public: list[Way] = field(default_factory=list)

    def add(self, user: int | None, team: int | None, machine: int | None, way: Way) -> None:
        if user is not None:
            self.of_user[user].append(way)
        elif team is not None:
            self.of_team[team].append(way)
        elif machine is not None:
            self.of_machine[machine].append(way)
        else:
            self.of_public.append(way)


_EXTENT = Case(
    When(registry__isnull=True, then=Extent.EVERYTHING),
    When(path="", then=Extent.REGISTRY),
    When(path__endswith="/*", then=Extent.PATTERN),
    default=Extent.REPOSITORY,
)


def _ways(grants: GrantQuerySet, asked: Scope) -> _Ways:
    """The members of a team share its ways. Rows are read and not objects: there may be thousands,
    of a few roles."""
    rows = grants.order_by(_EXTENT, "registry__name", "path").values_list(
        *("registry__name", "path", "pk", "role_id", "user_id", "team_id", "team__name"),
        *("service_principal_id", "is_public", "until", "reason"),
    )
    roles = {role.pk: (role, role.allowed) for role in Role.objects.all()}
    covering = {(scope.registry, scope.path) for scope in (asked, *above(asked))}
    ways = _Ways()
    for row in rows:
        registry, path, pk, role_id, user, team, name, machine, is_public, until, reason = row
        role, allowed = roles[role_id]
        covers = (registry, path) in covering
        way = Way(allowed, registry, path, covers, pk, role, name or "", is_public, until, reason)
        ways.add(user, team, machine, way)
    return ways


def _all_of(actions: Iterable[frozenset[Action]]) -> frozenset[Action]:
    # Of thousands of ways, but few roles: each once.
    return frozenset[Action]().union(*set(actions))
