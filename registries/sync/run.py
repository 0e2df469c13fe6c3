"""One run of a registry's sync, from its claim to its result.

In one process, or fanned out: a big registry's repositories are then shared out in batches, rows
that Celery workers on any number of machines claim. Either way the same reader does the reading.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial

from registries.actor import SYSTEM
from registries.connectors.base import RepositoryPage
from registries.models import Registry, Repository, SyncBatch, SyncRun
from registries.oci.errors import RegistryError
from registries.sync import shares
from registries.sync.claims import AlreadyRunning, cancel_run, request_run, start
from registries.sync.counters import count_bytes, repositories_due
from registries.sync.ending import ending, finish
from registries.sync.island import Island
from registries.sync.presence import unbelievably_missing
from registries.sync.progress import Progress
from registries.sync.reader import Reader
from registries.sync.readings import Problem
from registries.sync.staging import persistently

__all__ = ["AlreadyRunning", "cancel_run", "execute_run", "request_run", "work_on_batch"]

State = SyncRun.State
Phase = SyncRun.Phase

# Repositories whose bytes are counted in one statement.
COUNTED_TOGETHER = 200


def execute_run(
    run: SyncRun, *, fan_out: bool = False, told: Callable[[SyncRun], None] | None = None
) -> list[SyncBatch]:
    """Carry out a waiting run; returns the batches to be worked on where it was fanned out, else
    the run is over when this returns. Nothing happens if another process claimed it first.

    `told` hears of the run's progress about once a second.
    """
    if not persistently(partial(start, run)):
        return []
    progress = Progress(run, told=told)
    with ending(run, progress), _island(run, progress) as island:
        reader = _reader(run, island, progress, proves_absence=not _too_many_are_missing(run))
        pages: Iterable[RepositoryPage] = _pages(run, island, progress)
        # A budget of requests is kept by one worker, which then is as fast as all of them.
        if fan_out and not island.connector.has_budget:
            pages = list(pages)
            if sum(len(page.paths) for page in pages) >= shares.FAN_OUT_FROM:
                progress.enter(Phase.TAGS)
                return persistently(partial(shares.share_out, run, pages))
        progress.enter(Phase.TAGS)
        reader.read_repositories(pages)
        if not reader.gave_up_for:
            progress.enter(Phase.DETAILS)
            reader.read_details()
        progress.enter(Phase.FINISH)
        count(run.registry, progress)
        _tell_of_missing(run, progress)
        progress.flush()
        finish(run, given_up=reader.gave_up_for is not None)
    return []


@contextmanager
def _island(run: SyncRun, progress: Progress) -> Iterator[Island]:
    registry = run.registry
    connection = persistently(registry.connection)
    names = registry.repository_names
    with Island(registry.kind, connection, names, on_tick=progress.tick) as island:
        progress.stats = island.connector.stats
        yield island


def _tell_of_missing(run: SyncRun, progress: Progress) -> None:
    """Say at the run's end that most of the registry is not there, and was not removed for it."""
    if missing := _too_many_are_missing(run):
        message = f"{missing} repositories, more than half of all, answer that they are not there."
        advice = (
            "Look whether the registry has its storage. Nothing of them was removed here; if they"
            f" are gone for good, say so with a full sync (manage.py sync {run.registry.name} --full)."
        )
        progress.note([Problem("", "", "mostly-missing", message, advice)])


def _too_many_are_missing(run: SyncRun) -> int:
    """As many as cannot be believed, unless a full sync was asked for."""
    return 0 if run.full else persistently(partial(unbelievably_missing, run.registry))


def _reader(run: SyncRun, island: Island, progress: Progress, *, proves_absence: bool) -> Reader:
    return Reader(
        run.registry,
        island,
        progress,
        full=run.full,
        proves_absence=proves_absence,
        actor=SYSTEM,
    )


# What to read --------------------------------------------------------------------------------


def _pages(run: SyncRun, island: Island, progress: Progress) -> Iterator[RepositoryPage]:
    """The registry's repositories a page at a time, then those of ours that it did not list.

    A catalog that breaks off proves what it named, and nothing about the rest: that is asked for
    by name, too.
    """
    seen: set[str] = set()
    found = 0
    try:
        for page in island.stream(island.connector.repositories()):
            paths = tuple(dict.fromkeys(path for path in page.paths if path not in seen))
            seen.update(paths)
            found += len(paths)
            _write_down(run, repositories_found=found)
            yield RepositoryPage(paths, listed=page.listed, facts=page.facts)
    except RegistryError as error:
        if not seen and not _unlisted(run.registry, seen):
            raise
        progress.note([Problem.of(error)])
    else:
        _write_down(run, catalog_complete=True)
    if unlisted := _unlisted(run.registry, seen):
        _write_down(run, repositories_found=found + len(unlisted))
        yield RepositoryPage(tuple(unlisted), listed=False)


def _write_down(run: SyncRun, **facts: int | bool) -> None:
    persistently(partial(SyncRun.objects.filter(pk=run.pk).update, **facts))


def _unlisted(registry: Registry, seen: set[str]) -> list[str]:
    ours = Repository.objects.present().filter(registry=registry).values_list("path", flat=True)

    def ask() -> list[str]:
        return [path for path in ours.iterator() if path not in seen]

    return persistently(ask)


# Shared out ----------------------------------------------------------------------------------


def work_on_batch(batch_id: int) -> SyncBatch | None:
    """Work on a share of a run, if nobody else does; returns the batch that follows from it.

    The last one to be done ends the run.
    """
    batch = persistently(partial(shares.claim, batch_id))
    if batch is None:
        return None
    run = batch.run
    following = None
    progress = Progress(run, batch=batch)
    with ending(run, progress), _island(run, progress) as island:
        # Tried again, it may already have counted a repository as missing in this very run.
        proves = batch.attempts == 1 and not _too_many_are_missing(run)
        reader = _reader(run, island, progress, proves_absence=proves)
        if batch.phase == Phase.TAGS:
            reader.read_repositories([shares.page_of(batch)])
        else:
            ids = Repository.objects.filter(registry=run.registry, path__in=batch.repositories)
            reader.read_details(persistently(partial(list, ids.values_list("pk", flat=True))))
        progress.flush()
        following = persistently(
            partial(shares.hand_in, batch, given_up=reader.gave_up_for is not None)
        )
    if following is None:
        finish_if_last(run)
    return following


def finish_if_last(run: SyncRun) -> None:
    """End a fanned-out run whose batches are all handed in; of several workers, one does it."""
    if persistently(partial(shares.is_last, run)):
        progress = Progress(run)
        with ending(run, progress):
            count(run.registry, progress)
            _tell_of_missing(run, progress)
            progress.flush()
            finish(run, given_up=False)


def count(registry: Registry, progress: Progress) -> None:
    """Count the bytes of the repositories that changed, also those an earlier run left."""
    while due := persistently(partial(repositories_due, registry, limit=COUNTED_TOGETHER)):
        persistently(partial(count_bytes, registry, due))
        progress.tick()
