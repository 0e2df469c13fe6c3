"""Whom a grant can be given to, by name: `user:NAME`, `team:NAME`, `sp:NAME`, `anonymous`."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from access.models import Grant, ServicePrincipal, Team, User


class Kind(Enum):
    """The words before the colon."""

    USER = "user"
    TEAM = "team"
    MACHINE = "sp"
    PUBLIC = "anonymous"


@dataclass(frozen=True, slots=True)
class Principal:
    """Somebody by kind and name; the public has no name."""

    kind: Kind
    name: str = ""

    @classmethod
    def parse(cls, text: str) -> Principal:
        """The principal of a text; raises ValidationError with a sentence for people."""
        kind, _colon, name = text.strip().partition(":")
        if text.strip() == Kind.PUBLIC.value:
            return PUBLIC
        if name and kind in {Kind.USER.value, Kind.TEAM.value, Kind.MACHINE.value}:
            return cls(Kind(kind), name)
        raise ValidationError(
            _("“%s” is nobody: write user:NAME, team:NAME, sp:NAME, or anonymous.") % text
        )

    @classmethod
    def of(cls, somebody: User | Team | ServicePrincipal) -> Principal:
        if isinstance(somebody, User):
            return cls(Kind.USER, somebody.get_username())
        if isinstance(somebody, Team):
            return cls(Kind.TEAM, somebody.name)
        return cls(Kind.MACHINE, somebody.name)

    @classmethod
    def holding(cls, grant: Grant) -> Principal:
        """Whom a grant was given to (load it with `with_names`)."""
        somebody = grant.user or grant.team or grant.service_principal
        return cls.of(somebody) if somebody else PUBLIC

    def __str__(self) -> str:
        return f"{self.kind.value}:{self.name}" if self.name else self.kind.value

    def find(self) -> User | Team | ServicePrincipal | None:
        """The row, None for the public; raises ValidationError if there is nobody of this name."""
        found: User | Team | ServicePrincipal | None
        match self.kind:
            case Kind.PUBLIC:
                return None
            case Kind.USER:
                found = User.objects.filter(username=self.name).first()
            case Kind.TEAM:
                found = Team.objects.filter(name=self.name).first()
            case Kind.MACHINE:
                found = ServicePrincipal.objects.filter(name=self.name).first()
        if found is None:
            raise ValidationError(_("There is no %s.") % self)
        return found


PUBLIC = Principal(Kind.PUBLIC)
