"""Whether who asks may make each change: the same that its action asks for, before anything is done.

The actions judge again when it is done. This is so that a plan can say all of it at once, with the
same few statements however much there is. Who may not manage access is told so in the same words
whatever he names: what there is of it, he does not learn.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import cache

from django.core.exceptions import PermissionDenied
from django.utils.translation import gettext as _

from access import admin_accounts, grants
from access.actions import ALL, Action, parsed
from access.models import Grant, Role, ServicePrincipal, User
from access.networks import require_network
from access.policy import Rights
from access.scopes import EVERYTHING, Scope
from access.trust_rules import may_reach_private
from dashboard.governance.changes import Change, Verb
from dashboard.governance.judging import settings_of
from dashboard.governance.named import Named
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
    asked = list(changes)
    judge = _Judge(state, rights, Named(asked, user))
    for change in asked:
        try:
            judge.require(change)
        except PermissionDenied as error:
            yield change, change.item.problem(str(error.args[0]))


class _Judge:
    """One person's (or machine's) rights, and what was found out about teams on the way."""

    def __init__(self, state: State, rights: Rights, named: Named) -> None:
        self._rights, self._named = rights, named
        self._roles = {
            row.item.key[0]: row.item.values["actions"] for row in state.rows.get("roles", ())
        }
        self._masters = cache(self._judge_mastery)
        self._granted = cache(self._find_role)
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

    def _any_access(self, _change: Change | None = None) -> None:
        self._rights.require(Action.ACCESS_MANAGE, EVERYTHING)

    def _registry(self, change: Change) -> None:
        new = change.verb is Verb.CREATE
        scope = EVERYTHING if new else Scope(change.item.key[0])
        self._rights.require(Action.REGISTRY_MANAGE, scope)
        if change.verb is Verb.CHANGE and change.row is not None:
            require_network(self._rights, settings_of(change.item), settings_of(change.row.item))

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
        team = change.item.key[0]
        maintainer = change.item.values["maintainer"] or change.verb is Verb.CHANGE
        if maintainer or not self._named.maintains(self._named.team(team)):
            self._of_team(change)

    def _of_team(self, change: Change) -> None:
        if not self._masters(change.item.key[0]):
            raise PermissionDenied(
                _("You cannot give what you do not have: all that %s has, and access to manage.")
                % change.item.key[0]
            )

    def _judge_mastery(self, name: str) -> bool:
        if not self._rights.may(Action.ACCESS_MANAGE, EVERYTHING):
            return False
        team = self._named.team(name)
        if team is None:  # it is made with this, and has nothing yet
            return True
        try:
            self._require_mastery(self._named.reach_of(team))
        except PermissionDenied:
            return False
        return True

    def _require_mastery(self, held: Iterable[Grant]) -> None:
        for grant in held:
            grants.require_mastery(self._rights, grant.role, grant.scope)

    # Machines ---------------------------------------------------------------------------------

    def _service_principal(self, change: Change) -> None:
        machine = self._named.machine(change.item.key[0])
        if change.verb is Verb.DELETE:
            self._any_access()
        elif machine is None:
            if not self._named.maintains(self._named.team(change.item.values["team"])):
                self._any_access()
        else:
            names = {one.name for one in change.fields}
            if "team" in names:
                self._require_mastery_of(machine)
            self._care(machine, only_stops=names == {"disabled"} and change.item.values["disabled"])

    def _trust_rule(self, change: Change) -> None:
        machine = self._named.machine(change.item.values["service_principal"])
        if machine is None:
            self._any_access()
            return
        names = {one.name for one in change.fields}
        stops = names == {"disabled"} and change.item.values["disabled"]
        self._care(machine, only_stops=stops or change.verb is Verb.DELETE)
        opens = change.item.values["allow_private"] and names & {"allow_private", "issuer"}
        if opens and not may_reach_private(self._rights):
            self._rights.require(Action.REGISTRY_MANAGE, EVERYTHING)

    def _care(self, machine: ServicePrincipal, *, only_stops: bool) -> None:
        """As `machines.require_control` and `require_care`."""
        if self._named.maintains(machine.team):
            return
        if only_stops:
            self._any_access()
        else:
            self._require_mastery_of(machine)

    def _require_mastery_of(self, machine: ServicePrincipal) -> None:
        self._any_access()
        self._require_mastery(self._named.grants_of(machine))

    # Grants and the rest ----------------------------------------------------------------------

    def _grant(self, change: Change) -> None:
        scope = Scope.parse(change.item.values["scope"])
        # First, and whatever the role is: who may grant nothing there learns nothing.
        self._rights.require(Action.ACCESS_MANAGE, scope)
        role = self._granted(change.item.values["role"])
        if role is not None:  # of one that is not there it is told besides
            grants.require_mastery(self._rights, role, scope)

    def _find_role(self, name: str) -> Role | None:
        if name in self._roles:
            return Role(name=name, actions=list(self._roles[name]))
        return self._named.role(name)

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
        if not self._named.is_in(self._named.team(name)):
            self._any_access()
