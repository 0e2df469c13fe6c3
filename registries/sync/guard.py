"""A connector that stops asking a registry which has stopped answering.

Without it, a registry that dies after half of a run would be asked, with retries, for every single
thing of the other half.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Collection
from typing import TypeVar

from registries.connectors.base import Connector
from registries.oci.client import Head
from registries.oci.configs import ImageConfig
from registries.oci.descriptors import Child
from registries.oci.documents import Manifest
from registries.oci.errors import (
    AddressRefused,
    AuthenticationFailed,
    NotARegistry,
    NotFound,
    RegistryError,
    ServerFailed,
    Throttled,
    TlsFailed,
    Unreachable,
)
from registries.oci.listings import TagListing
from registries.oci.outlines import ManifestListing
from registries.oci.reference import Digest

Value = TypeVar("Value")

# Failures that speak of the registry as a whole, not of one repository.
OF_THE_WHOLE = (AddressRefused, AuthenticationFailed, Throttled, TlsFailed, Unreachable)
# So many of them in a row, or so many repositories in a row whose questions the server failed at
# (one repository may be broken in all its parts), and it is not asked any more.
ENOUGH = 8


def is_final(error: RegistryError) -> bool:
    """Whether asking again is left to a full sync: the registry refuses this one thing for good.

    What ails the connection as a whole, or comes from a proxy, is asked again by the next sync.
    """
    if isinstance(error, NotFound):
        return error.is_proof
    return error.permanent and not isinstance(error, (*OF_THE_WHOLE, NotARegistry))


class GuardedConnector:
    """Passes questions on until the registry as a whole has failed often enough in a row."""

    def __init__(self, connector: Connector) -> None:
        self._connector = connector
        self._failures = 0
        self._failing: set[str] = set()
        self._asking: set[asyncio.Task[object]] = set()
        self.cause: RegistryError | None = None

    @property
    def concurrency(self) -> int:
        return self._connector.concurrency

    async def tags(self, path: str) -> TagListing:
        listing = await self._asked(path, self._connector.tags(path))
        self._judge(path, listing.problem)
        return listing

    async def manifests(
        self, path: str, wanted: Collection[Digest] | None = None
    ) -> ManifestListing:
        listing = await self._asked(path, self._connector.manifests(path, wanted))
        self._judge(path, listing.problem)
        return listing

    async def head(self, path: str, reference: str) -> Head | None:
        return await self._asked(path, self._connector.head(path, reference))

    async def manifest(self, path: str, reference: str) -> Manifest:
        return await self._asked(path, self._connector.manifest(path, reference))

    async def config(self, path: str, digest: str, size: int) -> ImageConfig:
        return await self._asked(path, self._connector.config(path, digest, size))

    async def supports_referrers(self, path: str, digest: str) -> bool:
        return await self._asked(path, self._connector.supports_referrers(path, digest))

    async def referrers(self, path: str, digest: str) -> tuple[Child, ...] | None:
        return await self._asked(path, self._connector.referrers(path, digest))

    async def _asked(self, path: str, question: Awaitable[Value]) -> Value:
        if self.cause is not None:
            _drop(question)
            raise self.cause
        task = asyncio.current_task()
        if task is not None:
            self._asking.add(task)
        try:
            answer = await question
        except RegistryError as error:
            self._judge(path, error)
            raise
        except asyncio.CancelledError:
            self._raise_if_given_up(task)
            raise
        finally:
            if task is not None:
                self._asking.discard(task)
        # A listing says itself how it went: its caller judges it.
        if not isinstance(answer, TagListing | ManifestListing):
            self._judge(path, None)
        return answer

    def _raise_if_given_up(self, task: asyncio.Task[object] | None) -> None:
        if self.cause is not None and task is not None:
            task.uncancel()  # it was ours, and is told as the reason for it
            raise self.cause from None

    def _judge(self, path: str, error: RegistryError | None) -> None:
        if isinstance(error, OF_THE_WHOLE):
            self._failures += 1
        elif isinstance(error, ServerFailed):
            self._failing.add(path)
        else:
            # It answered, if only about this one thing.
            self._failures = 0
            self._failing.clear()
        enough = self._failures >= ENOUGH or len(self._failing) >= ENOUGH
        if enough and error is not None and self.cause is None:
            self.cause = error
            # Those still in line would wait for their own silence, a few at a time.
            for task in self._asking - {asyncio.current_task()}:
                task.cancel()


def _drop(question: Awaitable[object]) -> None:
    """A coroutine that is not awaited must be closed, or Python warns of it."""
    close = getattr(question, "close", None)
    if close is not None:
        close()
