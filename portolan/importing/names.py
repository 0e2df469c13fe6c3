"""Names as Portolan takes them: of registries, people, teams, machines, and places in a registry."""

from __future__ import annotations

import re

from portolan.importing.problems import Mistyped

COMPONENT = r"[a-z0-9]+(?:(?:\.|__?|-+)[a-z0-9]+)*"
_PATH = re.compile(rf"{COMPONENT}(?:/{COMPONENT})*")
_REGISTRY = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?")
# What Django takes for a user name, without what a document could not tell from something else.
_PERSON = re.compile(r"[\w.@+-]{1,150}")
_REPOSITORY_LIMIT = 255
_LIMIT = 63


def registry(text: str) -> str:
    """The name of a registry in Portolan; raises Mistyped for what can be none."""
    if len(text) > _LIMIT or not _REGISTRY.fullmatch(text):
        raise Mistyped(
            f"“{plain(text, 80)}” is no name of a registry in Portolan: lower-case letters, digits"
            " and hyphens, as in the address of its screen /r/NAME."
        )
    return text


def is_person(text: str) -> bool:
    """Whether somebody in Portolan can have this user name."""
    return _PERSON.fullmatch(text) is not None


def is_repository(text: str) -> bool:
    """Whether this can be the path of a repository."""
    return len(text) <= _REPOSITORY_LIMIT and _PATH.fullmatch(text) is not None


def is_component(text: str) -> bool:
    """Whether this can be one part of such a path: a project, a namespace."""
    return "/" not in text and is_repository(text)


def plain(text: str, limit: int = 255) -> str:
    """A text on one line, without what cannot be seen, and not too long: for descriptions."""
    line = "".join(one if one.isprintable() else " " for one in text[: limit * 2]).strip()
    return line if len(line) <= limit else f"{line[: limit - 1]}…"


class Slugs:
    """Gives names that Portolan takes: the same for the same source name, another for another."""

    def __init__(self, *, lower: bool) -> None:
        self._lower = lower
        self._given: dict[str, str] = {}
        self._taken: set[str] = set()

    def of(self, source: str, short: str = "") -> str:
        """The name of what the source calls this; made from `short`, where that says enough."""
        if source not in self._given:
            self._given[source] = self._free(short or source)
        return self._given[source]

    def _free(self, source: str) -> str:
        # Team names may have capitals and underscores, those of machines neither.
        text = source.lower() if self._lower else source
        kept = r"[^a-z0-9]+" if self._lower else r"[^a-zA-Z0-9_]+"
        base = re.sub(kept, "-", text).strip("-")[: _LIMIT - 6].strip("-") or "imported"
        name, number = base, 1
        # Names that differ in capitals only would be one to people.
        while name.lower() in self._taken:
            number += 1
            name = f"{base}-{number}"
        self._taken.add(name.lower())
        return name
