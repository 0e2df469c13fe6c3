"""The audit log: in the same transaction, append-only by a rule of the database, chained."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from access import audit, events
from access.models import AuditEntry
from access.origin import Origin, coming_from
from registries.actor import Actor
from registries.events import Event, RegistryChanged, TagCreated, emit

pytestmark = pytest.mark.django_db
ADA = Actor("user", "1", "ada")


def granted(principal: str = "user:otto") -> events.AccessGranted:
    return events.AccessGranted("prod", timezone.now(), principal, "reader", "prod", "", "asked")


def newest() -> AuditEntry:
    return AuditEntry.objects.latest("number")


@contextmanager
def refused() -> Iterator[None]:
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        yield


def test_an_entry_says_who_from_where_what_and_about_whom() -> None:
    with coming_from(Origin("browser", "203.0.113.9", "Firefox")):
        emit([granted()], actor=ADA)
    entry = newest()
    assert (entry.actor_kind, entry.actor_id, entry.actor_label) == ("user", "1", "ada")
    assert (entry.way, entry.address, entry.agent) == ("browser", "203.0.113.9", "Firefox")
    assert (entry.event, entry.registry) == ("access granted", "prod")
    assert entry.target == "user:otto reader prod"
    assert entry.old is None
    assert entry.new is not None
    assert entry.new["reason"] == "asked"


def test_a_change_shows_old_and_new() -> None:
    changed = RegistryChanged("prod", timezone.now(), (("url", "https://a", "https://b"),))
    emit([changed], actor=ADA)
    assert newest().old == {"url": "https://a"}
    assert newest().new == {"url": "https://b"}


def test_a_change_that_is_undone_leaves_no_entry() -> None:
    emit([granted()], actor=ADA)
    before = newest().number
    with transaction.atomic():
        emit([granted()], actor=ADA)
        transaction.set_rollback(True)
    assert newest().number == before


def test_tags_have_a_history_of_their_own() -> None:
    count = AuditEntry.objects.count()
    created = TagCreated("prod", timezone.now(), "app", "1.0", f"sha256:{'0' * 64}")
    emit([created], actor=ADA)
    assert AuditEntry.objects.count() == count


def test_nobody_changes_or_removes_an_entry() -> None:
    emit([granted()], actor=ADA)
    with connection.cursor() as cursor:
        for statement in (
            "UPDATE access_auditentry SET actor_label = 'eve'",
            "DELETE FROM access_auditentry",
            "TRUNCATE access_auditentry",
            f"TRUNCATE access_auditentry_{timezone.now():%Y_%m}",
        ):
            with refused():
                cursor.execute(statement)


def test_an_entry_names_the_hash_of_the_one_before() -> None:
    emit([granted("user:one")], actor=ADA)
    first = newest()
    emit([granted("user:two")], actor=ADA)
    second = newest()
    assert second.number == first.number + 1
    assert bytes(second.previous_hash) == bytes(first.hash)
    assert bytes(second.hash) != bytes(first.hash)


def test_nobody_chooses_a_number_or_a_hash() -> None:
    emit([granted()], actor=ADA)
    before = newest()
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO access_auditentry (number, at, actor_kind, actor_id, actor_label, way, agent,"
            " event, registry, target, previous_hash, hash) VALUES (1, now(), 'user', '', 'eve',"
            " 'shell', '', 'forged', '', '', 'x', 'x')"
        )
    assert newest().number == before.number + 1
    assert bytes(newest().previous_hash) == bytes(before.hash)


def test_what_would_forge_a_line_is_made_visible() -> None:
    failed = events.SignInFailed("", timezone.now(), "eve\n2026 ok\x00")
    emit([failed], actor=ADA)
    assert "\n" not in newest().target
    assert "\x00" not in newest().target


@pytest.mark.parametrize("kind", audit.TARGETS, ids=audit.name_of)
def test_every_audited_event_can_be_told(kind: type[Event]) -> None:
    values: dict[str, Any] = {
        field.name: {"old": {}, "new": {}, "changes": (), "at": timezone.now()}.get(field.name, "x")
        for field in dataclasses.fields(kind)
    }
    told = audit.tell(kind(**values))
    assert told is not None
    assert "{" not in told.target


def test_every_event_of_access_is_audited() -> None:
    declared = {
        value
        for value in vars(events).values()
        if isinstance(value, type) and issubclass(value, Event) and value is not Event
    }
    assert declared <= set(audit.TARGETS)
