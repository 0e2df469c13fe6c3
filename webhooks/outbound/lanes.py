"""Where requests are sent: one thread with an event loop, and in it a lane for each receiver.

A lane lets so many through at a time: two at first, twice as many with each success, one alone
after a failure. So a receiver that hangs or is dead holds one place and delays nobody else, and one
that was down is not run over when it comes back.
"""

from __future__ import annotations

import asyncio
import queue
import threading
import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self
from uuid import UUID

from webhooks.outbound.send import Outcome, Outgoing, Sender

FIRST_WIDTH = 2
WIDEST = 16
# Claimed ahead for each place of a lane, so that it is not idle while rows are written.
AHEAD = 4
# Names that do not resolve block a thread each, for many seconds.
RESOLVING_THREADS = 32


@dataclass(frozen=True, slots=True)
class Claimed:
    """A delivery of ours until the lease ends."""

    delivery: int
    subscription: UUID
    tries: int
    outgoing: Outgoing
    # What the log keeps of the headers.
    shown_headers: dict[str, str]


@dataclass(frozen=True, slots=True)
class Sent:
    """A delivery and what came of it; None if it was not sent after all."""

    claimed: Claimed
    outcome: Outcome | None


@dataclass(slots=True)
class _Lane:
    width: int = FIRST_WIDTH
    active: int = 0
    waiting: deque[Claimed] = field(default_factory=deque)

    @property
    def room(self) -> int:
        ahead = self.width * AHEAD if self.width > 1 else 0
        return max(self.width + ahead - self.active - len(self.waiting), 0)


class Lanes:
    """Lanes and their thread; a context manager. `patience` is how many seconds something may wait
    in its lane before it is handed back instead of sent."""

    def __init__(self, sender: Sender, *, patience: float) -> None:
        self._sender = sender
        self._patience = patience
        self._lanes: dict[UUID, _Lane] = {}
        self._since: dict[int, float] = {}
        self._done: queue.SimpleQueue[Sent] = queue.SimpleQueue()
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop = asyncio.new_event_loop()
        self._loop.set_default_executor(ThreadPoolExecutor(RESOLVING_THREADS))
        self._thread = threading.Thread(target=self._loop.run_forever, name="lanes", daemon=True)
        self.under_way = 0

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            asyncio.run_coroutine_threadsafe(self._leave(), self._loop).result(timeout=10)
        finally:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(timeout=10)
            self._loop.close()

    def rooms(self) -> dict[UUID, int]:
        """How many more each lane takes; one that is not named was not used yet."""
        return {key: lane.room for key, lane in list(self._lanes.items())}

    def hand_over(self, batch: Sequence[Claimed], *, troubled: frozenset[UUID]) -> None:
        """Have them sent; receivers that failed when last tried get the narrowest lane."""
        self.under_way += len(batch)
        self._loop.call_soon_threadsafe(self._enter, batch, troubled)

    def collect(self, *, most: int, patience: float, gather: float) -> list[Sent]:
        """What is done: after up to `patience` seconds for the first, and `gather` for the rest."""
        found: list[Sent] = []
        with suppress(queue.Empty):
            found.append(self._done.get(timeout=patience))
            until = time.monotonic() + gather
            while len(found) < most:
                found.append(self._done.get(timeout=max(until - time.monotonic(), 0)))
        self.under_way -= len(found)
        return found

    # In the loop's thread ---------------------------------------------------------------------

    def _enter(self, batch: Sequence[Claimed], troubled: frozenset[UUID]) -> None:
        now = self._loop.time()
        touched = {}
        for claimed in batch:
            key = claimed.subscription
            lane = self._lanes.get(key)
            if lane is None:
                lane = self._lanes[key] = _Lane(1 if key in troubled else FIRST_WIDTH)
            self._since[claimed.delivery] = now
            lane.waiting.append(claimed)
            touched[key] = lane
        for lane in touched.values():
            self._pump(lane)

    def _pump(self, lane: _Lane) -> None:
        now = self._loop.time()
        while lane.waiting and lane.active < lane.width:
            claimed = lane.waiting.popleft()
            if now - self._since.pop(claimed.delivery, now) > self._patience:
                self._done.put(Sent(claimed, None))
                continue
            lane.active += 1
            task = self._loop.create_task(self._send(lane, claimed))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _send(self, lane: _Lane, claimed: Claimed) -> None:
        outcome = await self._sender.send(claimed.outgoing)
        lane.active -= 1
        if outcome.succeeded:
            lane.width = min(lane.width * 2, WIDEST)
        else:
            lane.width = 1
            self._hand_back(lane)
        self._done.put(Sent(claimed, outcome))
        self._pump(lane)

    def _hand_back(self, lane: _Lane) -> None:
        while lane.waiting:
            claimed = lane.waiting.popleft()
            self._since.pop(claimed.delivery, None)
            self._done.put(Sent(claimed, None))

    async def _leave(self) -> None:
        """End what is still under way: its lease ends, and then it is due again."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._sender.__aexit__(None, None, None)
