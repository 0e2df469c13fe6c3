"""What an import comes to: a document, and remarks on what it does not say. Drafts collect both."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from portolan.importing import names, roles
from portolan.importing.names import Slugs, plain
from portolan.importing.roles import Role

VERSION = 1
PUBLIC = "anonymous"


class Kind(Enum):
    """What a remark is about."""

    LEFT_OUT = "left out"
    NARROWER = "narrower"
    TO_DO = "to do"


@dataclass(frozen=True, slots=True)
class Remark:
    """`subject` is what of the source, `reason` a sentence, `advice` what to do about it."""

    kind: Kind
    subject: str
    reason: str
    advice: str = ""

    def as_data(self) -> dict[str, str]:
        """It as JSON has it."""
        return {
            "kind": self.kind.value,
            "subject": self.subject,
            "reason": self.reason,
            "advice": self.advice,
        }


@dataclass(frozen=True, slots=True)
class Options:
    """What an import has to be told. `provider` and `claim` are the sign-on provider in Portolan and
    its claim that names groups. `repositories` are those that are there, for rules that only an
    enumeration says; `machines` accounts that are no people; `service` what the token server calls
    this registry; `deep` takes one level below a name for all levels. `now` is in Unix seconds."""

    registry: str
    provider: str = ""
    claim: str = "groups"
    repositories: tuple[str, ...] = ()
    machines: frozenset[str] = frozenset()
    service: str | None = None
    deep: bool = False
    now: float = 0.0


@dataclass(frozen=True, slots=True)
class Imported:
    """The document's data as portolan.importing.writing writes it, and what is not in it. `people`
    have to be in Portolan before the document can be applied."""

    document: dict[str, Any]
    remarks: tuple[Remark, ...]
    people: tuple[str, ...]

    @property
    def grants(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.document.get("grants", [])
        return found


@dataclass
class _Team:
    description: str
    members: dict[str, bool] = field(default_factory=dict)
    rules: set[tuple[str, str, str]] = field(default_factory=set)
    # Only of a team whose members the source names all.
    is_whole: bool = False


class Draft:
    """A document in the making. What it is asked to say and cannot, it remarks on."""

    def __init__(self, options: Options) -> None:
        self.registry = names.registry(options.registry)
        self._team_names = Slugs(lower=False)
        self._machine_names = Slugs(lower=True)
        self._teams: dict[str, _Team] = {}
        self._machines: dict[str, dict[str, Any]] = {}
        self._roles: dict[str, Role] = {}
        self._grants: dict[tuple[str, str, str], dict[str, Any]] = {}
        # In their order, each once.
        self._remarks: dict[Remark, None] = {}
        self._people: set[str] = set()

    # Whom ---------------------------------------------------------------------------------------

    def person(self, name: str) -> str | None:
        """`user:NAME`; None, with a remark, for a name that nobody in Portolan can have."""
        if not names.is_person(name):
            self.left_out(
                f"user {plain(name, 80)!r}",
                "Nobody in Portolan can have this user name.",
                "Grant by hand what the person should have.",
            )
            return None
        self._people.add(name)
        return f"user:{name}"

    def team(self, source: str, description: str, *, short: str = "") -> str:
        """The team for what the source calls this; gives its name in Portolan."""
        name = self._team_names.of(source, short)
        self._teams.setdefault(name, _Team(plain(description)))
        return name

    def whole(self, team: str) -> None:
        """Say that the members named are all that the team has."""
        self._teams[team].is_whole = True

    def member(self, team: str, name: str, *, maintains: bool = False) -> None:
        """Put a person into a team."""
        if self.person(name) is not None:
            members = self._teams[team].members
            members[name] = maintains or members.get(name, False)

    def claim_rule(self, team: str, provider: str, claim: str, value: str) -> bool:
        """Whoever signs in with this value is in the team; False for a value that cannot be one."""
        fits = 0 < len(value) <= 255 and value.isprintable()
        if fits:
            self._teams[team].rules.add((provider, claim, value))
        return fits

    def machine(
        self, source: str, description: str, *, short: str = "", disabled: bool = False
    ) -> str:
        """`sp:NAME` of the machine that the source calls this."""
        name = self._machine_names.of(source, short)
        made: dict[str, Any] = {"name": name, "description": plain(description)}
        if disabled:
            made["disabled"] = True
        self._machines.setdefault(name, made)
        return f"sp:{name}"

    # What -----------------------------------------------------------------------------------------

    def grant(
        self,
        principal: str,
        actions: frozenset[str],
        path: str,
        *,
        role: Role | None = None,
        until: str = "",
        reason: str = "",
    ) -> None:
        """Exactly these actions on a path of the registry (all of it, if empty): by `role`, if it
        is given, else by built-in roles, else by a role for just this."""
        if not actions:
            return
        given: tuple[str, ...]
        if role is None and not (given := roles.built_in(actions)):
            role = roles.own(actions)
        if role is not None:
            self._roles[role.name] = role
            given = (role.name,)
        scope = f"{self.registry}/{path}" if path else self.registry
        for name in given:
            made = {"principal": principal, "role": name, "scope": scope}
            if until:
                made["until"] = until
            if reason:
                made["reason"] = plain(reason)
            # The source gives both of two that differ in their end: the longer one says it all.
            known = self._grants.get((principal, name, scope))
            if known is None or _lasts_longer(until, known.get("until", "")):
                self._grants[principal, name, scope] = made

    # What not -------------------------------------------------------------------------------------

    def left_out(self, subject: str, reason: str, advice: str = "") -> None:
        self._remarks[Remark(Kind.LEFT_OUT, subject, reason, advice)] = None

    def narrower(self, subject: str, reason: str, advice: str = "") -> None:
        self._remarks[Remark(Kind.NARROWER, subject, reason, advice)] = None

    def to_do(self, subject: str, reason: str, advice: str = "") -> None:
        self._remarks[Remark(Kind.TO_DO, subject, reason, advice)] = None

    # The end --------------------------------------------------------------------------------------

    def finish(self) -> Imported:
        """The document and all remarks, with those that every import has."""
        self._common_remarks()
        sections = {
            "roles": [self._roles[one].as_data() for one in sorted(self._roles)],
            "teams": [_team(one, self._teams[one]) for one in sorted(self._teams)],
            "service_principals": [self._machines[one] for one in sorted(self._machines)],
            "grants": [self._grants[one] for one in sorted(self._grants)],
        }
        # A section that is there and empty would say that there is nothing, to `--prune`.
        said = {name: made for name, made in sections.items() if made}
        people = tuple(sorted(self._people))
        return Imported({"version": VERSION, **said}, tuple(self._remarks), people)

    def _common_remarks(self) -> None:
        if self._people:
            self.to_do(
                f"{_counted(self._people, 'person', 'people')}",
                f"They have to be in Portolan: {_some(sorted(self._people))}.",
                "Invite them, or let them sign in once; a plan names those who are missing.",
            )
        if self._machines:
            self.to_do(
                _counted(self._machines, "service principal", "service principals"),
                "Secrets are not carried over.",
                "Make a new secret for each on its screen, and put it where the old one is used.",
            )
        made = [f"role {one}" for one in self._roles] + [f"team {one}" for one in self._teams]
        made += [f"sp {one}" for one in self._machines]
        if made:
            self.to_do(
                "names that may be taken",
                f"What is in Portolan already under one of these names gets the grants: {_some(made)}.",
                "Read the plan: what it does not create (+) was there before.",
            )


def _team(name: str, team: _Team) -> dict[str, Any]:
    data: dict[str, Any] = {"name": name}
    if team.description:
        data["description"] = team.description
    if team.is_whole:
        members = sorted(team.members.items())
        if maintainers := [user for user, maintains in members if maintains]:
            data["maintainers"] = maintainers
        data["members"] = [user for user, maintains in members if not maintains]
    if team.rules:
        data["claim_rules"] = [
            {"provider": provider, "claim": claim, "value": value}
            for provider, claim, value in sorted(team.rules)
        ]
    return data


def _lasts_longer(until: str, than: str) -> bool:
    """Both ISO in UTC, so that texts compare as times do; empty is for ever."""
    return bool(than) and (not until or until > than)


def _counted(things: Iterable[str], one: str, many: str) -> str:
    count = len(list(things))
    return f"{count:,} {one if count == 1 else many}"


def _some(things: list[str], most: int = 40) -> str:
    more = f" and {len(things) - most:,} more" if len(things) > most else ""
    return f"{', '.join(things[:most])}{more}"
