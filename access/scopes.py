"""Where a grant holds: everything, one registry, a path pattern in it, or one repository.

Text form, as in commands, files and addresses: `*`, `REGISTRY`, `REGISTRY/team-a/*`,
`REGISTRY/team-a/app`. A pattern covers what lies below it at any depth, and not `team-a` itself
(the same as in scope maps of Azure Container Registry). Values only; nothing here asks a database.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import IntEnum

from django.utils.translation import gettext as _

from registries.oci.reference import InvalidReference, parse_repository

_REGISTRY = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?")
_BELOW = "/*"


class InvalidScope(ValueError):  # noqa: N818  named for what happened
    """A text is no scope; the message says what one looks like."""


class Extent(IntEnum):
    """How much a scope covers, widest first."""

    EVERYTHING = 0
    REGISTRY = 1
    PATTERN = 2
    REPOSITORY = 3


@dataclass(frozen=True, slots=True)
class Scope:
    """`registry` is a registry's name, none for everything; `path` is empty, `team-a/*` or a
    repository."""

    registry: str | None = None
    path: str = ""
    # Told once: a decision asks every scope that somebody has.
    extent: Extent = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.path and self.registry is None:
            raise InvalidScope(_("A path needs a registry that it is in."))
        object.__setattr__(self, "extent", self._extent())

    @classmethod
    def parse(cls, text: str) -> Scope:
        """The scope of a text; raises InvalidScope with a sentence for people."""
        text = text.strip()
        if text == "*":
            return EVERYTHING
        registry, slash, path = text.partition("/")
        if not _REGISTRY.fullmatch(registry):
            raise InvalidScope(
                _(
                    "“%s” is not a scope. Write * for everything, or REGISTRY, REGISTRY/team/*,"
                    " or REGISTRY/team/app."
                )
                % text
            )
        if not slash or path == "*":
            return cls(registry)
        try:
            parse_repository(path.removesuffix(_BELOW))
        except InvalidReference as error:
            hint = _("A star may only stand alone at the end: team/*.") if "*" in path else ""
            raise InvalidScope(f"{error} {hint}".strip()) from None
        return cls(registry, path)

    def __str__(self) -> str:
        return scope_text(self.registry, self.path)

    def _extent(self) -> Extent:
        if self.registry is None:
            return Extent.EVERYTHING
        if not self.path:
            return Extent.REGISTRY
        return Extent.PATTERN if self.path.endswith(_BELOW) else Extent.REPOSITORY

    @property
    def prefix(self) -> str:
        """What the paths below a pattern begin with; empty for a whole registry or everything."""
        return self.path.removesuffix("*") if self.extent is Extent.PATTERN else ""

    def contains(self, other: Scope) -> bool:
        """Whether what holds here holds in all of the other scope, too."""
        if self.extent > other.extent:
            return False  # what is narrower holds nothing wider: the answer to most questions
        match self.extent:
            case Extent.EVERYTHING:
                return True
            case Extent.REGISTRY:
                return other.registry == self.registry
            case Extent.PATTERN:
                return other.registry == self.registry and other.path.startswith(self.prefix)
            case Extent.REPOSITORY:
                return other == self

    def touches(self, other: Scope) -> bool:
        """Whether there is anything that both cover."""
        return self.contains(other) or other.contains(self)

    def meet(self, other: Scope) -> Scope | None:
        """What both cover: scopes nest, so it is the narrower one, or nothing."""
        if self.contains(other):
            return other
        return self if other.contains(self) else None


def scope_text(registry: str | None, path: str) -> str:
    """The text of the scope that these make, for who has thousands of them."""
    if registry is None:
        return "*"
    return f"{registry}/{path}" if path else registry


EVERYTHING = Scope()


def widest(scopes: Iterable[Scope]) -> tuple[Scope, ...]:
    """The same coverage without those that lie inside another, in a stable order."""
    given = set(scopes)
    return tuple(sorted((one for one in given if given.isdisjoint(above(one))), key=str))


def above(scope: Scope) -> Iterator[Scope]:
    """Every scope that contains this one and is not it."""
    if scope.registry is None:
        return
    yield EVERYTHING
    if not scope.path:
        return
    yield Scope(scope.registry)
    parts = scope.path.removesuffix(_BELOW).split("/")
    for end in range(1, len(parts)):
        yield Scope(scope.registry, "/".join(parts[:end]) + _BELOW)
