"""How many requests at a time one registry gets: few at first, more while it answers quickly.

Additive increase, multiplicative decrease, as in TCP: ten workers on a slow disk have taken a
registry down (goharbor/harbor 8455), three waste a fast one. A `Retry-After` is about the registry,
not about one request, so it holds back everybody.
"""

import asyncio
from collections import deque

START = 4
# A registry under load answers later. Growth stops where answers take this many times as long as
# the quickest, plus some milliseconds so that a nearby registry's noise does not count.
SLOWDOWN = 3.0
SLACK_SECONDS = 0.010
_SMOOTHING = 0.1


class Pace:
    """Slots for requests in flight; `enter` before each, `leave` after it.

    `ceiling` is the largest number in flight, `per_minute` an optional budget of requests.
    """

    __slots__ = (
        "_best",
        "_ceiling",
        "_grown",
        "_in_flight",
        "_interval",
        "_limit",
        "_loop",
        "_next_start",
        "_paused_until",
        "_reduced_at",
        "_smoothed",
        "_waiting",
        "_wakeup",
    )

    def __init__(self, ceiling: int, per_minute: int | None = None) -> None:
        self._ceiling = ceiling
        self._limit = min(START, ceiling)
        self._in_flight = 0
        self._grown = 0
        self._best = float("inf")
        self._smoothed = 0.0
        self._reduced_at = float("-inf")
        self._paused_until = 0.0
        self._interval = 60.0 / per_minute if per_minute else 0.0
        self._next_start = 0.0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._wakeup: asyncio.TimerHandle | None = None
        self._loop = asyncio.get_running_loop()

    @property
    def limit(self) -> int:
        """How many requests may be in flight now."""
        return self._limit

    async def enter(self) -> float:
        """Wait for a slot and return the time (of the loop's clock) at which it was given."""
        now = self._loop.time()
        if self._waiting or not self._take(now):
            waiter = self._loop.create_future()
            self._waiting.append(waiter)
            self._wake(now)
            try:
                await waiter
            except asyncio.CancelledError:
                self._forget(waiter)
                raise
            now = self._loop.time()
        return now

    def leave(self, entered: float, *, answered: bool = True) -> None:
        """Give the slot back; `answered` says that the time it took tells something."""
        now = self._loop.time()
        self._in_flight -= 1
        if answered:
            self._learn(now - entered)
        if self._waiting:
            self._wake(now)

    def throttled(self, entered: float, retry_after: float | None) -> None:
        """Halve the number in flight and, if told how long, hold everything back."""
        now = self._loop.time()
        # The answers to what was already under way say nothing about the lower number.
        if entered > self._reduced_at:
            self._limit = max(1, self._limit // 2)
            self._grown = 0
            self._reduced_at = now
        if retry_after:
            self._paused_until = max(self._paused_until, now + retry_after)

    def hold_back(self, seconds: float) -> None:
        """Start nothing for so long: the registry said, unasked, that it has no more to give."""
        self._paused_until = max(self._paused_until, self._loop.time() + seconds)

    def _learn(self, seconds: float) -> None:
        smoothed = self._smoothed
        smoothed = smoothed + (seconds - smoothed) * _SMOOTHING if smoothed else seconds
        self._smoothed = smoothed
        # The best drifts upwards, so that one lucky moment does not bind for ever.
        self._best = min(smoothed, self._best * 1.0005)
        if self._limit >= self._ceiling:
            return
        if smoothed > self._best * SLOWDOWN + SLACK_SECONDS:
            self._grown = 0
            return
        self._grown += 1
        if self._grown >= self._limit:
            self._grown = 0
            self._limit += 1

    def _take(self, now: float) -> bool:
        if self._in_flight >= self._limit or now < self._paused_until:
            return False
        if self._interval:
            if now < self._next_start:
                return False
            self._next_start = max(now, self._next_start) + self._interval
        self._in_flight += 1
        return True

    def _wake(self, now: float) -> None:
        """Hand free slots to those who wait, in order; come back when time is what they wait for."""
        waiting = self._waiting
        while waiting:
            if waiting[0].done():
                waiting.popleft()
            elif self._take(now):
                waiting.popleft().set_result(None)
            else:
                break
        opens = max(self._paused_until, self._next_start if self._interval else 0.0)
        if waiting and opens > now and self._wakeup is None:
            self._wakeup = self._loop.call_at(opens, self._woken)

    def _woken(self) -> None:
        self._wakeup = None
        # A timer may fire a clock tick early.
        now = self._loop.time()
        self._wake(now)

    def _forget(self, waiter: asyncio.Future[None]) -> None:
        if waiter.done() and not waiter.cancelled():
            # The slot was handed over and nobody is left to use it.
            self._in_flight -= 1
            self._wake(self._loop.time())
