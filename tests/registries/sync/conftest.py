"""A registry that does what a test tells it, connected, and everything that is said about it.

Durable transactions may begin inside the one that pytest-django rolls back after a test, so these
tests need no transaction=True and cost milliseconds.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from registries.events import Event, happened
from registries.models import Registry
from registries.oci.connection import Connection, Limits
from tests.fakes.registry import FakeRegistry

# A bad day in seconds: as many attempts, and hardly a wait between them. A registry of these tests may
# be silent for a while only because the machine is busy.
HASTY = Limits(
    connect_seconds=2.0, stall_seconds=2.0, total_seconds=10.0, attempts=3, backoff_seconds=0.001
)


@pytest.fixture
def fake() -> Iterator[FakeRegistry]:
    with FakeRegistry() as fake:
        yield fake


@pytest.fixture
def registry(db: None, fake: FakeRegistry) -> Registry:
    return Registry.objects.create(name="harbour", url=fake.url, allow_private=True)


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    patient = Registry.connection

    def connection(self: Registry) -> Connection:
        return replace(patient(self), limits=HASTY)

    monkeypatch.setattr(Registry, "connection", connection)


@pytest.fixture
def heard() -> Iterator[list[Event]]:
    """Every event that is emitted, in order."""
    received: list[Event] = []

    def receive(events: tuple[Event, ...], **_: Any) -> None:
        received.extend(events)

    happened.connect(receive)
    yield received
    happened.disconnect(receive)
