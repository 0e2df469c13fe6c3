"""Events belong to the transaction that makes them true."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import transaction

from registries.actor import SYSTEM, Actor
from registries.events import Event, TagCreated, TagDeleted, emit, happened

AT = datetime(2026, 5, 1, tzinfo=UTC)
CREATED = TagCreated(registry="r", at=AT, repository="team/api", tag="1.0", digest="sha256:1")
DELETED = TagDeleted(registry="r", at=AT, repository="team/api", tag="0.9", old_digest="sha256:0")


@pytest.fixture
def heard() -> Iterator[list[tuple[tuple[Event, ...], Actor]]]:
    received: list[tuple[tuple[Event, ...], Actor]] = []

    def receive(sender: object, events: tuple[Event, ...], actor: Actor, **_: Any) -> None:
        received.append((events, actor))

    happened.connect(receive)
    yield received
    happened.disconnect(receive)


@pytest.mark.django_db(transaction=True)
def test_an_event_without_its_transaction_is_refused(heard: list[object]) -> None:
    with pytest.raises(RuntimeError, match="inside the transaction"):
        emit([CREATED], actor=SYSTEM)
    assert heard == []


@pytest.mark.django_db
def test_receivers_get_the_events_of_a_change_together_and_in_order(heard: list[object]) -> None:
    with transaction.atomic():
        emit([CREATED, DELETED], actor=SYSTEM)
    assert heard == [((CREATED, DELETED), SYSTEM)]


@pytest.mark.django_db
def test_nothing_happened_is_not_told(heard: list[object]) -> None:
    emit([], actor=SYSTEM)
    assert heard == []


@pytest.mark.django_db
def test_a_receiver_that_fails_takes_the_change_back() -> None:
    def fail(**_: Any) -> None:
        raise ValueError("the outbox cannot be written")

    happened.connect(fail)
    try:
        with pytest.raises(ValueError, match="outbox"), transaction.atomic():
            emit([CREATED], actor=SYSTEM)
    finally:
        happened.disconnect(fail)


def test_an_event_cannot_be_changed_by_a_receiver() -> None:
    with pytest.raises(AttributeError):
        CREATED.tag = "2.0"  # type: ignore[misc]  # that is the point
