"""Reads repositories: the network on one side, the database on the other, batches in between."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from functools import partial
from itertools import islice

from registries.actor import Actor
from registries.connectors.base import RepositoryPage
from registries.models import Registry, TagMove
from registries.oci.errors import RegistryError
from registries.sync import clock
from registries.sync.apply import apply_readings
from registries.sync.details import (
    DEEPEST,
    apply_details,
    ask_again,
    known_subjects,
    left_behind,
    pending_details,
    settle_indexes,
)
from registries.sync.discover import describe, list_tags
from registries.sync.fetch import read_details, read_tags
from registries.sync.guard import GuardedConnector
from registries.sync.island import Island
from registries.sync.known import known_of
from registries.sync.parts import Held, Part, held_of, read_parts
from registries.sync.presence import apply_absences
from registries.sync.readings import (
    DetailReading,
    Known,
    Listing,
    Pending,
    Problem,
    TagReading,
    TagSlice,
)
from registries.sync.slices import gather_slices, slice_tags
from registries.sync.staging import persistently
from registries.sync.tally import Tally

# Repositories whose tag lists are asked for together.
LISTED_TOGETHER = 50
DETAILED_TOGETHER = 400


class Reader:
    """Reads a registry through an open island into the database, keeping a tally."""

    def __init__(
        self,
        registry: Registry,
        island: Island,
        tally: Tally,
        *,
        source: TagMove.Source = TagMove.Source.SYNC,
        full: bool = False,
        proves_absence: bool = True,
        actor: Actor,
    ) -> None:
        persistently(clock.set_by_database)
        self._registry = registry
        self._island = island
        self._connector = GuardedConnector(island.connector)
        self._tally = tally
        self._source = source
        self._full = full
        self._proves_absence = proves_absence
        self._actor = actor
        self._told_why = False

    @property
    def gave_up_for(self) -> RegistryError | None:
        """Why the registry is not asked any more; what was left is for the next run."""
        return self._connector.cause

    def _gives_up(self) -> bool:
        """Whether to stop; why is told once, also when it was learned of what is not written."""
        cause = self.gave_up_for
        if cause is not None and not self._told_why:
            self._told_why = True
            self._tally.note([Problem.of(cause)])
        return cause is not None

    # Tags -------------------------------------------------------------------------------------

    def read_repositories(self, pages: Iterable[RepositoryPage]) -> None:
        """Bring these repositories' tags up to date, in the order in which they come."""
        listings = self._island.pipeline(_cut(pages), self._list, depth=2)
        described = self._island.pipeline(self._known(listings), self._describe, depth=2)
        batches = gather_slices(self._slices(described))
        readings = self._island.pipeline(batches, partial(read_tags, self._connector))
        with closing(readings):
            for batch in readings:
                self._apply(batch)
                if self._gives_up():
                    return

    def read_parts(self, parts: Iterable[Part]) -> None:
        """Bring some tags and manifests of repositories up to date; a tag's own 404 proves that it
        is gone."""
        together = _batched(parts, LISTED_TOGETHER)
        held = ((some, persistently(partial(held_of, self._registry, some))) for some in together)
        with closing(self._island.pipeline(held, self._read_parts)) as readings:
            for batch in readings:
                self._apply([reading for reading in batch if reading.is_worth_applying])
                for reading in batch:
                    self._tally.note(() if reading.is_worth_applying else reading.problems)
                if self._gives_up():
                    return

    async def _read_parts(self, asked: tuple[list[Part], dict[str, Held]]) -> list[TagReading]:
        return await read_parts(self._connector, *asked)

    async def _list(self, page: RepositoryPage) -> tuple[RepositoryPage, list[Listing]]:
        listed = await list_tags(self._connector, page.paths)
        if page.facts:
            listed = [replace(it, repository=page.facts.get(it.path)) for it in listed]
        return page, listed

    def _known(
        self, listings: Iterable[tuple[RepositoryPage, list[Listing]]]
    ) -> Iterator[tuple[RepositoryPage, list[Listing], dict[str, Known]]]:
        for page, listed in listings:
            self._settle_absent(page, [listing for listing in listed if listing.absent])
            # That it exists is known only of a repository which the catalog names.
            failed = [it for it in listed if it.failed and not (page.listed and it.tags)]
            self._tally.note(problem for listing in failed for problem in listing.problems)
            self._tally.count(repositories_done=len(failed))
            there = [it for it in listed if it.tags and it not in failed]
            yield page, there, persistently(partial(known_of, self._registry, there))

    async def _describe(
        self, asked: tuple[RepositoryPage, list[Listing], dict[str, Known]]
    ) -> tuple[list[Listing], dict[str, Known]]:
        _, listed, known = asked
        return await describe(self._connector, listed, known, full=self._full), known

    def _slices(
        self, described: Iterable[tuple[list[Listing], dict[str, Known]]]
    ) -> Iterator[TagSlice]:
        for listed, known in described:
            for listing in listed:
                yield from slice_tags(
                    listing, known.get(listing.path, Known()), full=self._reads_documents_anew
                )

    @property
    def _reads_documents_anew(self) -> bool:
        """A full reading takes nothing for granted, unless reading is rationed."""
        return self._full and not self._island.connector.pulls_are_rationed

    def _settle_absent(self, page: RepositoryPage, absent: Sequence[Listing]) -> None:
        if not absent:
            return
        listed = set(page.paths) if page.listed else set()
        settle = partial(
            apply_absences,
            self._registry,
            absent,
            listed=listed,
            is_proof=self._proves_absence,
            actor=self._actor,
        )
        self._tally.count(repositories_done=len(absent), removed=persistently(settle))

    def _apply(self, readings: Sequence[TagReading]) -> None:
        apply = partial(
            apply_readings,
            self._registry,
            readings,
            source=self._source,
            actor=self._actor,
        )
        applied = persistently(apply)
        for reading in readings:
            self._tally.note(reading.problems)
        self._tally.count(
            added=applied.added,
            moved=applied.moved,
            removed=applied.removed,
            tags_seen=sum(len(reading.tags) for reading in readings),
            manifests_fetched=sum(len(reading.manifests) for reading in readings),
            repositories_done=sum(reading.slice.is_last for reading in readings),
        )

    # Details ----------------------------------------------------------------------------------

    def read_details(self, repositories: Sequence[int] | None = None) -> None:
        """Read what pending artifacts refer to: children and configs, of all or these (by id)."""
        if self._full:
            persistently(partial(ask_again, self._registry, repositories))
            self._read_attached(repositories)
        indexes: set[int] = set()
        unsettled: set[int] = set()
        for _level in range(DEEPEST):
            end = self._read_all_pending(repositories, indexes, unsettled)
            if self._gives_up():
                return
            # Platforms that a listing had named before their index have lower ids than it has.
            passed = partial(
                left_behind, self._registry, before=end, but=indexes | unsettled, among=repositories
            )
            if not persistently(passed):
                break
        settle_indexes(self._registry, sorted(indexes - unsettled))

    def _read_all_pending(
        self, repositories: Sequence[int] | None, indexes: set[int], unsettled: set[int]
    ) -> int:
        """One walk over what is pending, by id; returns where it ended."""
        position = 0
        while True:
            last = position
            readings = self._island.pipeline(
                self._walk(pending_details, position, repositories), self._read_pending
            )
            with closing(readings):
                for asked, reading in readings:
                    self._apply_details(asked, reading)
                    indexes.update(pending.artifact_id for pending in asked if pending.is_index)
                    unsettled |= reading.unsettled
                    last = asked[-1].artifact_id
                    if self._gives_up():
                        return last
            if last == position:
                return position
            # The children that this round brought have higher ids, and are the next one's work.
            position = last

    def _read_attached(self, repositories: Sequence[int] | None) -> None:
        """What was attached to known artifacts since, if the registry has an API to tell."""
        if not self._tells_referrers(repositories):
            return
        known = self._walk(known_subjects, 0, repositories)
        with closing(self._island.pipeline(known, self._read_pending)) as readings:
            for asked, reading in readings:
                self._apply_details(asked, reading)
                if self._gives_up():
                    return

    def _tells_referrers(self, repositories: Sequence[int] | None) -> bool:
        some = partial(known_subjects, self._registry, after=0, limit=1, repositories=repositories)
        try:
            return any(
                self._island.wait(self._connector.supports_referrers(it.path, it.digest))
                for it in persistently(some)
            )
        except RegistryError:
            return False  # a full sync that can ask will find what this one did not

    def _walk(
        self,
        chunk_after: Callable[..., list[Pending]],
        position: int,
        repositories: Sequence[int] | None,
    ) -> Iterator[list[Pending]]:
        while chunk := persistently(
            partial(
                chunk_after,
                self._registry,
                after=position,
                limit=DETAILED_TOGETHER,
                repositories=repositories,
            )
        ):
            self._tally.count(details_found=len(chunk))
            yield chunk
            position = chunk[-1].artifact_id

    async def _read_pending(self, asked: list[Pending]) -> tuple[list[Pending], DetailReading]:
        return asked, await read_details(self._connector, asked)

    def _apply_details(self, asked: list[Pending], reading: DetailReading) -> None:
        persistently(partial(apply_details, self._registry, asked, reading))
        self._tally.note(reading.problems)
        self._tally.count(manifests_fetched=len(reading.manifests), details_done=len(asked))


def _batched(parts: Iterable[Part], size: int) -> Iterator[list[Part]]:
    rest = iter(parts)
    while some := list(islice(rest, size)):
        yield some


def _cut(pages: Iterable[RepositoryPage]) -> Iterator[RepositoryPage]:
    for page in pages:
        for start in range(0, len(page.paths), LISTED_TOGETHER):
            yield replace(page, paths=page.paths[start : start + LISTED_TOGETHER])
