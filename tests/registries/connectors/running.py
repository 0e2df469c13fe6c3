"""Asking a connector something, in one line, from a synchronous test."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from registries.connectors import Connector, connect
from registries.oci.connection import Connection

T = TypeVar("T")


def use(
    kind: str,
    connection: Connection,
    question: Callable[[Connector], Awaitable[T]],
    *repositories: str,
) -> T:
    """Return what `question` gets out of a connector of this kind."""

    async def run() -> T:
        async with connect(kind, connection, repositories) as connector:
            return await question(connector)

    return asyncio.run(run())


async def paths(connector: Connector) -> list[str]:
    """Return the names of all repositories."""
    return [path async for page in connector.repositories() for path in page.paths]
