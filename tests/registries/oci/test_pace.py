"""How many at a time, told by a clock that only the test moves."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from registries.oci.pace import START, Pace


class Clock(asyncio.SelectorEventLoop):
    """A loop whose time stands still but for `advance`, and jumps to the next timer when idle."""

    def __init__(self) -> None:
        super().__init__()
        self._now = 1000.0

    def time(self) -> float:
        return self._now

    def advance(self, seconds: float) -> None:
        self._now += seconds

    def _run_once(self) -> None:
        scheduled = [it.when() for it in self._scheduled if not it.cancelled()]  # type: ignore[attr-defined]
        if scheduled and not self._ready:  # type: ignore[attr-defined]
            self._now = max(self._now, min(scheduled))
        super()._run_once()  # type: ignore[misc]


def run(story: Callable[[Clock], Coroutine[Any, Any, None]]) -> None:
    loop = Clock()
    try:
        loop.run_until_complete(story(loop))
    finally:
        loop.close()


async def requests(pace: Pace, clock: Clock, count: int, seconds: float) -> None:
    """Let so many requests come and go, one after the other."""
    for _ in range(count):
        entered = await pace.enter()
        clock.advance(seconds)
        pace.leave(entered)


def test_it_starts_with_few_and_grows_to_the_ceiling_while_answers_are_quick() -> None:
    async def story(clock: Clock) -> None:
        pace = Pace(32)
        assert pace.limit == START
        await requests(pace, clock, 1000, 0.02)
        assert pace.limit == 32

    run(story)


def test_it_stops_growing_where_answers_become_slow() -> None:
    async def story(clock: Clock) -> None:
        pace = Pace(32)
        await requests(pace, clock, 30, 0.02)
        before = pace.limit
        await requests(pace, clock, 300, 0.2)
        assert pace.limit <= before + 1

    run(story)


def test_a_throttle_halves_once_for_all_that_was_under_way() -> None:
    async def story(clock: Clock) -> None:
        pace = Pace(32)
        await requests(pace, clock, 1000, 0.02)
        under_way = [await pace.enter() for _ in range(32)]
        clock.advance(0.01)
        for entered in under_way:
            pace.throttled(entered, None)
            pace.leave(entered, answered=False)
        assert pace.limit == 16

    run(story)


def test_it_never_falls_below_one() -> None:
    async def story(clock: Clock) -> None:
        pace = Pace(32)
        for _ in range(10):
            clock.advance(1)
            entered = await pace.enter()
            pace.throttled(entered, None)
            pace.leave(entered, answered=False)
        assert pace.limit == 1

    run(story)


def test_no_more_than_the_limit_are_in_flight_and_those_waiting_go_in_order() -> None:
    async def story(clock: Clock) -> None:
        pace = Pace(2)
        held = [await pace.enter(), await pace.enter()]
        order: list[int] = []

        async def wait_for(number: int) -> None:
            await pace.enter()
            order.append(number)

        waiting = [asyncio.ensure_future(wait_for(number)) for number in range(4)]
        await asyncio.sleep(0)
        assert order == []
        for entered in held:
            pace.leave(entered)
        await asyncio.gather(*waiting[:2])
        assert order == [0, 1]
        for it in waiting[2:]:
            it.cancel()

    run(story)


def test_a_pause_holds_back_everybody_until_it_is_over() -> None:
    async def story(clock: Clock) -> None:
        pace = Pace(4)
        entered = await pace.enter()
        pace.throttled(entered, 30.0)
        pace.leave(entered, answered=False)
        started = clock.time()
        assert await pace.enter() - started == pytest.approx(30.0)

    run(story)


def test_a_budget_spreads_requests_over_the_minute() -> None:
    async def story(clock: Clock) -> None:
        pace = Pace(32, per_minute=60)
        started = clock.time()
        for _ in range(10):
            pace.leave(await pace.enter())
        assert clock.time() - started == pytest.approx(9.0)

    run(story)


def test_giving_up_while_waiting_leaves_the_slot_to_the_next() -> None:
    async def story(clock: Clock) -> None:
        pace = Pace(1)
        held = await pace.enter()
        first = asyncio.ensure_future(pace.enter())
        second = asyncio.ensure_future(pace.enter())
        await asyncio.sleep(0)
        # The slot is handed over in the same moment in which its taker gives up.
        pace.leave(held)
        first.cancel()
        assert await second
        with pytest.raises(asyncio.CancelledError):
            await first

    run(story)
