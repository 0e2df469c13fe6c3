"""Reads repositories: the network on one side, the database on the other, batches in between."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from functools import partial
from itertools import islice

from registries.actor import Actor
from registries.connectors.base import RepositoryPage
from registries.models import Registry, TagMove
from registries.oci.errors import RegistryError
from registries.oci.reference import Digest
from registries.sync.apply import apply_readings
from registries.sync.details import (
    apply_details,
    ask_again,
    known_subjects,
    pending_details,
    settle_indexes,
)
from registries.sync.discover import list_tags
from registries.sync.fetch import read_details, read_tags
from registries.sync.guard import GuardedConnector
from registries.sync.island import Island
from registries.sync.parts import Held, Part, held_of, read_parts
from registries.sync.plan import plan_reading
from registries.sync.presence import apply_absences
from registries.sync.readings import (
    DetailReading,
    Listing,
    Pending,
    Problem,
    TagReading,
    TagSlice,
)
from registries.sync.staging import fetch, persistently
from registries.sync.tally import Tally

# Repositories whose tag lists are asked for together.
LISTED_TOGETHER = 50
# Tags of one repository in a slice, and requests of the slices that are read together. Small
# enough that a few batches in flight weigh little, large enough that a commit costs little each.
TAGS_IN_SLICE = 400
READ_TOGETHER = 400
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
        batches = gather_slices(self._slices(listings))
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
        return page, await list_tags(self._connector, page.paths)

    def _slices(
        self, listings: Iterable[tuple[RepositoryPage, list[Listing]]]
    ) -> Iterator[TagSlice]:
        for page, listed in listings:
            self._settle_absent(page, [listing for listing in listed if listing.absent])
            # That it exists is known only of a repository which the catalog names.
            failed = [it for it in listed if it.failed and not (page.listed and it.tags)]
            self._tally.note(problem for listing in failed for problem in listing.problems)
            self._tally.count(repositories_done=len(failed))
            known = [it for it in listed if it.tags and it not in failed]
            paths = [listing.path for listing in known]
            ours = persistently(partial(our_tags, self._registry, paths))
            for listing in known:
                if listing.tags:
                    yield from slice_tags(listing, ours.get(listing.path, {}), full=self._full)

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
        position = 0
        indexes: set[int] = set()
        unsettled: set[int] = set()
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
                        return
            if last == position:
                break
            # The children that this round brought have higher ids, and are the next one's work.
            position = last
        settle_indexes(self._registry, sorted(indexes - unsettled))

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


def our_tags(registry: Registry, paths: Sequence[str]) -> dict[str, dict[str, Digest]]:
    """By path and tag name: the digests that we hold."""
    tags: dict[str, dict[str, Digest]] = {}
    for path, name, digest in fetch(
        """
        SELECT repository.path, tag.name, manifest.digest
          FROM registries_repository repository
          JOIN registries_tag tag ON tag.repository_id = repository.id
          JOIN registries_artifact artifact ON artifact.id = tag.artifact_id
          JOIN registries_manifest manifest ON manifest.id = artifact.manifest_id
         WHERE repository.registry_id = %(registry)s AND repository.path = ANY(%(paths)s)
        """,
        {"registry": registry.pk, "paths": list(paths)},
    ):
        tags.setdefault(path, {})[name] = digest
    return tags


def slice_tags(
    listing: Listing, ours: Mapping[str, Digest], *, full: bool = False
) -> Iterator[TagSlice]:
    """A listed repository's tags as slices of bounded size, at least one; the last one says so."""
    assert listing.tags is not None  # noqa: S101  the caller has looked; for the type checker
    plan = plan_reading(ours, listing.tags, full=full)
    size = TAGS_IN_SLICE
    told = list(plan.told.items())
    parts = (plan.ask, plan.read, told, plan.removed, [None])
    count = max(-(-len(part) // size) for part in parts)
    for number in range(count):
        here = slice(number * size, (number + 1) * size)
        is_last = number == count - 1
        yield TagSlice(
            path=listing.path,
            at=listing.at,
            ours=ours,
            ask=plan.ask[here],
            read=plan.read[here],
            told=dict(told[here]),
            removed=plan.removed[here],
            is_last=is_last,
            is_complete=listing.tags.complete,
            problems=listing.problems if is_last else (),
        )


def gather_slices(slices: Iterable[TagSlice]) -> Iterator[list[TagSlice]]:
    """Slices in batches of about as many requests as are read together."""
    batch: list[TagSlice] = []
    requests = 0
    for part in slices:
        batch.append(part)
        requests += part.requests
        if requests >= READ_TOGETHER:
            yield batch
            batch, requests = [], 0
    if batch:
        yield batch


def _batched(parts: Iterable[Part], size: int) -> Iterator[list[Part]]:
    rest = iter(parts)
    while some := list(islice(rest, size)):
        yield some


def _cut(pages: Iterable[RepositoryPage]) -> Iterator[RepositoryPage]:
    for page in pages:
        for start in range(0, len(page.paths), LISTED_TOGETHER):
            yield RepositoryPage(page.paths[start : start + LISTED_TOGETHER], listed=page.listed)
