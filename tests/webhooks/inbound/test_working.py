"""Registries are handled side by side, by one worker at a time."""

from __future__ import annotations

from concurrent.futures import wait
from threading import Event
from typing import Any

import pytest
from django.core.cache import cache
from django.utils import timezone
from pytest_django.fixtures import Settings

from registries.models import Registry
from tests import catalog
from tests.webhooks.inbound.telling import tell
from webhooks.inbound import claims, handle, working
from webhooks.inbound.handle import State
from webhooks.models import Notification


def settled(registry: Registry) -> bool:
    return not Notification.objects.filter(registry=registry, state=State.WAITING).exists()


@pytest.mark.parametrize("after", [0.0, working.LONGEST_SECONDS + 1])
def test_a_registry_that_hangs_holds_up_no_other(
    transactional_db: None, settings: Settings, monkeypatch: pytest.MonkeyPatch, after: float
) -> None:
    settings.NOTIFICATION_THREADS = 2
    clock = [0.0]
    monkeypatch.setattr(working, "monotonic", lambda: clock[0])
    hangs, quick = catalog.registry("hangs"), catalog.registry("quick")
    tell(hangs, "quarantine", "app", tag="1")
    released, rounds = Event(), []

    def handled(registry: Registry, batch: list[Notification]) -> None:
        if registry == hangs:
            assert released.wait(20)
        handle.handle(registry, batch)

    def on_round() -> None:
        rounds.append(1)
        if len(rounds) == 1:  # comes while the other one hangs
            clock[0] = after
            tell(quick, "quarantine", "app", tag="1")
        elif settled(quick) and not released.is_set():
            assert not settled(hangs)
            released.set()

    monkeypatch.setattr(working, "handle", handled)
    working.handle_waiting(on_round=on_round)
    assert settled(hangs)


def test_who_waits_for_one_registry_alone_keeps_the_turn_from_nobody(
    transactional_db: None, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.NOTIFICATION_THREADS = 2
    hangs = catalog.registry("hangs")
    tell(hangs, "quarantine", "app", tag="1")
    released, rounds, waits = Event(), [], []
    clock = [0.0]

    def handled(registry: Registry, batch: list[Notification]) -> None:
        assert released.wait(20)
        handle.handle(registry, batch)

    def waited(*args: Any) -> Any:
        clock[0] = working.LATEST_SECONDS
        waits.append(1)
        if len(waits) == 3:
            tell(hangs, "quarantine", "app", tag="2")
            released.set()
        return wait(*args)

    monkeypatch.setattr(working, "monotonic", lambda: clock[0])
    monkeypatch.setattr(working, "wait", waited)
    monkeypatch.setattr(working, "handle", handled)
    working.handle_waiting(on_round=lambda: rounds.append(1))
    assert len(rounds) == 1
    assert not settled(hangs)  # what came since is the next one's


def test_of_a_registry_with_a_small_budget_so_many_are_taken_as_are_read_in_time(
    harbour: Registry,
) -> None:
    assert claims.together(harbour) == claims.TOGETHER
    for budget, most in ((1, 1), (60, 30), (100_000, claims.TOGETHER)):
        harbour.requests_per_minute = budget
        assert claims.together(harbour) == most
    harbour.requests_per_minute = 6
    for number in range(5):
        tell(harbour, "push", "app", tag=str(number))
    assert [len(claims.claim(harbour, timezone.now())) for _ in range(3)] == [3, 2, 0]


def test_a_second_worker_leaves_it_to_the_first(harbour: Registry) -> None:
    told = tell(harbour, "quarantine", "app", tag="1")
    cache.add("handling:0", "another", timeout=5)
    assert working.handle_in_turn() is False
    assert not settled(harbour)
    cache.delete("handling:0")
    assert working.handle_in_turn() is False
    told.refresh_from_db()
    assert told.state == "done"
    assert cache.get("handling:0") is None


def test_what_came_at_the_last_moment_is_told_to_be_left(
    harbour: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    tell(harbour, "quarantine", "app", tag="1")
    monkeypatch.setattr(claims, "claim", lambda *_: [])
    monkeypatch.setattr(working, "handle_waiting", lambda **_: None)
    assert working.handle_in_turn() is True
