"""The namespaces of a registry as a tree: the levels on the way to one, each with its neighbours.

Who sees a part of the registry gets the namespaces that lead to that part. At and below a granted
pattern they are as stored; above it their counts are added up from what is seen, in memory.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from django.db.models import Exists, OuterRef
from django.utils.functional import cached_property

from access.sight import Sight, parts_of
from registries.models import Namespace, Registry, Repository
from registries.models.registry import NamespaceQuerySet

# A level longer than this goes on at its own address.
LEVEL_SIZE = 50


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


class Tree:
    """The tree of a registry as far as it is seen; a constant number of queries, however deep and
    however many the grants."""

    def __init__(self, registry: Registry, sight: Sight, level_size: int = 0) -> None:
        """Levels are as long as on screen unless a `level_size` is given."""
        self._registry = registry
        self._sight = sight
        self._size = level_size or LEVEL_SIZE

    @cached_property
    def _above(self) -> dict[str, Namespace]:
        """What leads to the parts that are seen; asked only where not all is seen."""
        return _added_up(self._registry, self._sight)

    def levels_to(self, namespace: str) -> Level:
        """The top level, opened along the way to `namespace` and at it."""
        opened = ["", *prefixes(namespace)]
        levels = {parent: Level(parent) for parent in opened}
        nodes: dict[str, Node] = {}
        for row in sorted(self._rows(opened), key=lambda row: row.path):
            self._put(levels[row.parent], row, current=namespace)
        for level in levels.values():
            nodes.update({node.namespace.path: node for node in level.nodes})
        for path in opened[1:]:
            # A namespace beyond the cut of its level still shows the way to what is open in it.
            if path in nodes:
                nodes[path].below = levels[path]
        return levels[""]

    def level_below(self, namespace: str, *, after: str = "") -> Level:
        """One level, from `after` on."""
        level = Level(namespace)
        for row in self._rows([namespace], after=after):
            self._put(level, row)
        return level

    def largest_below(self, namespace: str, limit: int) -> list[Namespace]:
        """The namespaces directly below this one in which the most bytes are seen, largest first."""
        if self._sight.covers(namespace):
            stored = Namespace.objects.level(self._registry, namespace)
            return list(stored.order_by("-logical_bytes", "path")[:limit])
        below = [one for one in self._above.values() if one.parent == namespace]
        return sorted(below, key=lambda one: (-one.logical_bytes, one.path))[:limit]

    def place(self, namespace: str) -> Namespace | None:
        """The namespace with the counts of what is seen in it; None if nothing is, and for the top."""
        if not namespace:
            return None
        if self._sight.covers(namespace):
            return self._registry.namespaces.filter(path=namespace).first()
        return self._above.get(namespace)

    def _rows(self, parents: list[str], *, after: str = "") -> list[Namespace]:
        """What lies directly below these, each level cut just after its size."""
        rows: list[Namespace] = []
        stored = [parent for parent in parents if self._sight.covers(parent)]
        for parent in parents:
            if parent not in stored:
                ways = sorted(self._above.items())
                below = [one for path, one in ways if one.parent == parent and path > after]
                rows += below[: self._size + 1]
        if stored:
            first, *others = (self._slice(parent, after) for parent in stored)
            rows += first.union(*others, all=True) if others else first
        return rows

    def _slice(self, parent: str, after: str) -> NamespaceQuerySet:
        rows = Namespace.objects.level(self._registry, parent)
        return (rows.filter(path__gt=after) if after else rows)[: self._size + 1]

    def _put(self, level: Level, row: Namespace, current: str = "") -> None:
        if len(level.nodes) == self._size:
            level.more_after = level.nodes[-1].namespace.path
            return
        has_children = bool(row.__dict__["has_children"])
        level.nodes.append(Node(row, has_children, is_current=row.path == current))


def prefixes(namespace: str) -> list[str]:
    """`a/b/c` as `a`, `a/b`, `a/b/c`; nothing for the top."""
    parts = namespace.split("/") if namespace else []
    return ["/".join(parts[: end + 1]) for end in range(len(parts))]


def _added_up(registry: Registry, sight: Sight) -> dict[str, Namespace]:
    """Path -> namespace with the sums of what is seen below it, for all on the way to a part."""
    ways: dict[str, Namespace] = {}
    mine = [(registry.pk, sight)]
    below = Namespace.objects.filter(registry=registry, parent=OuterRef("path"))
    granted = Namespace.objects.filter(parts_of(mine, of_namespaces=True))
    for row in granted.annotate(has_children=Exists(below)):
        for path in prefixes(row.parent):
            _add(ways, registry, path, row, row.repository_count, has_children=True)
        has_children = bool(row.__dict__["has_children"])
        _add(ways, registry, row.path, row, row.repository_count, has_children=has_children)
    singles = Repository.objects.present().filter(parts_of(mine, of_namespaces=False))
    for one in singles.only("namespace", "tag_count", "logical_bytes"):
        for path in prefixes(one.namespace):
            _add(ways, registry, path, one, 1, has_children=path != one.namespace)
    return ways


def _add(
    ways: dict[str, Namespace],
    registry: Registry,
    path: str,
    part: Namespace | Repository,
    repositories: int,
    *,
    has_children: bool,
) -> None:
    """Count a part in for one namespace on the way to it."""
    if path not in ways:
        ways[path] = Namespace(registry=registry, path=path, parent=path.rpartition("/")[0])
        ways[path].__dict__["has_children"] = False
    here = ways[path]
    here.repository_count += repositories
    here.tag_count += part.tag_count
    here.logical_bytes += part.logical_bytes
    here.__dict__["has_children"] |= has_children
