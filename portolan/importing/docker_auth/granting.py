"""The scopes that say just what rules say, for one subject."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from portolan.importing.docker_auth import meaning
from portolan.importing.docker_auth.beginnings import candidates
from portolan.importing.docker_auth.meaning import TooTangled
from portolan.importing.docker_auth.rules import Rule
from portolan.importing.docker_auth.subjects import Judged

# A rule with more beginnings than this is a list, which `repositories` says better.
_MOST_CANDIDATES = 2_000

Granted = tuple[tuple[str, frozenset[str]], ...]


@dataclass(frozen=True, slots=True)
class Found:
    """`granted` are paths (empty: all of the registry) with what is given on all of each; `lacking`
    what rules give besides, with a name that shows it."""

    granted: Granted = ()
    lacking: dict[Rule, tuple[frozenset[str], str]] = field(default_factory=dict)
    is_tangled: bool = False


def find(rules: Sequence[Judged], repositories: Sequence[str]) -> Found:
    """The widest scopes on all of which the rules give something, and after them the repositories
    that are known to be there."""
    granted: list[tuple[str, frozenset[str]]] = []
    try:
        for path in _worth_asking(rules, repositories):
            _add(granted, path, meaning.everywhere(path, rules))
        # Without the listed names: what comes later is lacking in any case.
        lacking = meaning.missing(rules, granted)
        for name in repositories:
            _add(granted, name, meaning.on_name(name, rules))
        return Found(tuple(granted), lacking)
    except TooTangled:
        return Found(tuple(granted), is_tangled=True)


def contains(path: str, other: str) -> bool:
    """Whether a scope's path covers another's, as Portolan's scopes do."""
    return not path or path == other or (path.endswith("/*") and other.startswith(path[:-1]))


def _add(granted: list[tuple[str, frozenset[str]]], path: str, actions: frozenset[str]) -> None:
    held: frozenset[str] = frozenset().union(
        *(given for known, given in granted if contains(known, path))
    )
    if actions - held:
        granted.append((path, actions))


def _worth_asking(rules: Sequence[Judged], repositories: Iterable[str]) -> list[str]:
    """Paths in the order of how much they cover; all of the registry first."""
    begins = {begin for one in rules if one.rule.on_repositories for begin in one.names.begins}
    found = set(candidates(tuple(begins)))
    found.update(_above(repositories))
    ordered = sorted(found, key=lambda it: (not it.endswith("/*"), it.count("/"), it))
    return ["", *ordered[:_MOST_CANDIDATES]]


def _above(repositories: Iterable[str]) -> Iterator[str]:
    for name in repositories:
        parts = name.split("/")
        for end in range(1, len(parts)):
            yield "/".join(parts[:end]) + "/*"
