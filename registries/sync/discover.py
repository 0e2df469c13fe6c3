"""Which tags repositories have. Coroutines: they ask the registry and return values."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import UTC, datetime

from registries.oci.errors import NotFound, RegistryError
from registries.sync.guard import GuardedConnector
from registries.sync.readings import Listing, Problem


async def list_tags(connector: GuardedConnector, paths: Iterable[str]) -> list[Listing]:
    """The tag lists of these repositories, in the same order; what failed says why."""
    return await asyncio.gather(*(_list_tags(connector, path) for path in paths))


async def _list_tags(connector: GuardedConnector, path: str) -> Listing:
    # Before asking: what is pushed meanwhile is newer than this reading.
    at = datetime.now(UTC)
    try:
        tags = await connector.tags(path)
    except RegistryError as error:
        if isinstance(error, NotFound) and error.is_proof:
            return Listing(path, at, None)
        return Listing(path, at, None, (Problem.of(error, path),))
    problems = (Problem.of(tags.problem, path),) if tags.problem else ()
    return Listing(path, at, tags, problems)
