"""Several requests at once are one statement, and each learns what became of its own."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import IntegrityError, connection
from django.utils import timezone

from registries.models import Registry
from tests import catalog
from webhooks.inbound import store
from webhooks.inbound.told import Told
from webhooks.models import Notification


def keep(registry: int, *event_ids: str) -> int:
    try:
        heard = [(Told(event_id, "push", "app", "1"), "{}") for event_id in event_ids]
        return store.store(registry, heard, timezone.now())
    finally:
        connection.close()


@pytest.fixture
def bay(transactional_db: None) -> Registry:
    return catalog.registry("bay")


def test_what_lines_up_is_stored_together_and_counted_apart(
    bay: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    statements: list[str] = []
    execute = store._execute

    def slow(rows: str) -> set[tuple[object, object]]:
        statements.append(rows)
        time.sleep(0.2)
        return execute(rows)

    monkeypatch.setattr(store, "_execute", slow)
    with ThreadPoolExecutor(8) as pool:
        # The same id from all but one: it is new for one of them.
        asked = [pool.submit(keep, bay.pk, "same", f"own-{number}") for number in range(8)]
        stored = sorted(it.result() for it in asked)
    assert stored == [1] * 7 + [2]
    assert Notification.objects.count() == 9
    assert len(statements) < 8


def test_what_is_refused_of_one_is_stored_of_the_others(
    bay: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = bay.pk + 1000
    with store._turn, ThreadPoolExecutor(3) as pool:
        asked = [pool.submit(keep, registry, "e-1") for registry in (bay.pk, gone)]
        other = pool.submit(keep, bay.pk, "e-2")
        while len(store._waiting) < 3:
            time.sleep(0.01)
        store._turn.release()
        try:
            assert [asked[0].result(), other.result()] == [1, 1]
            with pytest.raises(IntegrityError):
                asked[1].result()
        finally:
            store._turn.acquire()
    assert set(Notification.objects.values_list("event_id", flat=True)) == {"e-1", "e-2"}
