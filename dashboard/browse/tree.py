"""The namespaces of a registry as a tree: the levels on the way to one, each with its neighbours."""

from __future__ import annotations

from dataclasses import dataclass, field

from registries.models import Namespace, Registry
from registries.models.registry import NamespaceQuerySet

# A level longer than this goes on at its own address.
LEVEL_SIZE = 100


@dataclass(slots=True)
class Level:
    """Namespaces side by side; `more_after` is the path after which there are further ones."""

    parent: str
    nodes: list[Node] = field(default_factory=list)
    more_after: str = ""


@dataclass(slots=True)
class Node:
    """A namespace; `below` is its level where that is open."""

    namespace: Namespace
    has_children: bool
    is_current: bool
    below: Level | None = None


def levels_to(registry: Registry, namespace: str) -> Level:
    """The top level, opened along the way to `namespace` and at it; one query, however deep."""
    opened = ["", *_prefixes(namespace)]
    first, *others = (_slice(registry, parent) for parent in opened)
    rows = list(first.union(*others, all=True)) if others else list(first)
    levels = {parent: Level(parent) for parent in opened}
    nodes: dict[str, Node] = {}
    for row in sorted(rows, key=lambda row: row.path):
        _put(levels[row.parent], row, current=namespace)
    for level in levels.values():
        nodes.update({node.namespace.path: node for node in level.nodes})
    for path in opened[1:]:
        # A namespace beyond the cut of its level still shows the way to what is open in it.
        if path in nodes:
            nodes[path].below = levels[path]
    return levels[""]


def level_below(registry: Registry, namespace: str, *, after: str = "") -> Level:
    """One level, from `after` on; one query."""
    level = Level(namespace)
    for row in _slice(registry, namespace, after=after):
        _put(level, row)
    return level


def _slice(registry: Registry, parent: str, *, after: str = "") -> NamespaceQuerySet:
    rows = Namespace.objects.level(registry, parent)
    if after:
        rows = rows.filter(path__gt=after)
    return rows[: LEVEL_SIZE + 1]


def _put(level: Level, row: Namespace, current: str = "") -> None:
    if len(level.nodes) == LEVEL_SIZE:
        level.more_after = level.nodes[-1].namespace.path
        return
    has_children = bool(row.__dict__["has_children"])
    level.nodes.append(Node(row, has_children, is_current=row.path == current))


def _prefixes(namespace: str) -> list[str]:
    parts = namespace.split("/") if namespace else []
    return ["/".join(parts[: end + 1]) for end in range(len(parts))]
