"""What a docker client asks for: `repository:team/app:pull,push`, in all the forms clients use.

distribution: docs/content/spec/auth/scope.md. A scope comes repeated (`scope=…&scope=…`) or several
of them in one value with spaces. A name may hold `host:port`, so a scope is cut at its first and its
last colon. What we cannot read is left out: a client that asks for too much gets less, not an error.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from access.actions import DOCKER, Action
from access.policy import Rights
from access.scopes import Scope
from registries.oci.reference import is_repository

# More than any client asks for, and few enough that a token stays below 8 KB: it goes in a header.
MOST_SCOPES = 16
LONGEST_SCOPE = 512

REPOSITORY = "repository"
REGISTRY = "registry"
CATALOG = "catalog"
EVERY_ACTION = "*"


@dataclass(frozen=True, slots=True)
class Asked:
    """One scope as it was asked for; `actions` may be empty, and may hold words we do not know."""

    type: str
    name: str
    actions: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.type}:{self.name}:{','.join(self.actions)}"


@dataclass(frozen=True, slots=True)
class Allowed:
    """One entry of a token's `access`."""

    type: str
    name: str
    actions: tuple[str, ...]

    def as_claim(self) -> dict[str, object]:
        return {"type": self.type, "name": self.name, "actions": list(self.actions)}


def parse(values: Iterable[str]) -> list[Asked]:
    """The scopes in these values, each repository once, in the order asked for."""
    found: dict[tuple[str, str], dict[str, None]] = {}
    for text in (word for value in values for word in value.split()):
        asked = parse_one(text)
        if asked is not None and (len(found) < MOST_SCOPES or (asked.type, asked.name) in found):
            found.setdefault((asked.type, asked.name), {}).update(dict.fromkeys(asked.actions))
    return [Asked(kind, name, tuple(actions)) for (kind, name), actions in found.items()]


def parse_one(text: str) -> Asked | None:
    """One scope, None for what is none."""
    kind, first, rest = text.partition(":")
    # A class, as in `repository(plugin)`, is deprecated and says nothing about rights.
    kind = kind.partition("(")[0]
    name, last, actions = rest.rpartition(":")
    if not (kind and first and name and last) or len(text) > LONGEST_SCOPE:
        return None
    return Asked(kind, name, tuple(dict.fromkeys(word for word in actions.split(",") if word)))


def allow(asked: Asked, rights: Rights, registry: str) -> Allowed | None:
    """As much of what was asked as these rights hold in the registry; None if it is nothing."""
    if asked.type == REPOSITORY and is_repository(asked.name):
        held = rights.allowed_in(Scope(registry, asked.name))
        wanted = DOCKER if EVERY_ACTION in asked.actions else asked.actions
        granted = tuple(verb for verb in wanted if DOCKER.get(verb) in held)
    elif asked.type == REGISTRY and asked.name == CATALOG and EVERY_ACTION in asked.actions:
        may_list = rights.may(Action.CATALOG_LIST, Scope(registry))
        granted = (EVERY_ACTION,) if may_list else ()
    else:
        granted = ()
    return Allowed(asked.type, asked.name, granted) if granted else None


def is_refusal(asked: Asked, allowed: Allowed | None) -> bool:
    """Whether somebody would call it refused: a verb he named is missing, or of `*` nothing is left.

    Clients ask for `*` where they need one verb, so a part of that is no refusal.
    """
    if asked.type not in (REPOSITORY, REGISTRY) or not asked.actions:
        return False
    if EVERY_ACTION in asked.actions:
        return allowed is None
    known = [verb for verb in asked.actions if verb in DOCKER]
    return asked.type == REPOSITORY and (
        allowed is None or any(verb not in allowed.actions for verb in known)
    )
