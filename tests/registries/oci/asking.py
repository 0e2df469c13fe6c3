"""Asking a fake registry something, in one line, from a synchronous test."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any, TypeVar

from registries.oci.client import RegistryClient
from registries.oci.connection import Connection, Limits
from tests.fakes.registry import FakeRegistry

T = TypeVar("T")

# Small bodies and no waiting between attempts; patient, because the machine may be busy.
QUICK = Limits(
    manifest_bytes=256 * 1024,
    listing_bytes=512 * 1024,
    connect_seconds=10.0,
    stall_seconds=20.0,
    total_seconds=20.0,
    attempts=4,
    backoff_seconds=0.001,
    patience_seconds=2.0,
    pages=50,
)
IMPATIENT = replace(QUICK, stall_seconds=0.3, total_seconds=0.3, attempts=1)


def connection(fake: FakeRegistry, **more: Any) -> Connection:
    """Return a connection to the fake; `more` are further fields."""
    return Connection(**{"url": fake.url, "allow_private": True, "limits": QUICK, **more})


def ask(fake: FakeRegistry, question: Callable[[RegistryClient], Awaitable[T]], **more: Any) -> T:
    """Return what `question` gets out of a client of the fake registry."""

    async def run() -> T:
        async with RegistryClient(connection(fake, **more)) as client:
            return await question(client)

    return asyncio.run(run())


async def catalog(client: RegistryClient, **how: Any) -> list[str]:
    """Return all names of the catalog."""
    return [name async for page in client.catalog(**how) for name in page]
