"""One repository, or one tag of it, read now: what a notification or a person's click asks for.

A notification is a hint, the registry is the truth: whatever it said, this asks the registry.
No run is needed and none is disturbed: writers of one registry take turns, and an older reading
never overwrites a newer one.
"""

from __future__ import annotations

from registries.actor import Actor
from registries.connectors.base import RepositoryPage
from registries.connectors.selection import Selection
from registries.models import Registry, Repository, TagMove
from registries.sync.counters import count_bytes
from registries.sync.island import Island
from registries.sync.reader import Reader
from registries.sync.tally import Tally


def refresh_repository(
    registry: Registry,
    path: str,
    *,
    tag: str | None = None,
    source: TagMove.Source,
    actor: Actor,
) -> Tally:
    """Bring one repository (or one tag of it) up to date; returns counts, and problems if any.

    Tags are committed first, then what they refer to. Totals of namespaces and of the registry
    follow with its next sync. What could not be read is never removed; a repository that answers
    404 is only marked, and gone when the next sync finds the same. One that the registry's own
    settings leave out is not read.
    """
    tally = Tally()
    if not _is_wanted(registry, path):
        return tally
    with Island(registry.kind, registry.connection(), [path]) as island:
        reader = Reader(registry, island, tally, source=source, proves_absence=False, actor=actor)
        if tag is None:
            reader.read_repositories([RepositoryPage((path,), listed=False)])
        else:
            reader.read_tag(path, tag)
        repository = Repository.objects.filter(registry=registry, path=path).first()
        if repository is not None and repository.count_due:
            reader.read_details([repository.pk])
            count_bytes(registry, [repository.pk])
    return tally


def _is_wanted(registry: Registry, path: str) -> bool:
    selection = Selection.parse(registry.repository_names)
    return path in selection.names or (
        selection.needs_catalog and bool(selection.of_catalog([path]))
    )
