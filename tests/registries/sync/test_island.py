"""Waiting for the network from a thread that has none."""

from __future__ import annotations

import asyncio
from concurrent.futures import Future
from typing import Any

import pytest

from registries.oci.connection import Connection
from registries.sync import island as islands
from registries.sync.island import Island


class PhotoFinish(Future[str]):
    """Done in the very moment in which the wait for it is given up."""

    def result(self, timeout: float | None = None) -> str:
        if not self.done():
            self.set_result("here")
            raise TimeoutError
        return super().result(timeout)


def island(**how: Any) -> Island:
    return Island("distribution", Connection("http://127.0.0.1:1", allow_private=True), **how)


def test_an_answer_that_comes_as_the_wait_ends_is_no_timeout() -> None:
    assert island()._result(PhotoFinish()) == "here"


def test_a_timeout_of_the_work_itself_is_told() -> None:
    async def tired() -> None:
        raise TimeoutError("the work's own")

    with island() as opened, pytest.raises(TimeoutError, match="the work's own"):
        opened.wait(tired())


def test_whoever_waits_long_is_heard_of_and_can_be_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(islands, "TICK", 0.01)
    ticks: list[int] = []

    def tick() -> None:
        ticks.append(len(ticks))
        if len(ticks) > 5:
            raise InterruptedError

    with island(on_tick=tick) as opened, pytest.raises(InterruptedError):
        opened.wait(asyncio.sleep(3600))

    assert len(ticks) == 6
    assert not opened._thread.is_alive()
