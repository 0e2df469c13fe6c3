"""Repositories, or some of their tags and manifests, read now: what a notification or a person's
click asks for.

A notification is a hint, the registry is the truth: whatever it said, this asks the registry.
No run is needed and none is disturbed: writers of one registry take turns, and an older reading
never overwrites a newer one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from registries.actor import Actor
from registries.connectors.base import RepositoryPage
from registries.connectors.selection import Selection
from registries.models import Registry, Repository, TagMove
from registries.sync.counters import count_bytes
from registries.sync.island import Island
from registries.sync.parts import Part
from registries.sync.reader import Reader
from registries.sync.tally import Tally


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be read on account of one actor: whole repositories, and parts of others."""

    actor: Actor
    whole: tuple[str, ...] = ()
    parts: tuple[Part, ...] = ()

    @property
    def paths(self) -> set[str]:
        return {*self.whole, *(part.path for part in self.parts)}


def refresh_repository(
    registry: Registry,
    path: str,
    *,
    tag: str | None = None,
    source: TagMove.Source,
    actor: Actor,
) -> Tally:
    """Bring one repository (or one tag of it) up to date, as `refresh` does."""
    parts = () if tag is None else (Part(path, tags=frozenset({tag})),)
    wanted = Wanted(actor, whole=(path,) if tag is None else (), parts=parts)
    return refresh(registry, [wanted], source=source)


def refresh(registry: Registry, wanted: Sequence[Wanted], *, source: TagMove.Source) -> Tally:
    """Bring all of it up to date; returns counts, and problems if any.

    Tags are committed first, then what they refer to. Totals of namespaces and of the registry
    follow with its next sync. What could not be read is never removed; a repository that answers
    404 is only marked, and gone when the next sync finds the same. One that the registry's own
    settings leave out is not read.
    """
    tally = Tally()
    paths = {path for each in wanted for path in each.paths}
    let_in = paths - left_out(registry, paths)
    if not let_in:
        return tally
    with Island(registry.kind, registry.connection(), sorted(let_in)) as island:
        for each in wanted:
            reader = Reader(
                registry, island, tally, source=source, proves_absence=False, actor=each.actor
            )
            if whole := tuple(path for path in each.whole if path in let_in):
                reader.read_repositories([RepositoryPage(whole, listed=False)])
            reader.read_parts(part for part in each.parts if part.path in let_in)
        found = Repository.objects.filter(registry=registry, path__in=let_in, count_due=True)
        if due := list(found.values_list("pk", flat=True)):
            reader.read_details(due)
            count_bytes(registry, due)
    return tally


def left_out(registry: Registry, paths: Iterable[str]) -> set[str]:
    """Those of the paths that the registry's own settings leave out."""
    selection = Selection.parse(registry.repository_names)
    wanted = set(selection.names)
    if selection.needs_catalog:
        wanted.update(selection.of_catalog(paths))
    return set(paths) - wanted
