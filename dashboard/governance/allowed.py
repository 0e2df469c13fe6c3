"""Whether who asks may make each change: the same that its action asks for, before anything is done.

The actions judge again when it is done. This is so that a plan can say all of it at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import cache

from django.core.exceptions import PermissionDenied
from django.utils.translation import gettext as _

from access import admin_accounts, grants, machines, teams
from access.actions import ALL, Action, parsed
from access.models import Role, ServicePrincipal, Team, User
from access.policy import Rights
from access.scopes import EVERYTHING, Scope
from access.trust_rules import may_reach_private
from dashboard.governance.changes import Change, Verb
from dashboard.governance.problems import Problem
from dashboard.governance.state import State
from registries.models import Registry
from webhooks.catalog import Topic
from webhooks.subscription_settings import Where, require_for


def lacking(
    changes: Iterable[Change], state: State, rights: Rights, user: User | None
) -> Iterator[tuple[Change, Problem]]:
    """What who has these rights may not do of it, each in a sentence."""
    if rights.allowed_in(EVERYTHING) == ALL:
        return
    judge = _Judge(state, rights, user)
    for change in changes:
        try:
            judge.require(change)
        except PermissionDenied as error:
            yield change, change.item.problem(str(error.args[0]))


class _Judge:
    """One person's (or machine's) rights, and what was found out about teams on the way."""

    def __init__(self, state: State, rights: Rights, user: User | None) -> None:
        self._rights, self._user = rights, user
        self._roles = {
            row.item.key[0]: row.item.values["actions"] for row in state.rows.get("roles", ())
        }
        self._team = cache(self._read_team)
        self._machine = cache(self._read_machine)
        self._maintains = cache(self._read_maintains)
        self._masters = cache(self._read_masters)
        self._grantable = cache(self._require_grant)
        self._by_section: dict[str, Callable[[Change], None]] = {
            "registries": self._registry,
            "mirrors": self._mirror,
            "roles": self._role,
            "teams": self._any_access,
            "members": self._member,
            "claim_rules": self._of_team,
            "service_principals": self._service_principal,
            "trust_rules": self._trust_rule,
            "grants": self._grant,
            "admin_accounts": self._admin_account,
            "webhooks": self._webhook,
        }

    def require(self, change: Change) -> None:
        """Raises PermissionDenied."""
        if change.section.name == "roles" and change.verb is not Verb.DELETE:
            self._roles[change.item.key[0]] = change.item.values["actions"]
        self._by_section[change.section.name](change)

    def _any_access(self, _change: Change) -> None:
        self._rights.require(Action.ACCESS_MANAGE, EVERYTHING)

    def _registry(self, change: Change) -> None:
        new = change.verb is Verb.CREATE
        scope = EVERYTHING if new else Scope(change.item.key[0])
        self._rights.require(Action.REGISTRY_MANAGE, scope)

    def _mirror(self, change: Change) -> None:
        for end in ("source", "target"):
            registry = Scope.parse(change.item.values[end]).registry
            self._rights.require(Action.REGISTRY_MANAGE, Scope(registry))

    def _role(self, change: Change) -> None:
        self._rights.require(Action.ACCESS_MANAGE, EVERYTHING)
        if change.verb is Verb.DELETE:
            return
        there = change.row.item.values["actions"] if change.row else ()
        for action in parsed({*change.item.values["actions"], *there}):
            self._rights.require(action, EVERYTHING)

    # Teams ------------------------------------------------------------------------------------

    def _member(self, change: Change) -> None:
        maintainer = change.item.values["maintainer"] or change.verb is Verb.CHANGE
        if maintainer or not self._maintains(change.item.key[0]):
            self._of_team(change)

    def _of_team(self, change: Change) -> None:
        if not self._masters(change.item.key[0]):
            raise PermissionDenied(
                _("You cannot give what you do not have: all that %s has, and access to manage.")
                % change.item.key[0]
            )

    def _read_team(self, name: str) -> Team | None:
        return Team.objects.filter(name=name).first()

    def _read_maintains(self, name: str) -> bool:
        team = self._team(name)
        return team is not None and teams.maintains(self._user, team)

    def _read_masters(self, name: str) -> bool:
        team = self._team(name)
        if team is None:  # it is made with this, and has nothing yet
            return self._rights.may(Action.ACCESS_MANAGE, EVERYTHING)
        return teams.masters(team, self._rights)

    # Machines ---------------------------------------------------------------------------------

    def _read_machine(self, name: str) -> ServicePrincipal | None:
        return ServicePrincipal.objects.select_related("team").filter(name=name).first()

    def _service_principal(self, change: Change) -> None:
        machine = self._machine(change.item.key[0])
        if change.verb is Verb.DELETE:
            self._any_access(change)
        elif machine is None:
            if not self._maintains(change.item.values["team"]):
                self._any_access(change)
        else:
            names = {one.name for one in change.fields}
            if "team" in names:
                machines.require_mastery_of(machine, self._rights)
            self._care(machine, only_stops=names == {"disabled"} and change.item.values["disabled"])

    def _trust_rule(self, change: Change) -> None:
        machine = self._machine(change.item.values["service_principal"])
        if machine is None:
            self._any_access(change)
            return
        names = {one.name for one in change.fields}
        stops = names == {"disabled"} and change.item.values["disabled"]
        self._care(machine, only_stops=stops or change.verb is Verb.DELETE)
        opens = change.item.values["allow_private"] and names & {"allow_private", "issuer"}
        if opens and not may_reach_private(self._rights):
            self._rights.require(Action.REGISTRY_MANAGE, EVERYTHING)

    def _care(self, machine: ServicePrincipal, *, only_stops: bool) -> None:
        require = machines.require_control if only_stops else machines.require_care
        require(machine, self._rights, self._user)

    # Grants and the rest ----------------------------------------------------------------------

    def _grant(self, change: Change) -> None:
        self._grantable(change.item.values["role"], change.item.values["scope"])

    def _require_grant(self, name: str, scope: str) -> None:
        role: Role | None = None
        if name in self._roles:
            role = Role(name=name, actions=list(self._roles[name]))
        role = role or Role.objects.filter(name=name).first()
        if role is not None:  # one that is not there was told of
            grants.require_mastery(self._rights, role, Scope.parse(scope))

    def _admin_account(self, change: Change) -> None:
        registry = change.item.key[0]
        if change.verb is Verb.CREATE:
            admin_accounts.require_mastery(Registry(name=registry), self._rights)
        self._rights.require(Action.ACCESS_MANAGE, Scope(registry))

    def _webhook(self, change: Change) -> None:
        there = (change.row.item,) if change.row else ()
        for item in (*there, change.item):
            topics = [Topic(text) for text in item.values["topics"]]
            require_for(self._rights, Where.parse(item.values["where"]).scope, topics)
        team = change.item.values["team"]
        if any(one.name == "team" for one in change.fields) and team:
            self._tell_team(team)

    def _tell_team(self, name: str) -> None:
        """As on screen: one's own teams, or any for who knows of all."""
        team = self._team(name)
        is_mine = (
            self._user is not None
            and team is not None
            and team.memberships.filter(user=self._user).exists()
        )
        if not is_mine:
            self._rights.require(Action.ACCESS_MANAGE, EVERYTHING)
