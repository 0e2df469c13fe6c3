"""What every registry answers: the OCI Distribution API. Vendors add to it what they do better."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import replace
from types import TracebackType
from typing import Self

from registries.connectors.abilities import Power
from registries.connectors.base import CheckStep, Connector, RepositoryPage
from registries.connectors.check import Reachability, run_steps
from registries.connectors.powers import powers_of
from registries.connectors.selection import Selection
from registries.oci import untrusted
from registries.oci.auth import Authenticator
from registries.oci.client import Head, Ping, RegistryClient
from registries.oci.configs import ImageConfig, parse_image_config
from registries.oci.connection import Connection
from registries.oci.descriptors import Child
from registries.oci.documents import Manifest
from registries.oci.errors import NotFound, RegistryError, ResponseTooLarge, Unsupported
from registries.oci.listings import TagListing
from registries.oci.reference import parse_digest
from registries.oci.transport import Stats, Transport

_GIVE_NAMES = "Give the repositories to watch by name; only the catalog cannot be used."


class StandardConnector(Connector):
    """A registry asked by nothing but the OCI Distribution API.

    `repositories` are exact names and patterns such as `team-a/*`. Exact names need no catalog,
    which hosted registries often refuse; patterns choose from the catalog.
    """

    def __init__(self, connection: Connection, repositories: Sequence[str] = ()) -> None:
        self._connection = self.prepared(connection)
        self._transport = Transport(self._connection, sign_in=self._sign_in)
        self._client = RegistryClient(self._connection, self._transport)
        self._selection = Selection.parse(repositories)

    @classmethod
    def prepared(cls, connection: Connection) -> Connection:
        """Return the connection with the vendor's own budget, where none was set."""
        budget = connection.vendor_budget or cls.requests_per_minute
        if connection.requests_per_minute is not None or budget is None:
            return connection
        return replace(connection, requests_per_minute=budget)

    def _sign_in(self, transport: Transport) -> Authenticator:
        """Return how to sign in to the registry; kinds with a way of their own override it."""
        return Authenticator(transport.connection, transport.fetch_token)

    def _sessions(self) -> tuple[AbstractAsyncContextManager[object], ...]:
        """Return what is opened with the connector, in this order, and closed in the other."""
        return (self._client,)

    async def __aenter__(self) -> Self:
        self._opened = AsyncExitStack()
        for session in self._sessions():
            await self._opened.enter_async_context(session)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._opened.aclose()

    @property
    def stats(self) -> Stats:
        """What talking to the registry took so far."""
        return self._client.stats

    @property
    def concurrency(self) -> int:
        """How many requests the registry takes at a time now."""
        return self._client.concurrency

    @property
    def has_budget(self) -> bool:
        """Whether the owner or the vendor sets a budget of requests a minute."""
        return self._connection.requests_per_minute is not None

    async def check(self) -> list[CheckStep]:
        """Test the connection; a catalog that cannot be used is a warning, not a failure."""
        steps = Reachability(self._connection).steps()
        steps += [("api", self._check_api), ("sign-in", self._check_sign_in)]
        steps.append(("catalog", self._check_catalog))
        return await run_steps(steps, optional=("catalog",))

    async def _check_api(self) -> str:
        ping = await self._client.probe()
        return f"A registry answers{_described(ping)}."

    async def _check_sign_in(self) -> str:
        ping = await self._client.ping()
        has_credentials = self._connection.credentials is not None
        if ping.auth == "anonymous":
            return "The registry asks for no sign-in." + (
                " The user name and password are not used." if has_credentials else ""
            )
        return "Signed in." if has_credentials else "The registry lets anonymous visitors in."

    async def _check_catalog(self) -> str:
        if not self._selection.needs_catalog:
            return "Not needed: the repositories are given by name."
        return await self._try_listing()

    async def _try_listing(self) -> str:
        """Try whether repositories can be listed, and return what was found, a sentence."""
        try:
            async for page in self._catalog(page_size=10):
                return "The catalog can be read." if page else "The catalog is readable, and empty."
        except RegistryError as error:
            raise Unsupported(f"No catalog can be read: {error}", advice=_GIVE_NAMES) from error
        return "The catalog is readable, and empty."

    def _catalog(self, page_size: int = 1000) -> AsyncIterator[tuple[str, ...]]:
        """Yield the names of all repositories; kinds with a catalog of their own override it."""
        return self._client.catalog(page_size)

    async def repositories(self) -> AsyncIterator[RepositoryPage]:
        """Yield exact names first, then what is listed and the patterns want.

        Where one of several listings fails, the others are yielded before that is raised.
        """
        if self._selection.names:
            yield RepositoryPage(self._selection.names, listed=False)
        if not self._selection.needs_catalog:
            return
        problem: RegistryError | None = None
        async for listing in self._listings():
            try:
                async for page in listing:
                    yield page
            except RegistryError as error:
                problem = problem or error
        if problem is not None:
            raise problem

    async def _listings(self) -> AsyncIterator[AsyncIterator[RepositoryPage]]:
        """Yield the listings that hold all repositories: the catalog, or what a kind has for it."""
        yield self._cataloged()

    async def _cataloged(self) -> AsyncIterator[RepositoryPage]:
        try:
            async for page in self._catalog():
                yield RepositoryPage(self._selection.of_catalog(page))
        except NotFound as error:
            raise Unsupported(str(error), advice=_GIVE_NAMES) from error

    async def tags(self, path: str) -> TagListing:
        """Return the tags of a repository, without digests: the standard lists names only."""
        return await self._client.tags(path)

    async def head(self, path: str, reference: str) -> Head | None:
        """Return what a tag or digest points at now, None if it does not exist."""
        return await self._client.head_manifest(path, reference)

    async def manifest(self, path: str, reference: str) -> Manifest:
        """Return a manifest by tag or digest, its bytes verified."""
        return await self._client.get_manifest(path, reference)

    async def config(self, path: str, digest: str, size: int) -> ImageConfig:
        """Return an image config; one that says it is larger than allowed is not even asked for."""
        limit = self._connection.limits.config_bytes
        if size > limit:
            raise ResponseTooLarge(f"The config has {size:,} bytes; at most {limit:,} are read.")
        return parse_image_config(await self._client.get_blob(path, digest, limit))

    async def supports_referrers(self, path: str, digest: str) -> bool:
        """Say whether the registry has the referrers API; asked at most once of a registry."""
        return await self._client.supports_referrers(path, digest)

    async def powers(self) -> tuple[Power, ...]:
        """Return what the credential may do, as far as asking for it without doing it tells."""
        return await powers_of(self, self._client)

    async def delete_manifest(self, path: str, digest: str) -> None:
        """Delete a manifest with every tag on it; raises `Unsupported` where deletes are off."""
        await self._client.delete_manifest(path, parse_digest(digest))

    async def referrers(self, path: str, digest: str) -> tuple[Child, ...] | None:
        """Return what refers to a manifest, None when the registry cannot tell."""
        return await self._client.referrers(path, digest)


def _described(ping: Ping) -> str:
    parts = [part for part in map(untrusted.text, (ping.api_version, ping.server)) if part]
    return f" ({', '.join(part[:80] for part in parts)})" if parts else ""
