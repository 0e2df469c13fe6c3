"""The rows that changes name, for judging who may make them: read set by set.

Each set is read when something of it is first asked for, with one statement, however many changes
there are. Of who lacks the right to manage access, most are never read.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from functools import cached_property

from django.db.models import Q

from access.models import Grant, Role, ServicePrincipal, Team, User
from dashboard.governance.changes import Change


class Named:
    """What changes name; `user` is the person whose teams count, None for tokens and shells."""

    def __init__(self, changes: Iterable[Change], user: User | None) -> None:
        self._user = user if user is not None and user.is_active else None
        self._names: dict[str, set[str]] = defaultdict(set)
        for change in changes:
            for sort, name in _names_of(change):
                self._names[sort].add(name)

    def team(self, name: str) -> Team | None:
        return self._teams.get(name)

    def machine(self, name: str) -> ServicePrincipal | None:
        return self._machines.get(name)

    def role(self, name: str) -> Role | None:
        return self._roles.get(name)

    def is_in(self, team: Team | None) -> bool:
        """Whether the person is in this team."""
        return team is not None and team.pk in self._own

    def maintains(self, team: Team | None) -> bool:
        """Whether the person was trusted with this team's members."""
        return team is not None and self._own.get(team.pk, False)

    def reach_of(self, team: Team) -> list[Grant]:
        """As `access.teams.reach_of`: what being in the team gives."""
        return self._reach[team.pk]

    def grants_of(self, machine: ServicePrincipal) -> list[Grant]:
        """What the machine has."""
        return self._held[machine.pk]

    @cached_property
    def _teams(self) -> dict[str, Team]:
        return {one.name: one for one in Team.objects.filter(name__in=self._names["team"])}

    @cached_property
    def _machines(self) -> dict[str, ServicePrincipal]:
        found = ServicePrincipal.objects.filter(name__in=self._names["machine"])
        return {one.name: one for one in found.select_related("team")}

    @cached_property
    def _roles(self) -> dict[str, Role]:
        return {one.name: one for one in Role.objects.filter(name__in=self._names["role"])}

    @cached_property
    def _own(self) -> dict[int, bool]:
        """The person's teams by id, and whether he maintains them."""
        if self._user is None:
            return {}
        return dict(self._user.memberships.values_list("team_id", "is_maintainer"))

    @cached_property
    def _reach(self) -> dict[int, list[Grant]]:
        teams = [one.pk for one in self._teams.values()]
        found: dict[int, list[Grant]] = defaultdict(list)
        held = Grant.objects.filter(Q(team__in=teams) | Q(service_principal__team__in=teams))
        for grant in held.select_related("role", "registry", "service_principal"):
            machine = grant.service_principal
            team = machine.team_id if machine else grant.team_id
            if team is not None:
                found[team].append(grant)
        return found

    @cached_property
    def _held(self) -> dict[int, list[Grant]]:
        machines = [one.pk for one in self._machines.values()]
        found: dict[int, list[Grant]] = defaultdict(list)
        held = Grant.objects.filter(service_principal__in=machines)
        for grant in held.select_related("role", "registry"):
            if grant.service_principal_id is not None:
                found[grant.service_principal_id].append(grant)
        return found


def _names_of(change: Change) -> Iterable[tuple[str, str]]:
    values = change.item.values
    match change.section.name:
        case "members" | "claim_rules" | "webhooks":
            yield "team", values["team"]
        case "service_principals":
            yield "machine", values["name"]
            yield "team", values["team"]
        case "trust_rules":
            yield "machine", values["service_principal"]
        case "grants":
            yield "role", values["role"]
