"""Vendors that list repositories by whose they are: namespace, organisation, group, project."""

from abc import abstractmethod
from collections.abc import AsyncIterator

from registries.connectors.base import RepositoryPage
from registries.connectors.standard import StandardConnector

# A test of the connection asks this many owners; a sync asks them all.
_OWNERS_TRIED = 10


class OwnersConnector(StandardConnector):
    """A registry with a listing for each owner, and none of everything."""

    @abstractmethod
    def _listings(self) -> AsyncIterator[AsyncIterator[RepositoryPage]]:
        """Yield a listing for each owner; raises `Unsupported` where nothing says whose to list."""

    async def _try_listing(self) -> str:
        found, tried = False, 0
        async for listing in self._listings():
            found = await anext(listing, None) is not None or found
            tried += 1
            if tried == _OWNERS_TRIED:
                break
        return "The repositories can be listed." if found else "There are no repositories yet."
