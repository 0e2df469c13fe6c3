"""Where coroutines live: one thread with an event loop and an open connector.

Network code is async and knows no database; ORM code is sync. They meet here: the caller hands
over coroutines and takes values, several batches ahead, so that the registry is never idle while
rows are being written.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import threading
from collections import deque
from collections.abc import AsyncIterator, Callable, Coroutine, Generator, Iterable, Iterator
from contextlib import suppress
from types import TracebackType
from typing import Self, TypeVar

from registries.connectors import connect
from registries.connectors.base import Connector
from registries.oci.connection import Connection

Item = TypeVar("Item")
Value = TypeVar("Value")

# How often a wait for the registry is interrupted, in seconds, to say that we live.
TICK = 1.0


class Island:
    """An open connector in a thread of its own; a context manager.

    `on_tick` is called at least every second while waiting for the registry; what it raises ends
    the wait, which is how a run is cancelled.
    """

    def __init__(
        self,
        kind: str,
        connection: Connection,
        names: Iterable[str] = (),
        *,
        on_tick: Callable[[], None] = lambda: None,
    ) -> None:
        self._context = connect(kind, connection, tuple(names))
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="island", daemon=True)
        self._on_tick = on_tick
        self.connector: Connector

    def __enter__(self) -> Self:
        self._thread.start()
        self.connector = self.wait(self._context.__aenter__())
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            self._submit(self._leave()).result(timeout=10)
        finally:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(timeout=10)
            self._loop.close()

    async def _leave(self) -> None:
        """End what is still under way (a cancelled run leaves requests behind), then disconnect."""
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._context.__aexit__(None, None, None)

    def wait(self, work: Coroutine[object, object, Value]) -> Value:
        """The value of a coroutine; raises what it raises."""
        return self._result(self._submit(work))

    def stream(self, pages: AsyncIterator[Value]) -> Iterator[Value]:
        """An async iterator's values, the next one always under way while the last is used."""
        ahead = self._submit(_next(pages))
        while (value := self._result(ahead)) is not _END:
            ahead = self._submit(_next(pages))
            yield value  # type: ignore[misc]  # not the end marker, as the loop has just checked

    def pipeline(
        self,
        items: Iterable[Item],
        work: Callable[[Item], Coroutine[object, object, Value]],
        *,
        depth: int = 3,
    ) -> Generator[Value]:
        """Each item's value, in order, with up to `depth` of them under way at a time."""
        under_way: deque[concurrent.futures.Future[Value]] = deque()
        for item in items:
            under_way.append(self._submit(work(item)))
            if len(under_way) >= depth:
                yield self._result(under_way.popleft())
        while under_way:
            yield self._result(under_way.popleft())

    def _submit(self, work: Coroutine[object, object, Value]) -> concurrent.futures.Future[Value]:
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def _result(self, future: concurrent.futures.Future[Value]) -> Value:
        while True:
            with suppress(TimeoutError):
                future.result(timeout=TICK)
            self._on_tick()
            # Asked apart from the wait: what comes as the wait ends is no timeout of the work.
            if future.done():
                return future.result()


_END = object()


async def _next(pages: AsyncIterator[Value]) -> Value | object:
    return await anext(pages, _END)
