"""What every change needs at hand: who makes it, and the rows that it names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

from access.grants import Holder
from access.models import Role, ServicePrincipal, Team, User
from access.policy import Rights
from access.principals import Kind, Principal
from dashboard.governance.changes import Change
from dashboard.governance.secrets import Resolver
from registries.actor import Actor
from registries.connection_checks import ConnectionCheck
from registries.models import Registry

Found = TypeVar("Found", Registry, Role, Team, User, ServicePrincipal)


@dataclass(frozen=True, slots=True)
class Shown:
    """A secret that was made with a thing, and is shown this once."""

    section: str
    name: str
    what: str
    secret: str = field(repr=False)


@dataclass(slots=True)
class Hands:
    """For one document, inside its transaction. Rows are read when they are first named, also those
    that the document has just made. `checks` are of registries by name; one that has none is stored
    as it is."""

    rights: Rights
    actor: Actor
    user: User | None
    secrets: Resolver
    checks: Mapping[str, ConnectionCheck]
    shown: list[Shown] = field(default_factory=list)
    _rows: dict[tuple[type[Any], str], Any] = field(default_factory=dict)

    def registry(self, name: str) -> Registry:
        return self._kept(Registry, name, lambda: Registry.objects.get(name=name))

    def role(self, name: str) -> Role:
        return self._kept(Role, name, lambda: Role.objects.get(name=name))

    def team(self, name: str) -> Team:
        return self._kept(Team, name, lambda: Team.objects.get(name=name))

    def team_or_none(self, name: str) -> Team | None:
        return self.team(name) if name else None

    def person(self, name: str) -> User:
        return self._kept(User, name, lambda: User.objects.get(username=name))

    def machine(self, name: str) -> ServicePrincipal:
        return self._kept(ServicePrincipal, name, lambda: ServicePrincipal.objects.get(name=name))

    def holder(self, text: str) -> Holder:
        who = Principal.parse(text)
        match who.kind:
            case Kind.USER:
                return self.person(who.name)
            case Kind.TEAM:
                return self.team(who.name)
            case Kind.MACHINE:
                return self.machine(who.name)
            case Kind.PUBLIC:
                return None

    def _kept(self, model: type[Found], name: str, read: Callable[[], Found]) -> Found:
        found = self._rows.get((model, name)) or read()
        self._rows[model, name] = found
        return cast("Found", found)


Act = Callable[[Change, Hands], None]
