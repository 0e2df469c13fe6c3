"""Which tags and manifests repositories have. Coroutines: they ask the registry and return values."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import replace

from registries.oci.errors import NotFound, RegistryError
from registries.sync import clock
from registries.sync.guard import GuardedConnector
from registries.sync.readings import Known, Listing, Problem


async def list_tags(connector: GuardedConnector, paths: Iterable[str]) -> list[Listing]:
    """The tag lists of these repositories, in the same order; what failed says why."""
    return await asyncio.gather(*(_list_tags(connector, path) for path in paths))


async def _list_tags(connector: GuardedConnector, path: str) -> Listing:
    # Before asking: what is pushed meanwhile is newer than this reading.
    at = clock.now()
    try:
        tags = await connector.tags(path)
    except RegistryError as error:
        if isinstance(error, NotFound) and error.is_proof:
            return Listing(path, at, None)
        return Listing(path, at, None, (Problem.of(error, path),))
    problems = (Problem.of(tags.problem, path),) if tags.problem else ()
    # What the connector had listed before is no newer for being handed out now.
    return Listing(path, tags.at or at, tags, problems)


async def describe(
    connector: GuardedConnector,
    listed: Iterable[Listing],
    known: Mapping[str, Known],
    *,
    full: bool,
) -> list[Listing]:
    """The same listings with what their registry says of manifests that we do not know."""
    return await asyncio.gather(
        *(
            _describe(connector, listing, known.get(listing.path, Known()), full)
            for listing in listed
        )
    )


async def _describe(
    connector: GuardedConnector, listing: Listing, known: Known, full: bool
) -> Listing:
    if listing.tags is None or listing.failed:
        return listing
    if listing.tags.manifests.outlines or listing.tags.manifests.complete:
        return replace(listing, manifests=listing.tags.manifests)
    wanted = known.undescribed(listing.tags, full=full)
    if wanted is not None and not wanted:
        return listing
    try:
        manifests = await connector.manifests(listing.path, wanted)
    except RegistryError as error:
        return replace(listing, problems=(*listing.problems, Problem.of(error, listing.path)))
    problem = manifests.problem
    problems = (
        (*listing.problems, Problem.of(problem, listing.path)) if problem else listing.problems
    )
    return replace(listing, manifests=manifests, problems=problems)
