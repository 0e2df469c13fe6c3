"""The log of issued tokens, and what is learnt from it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.db import Error, connection
from django.test import Client

from access.models import Secret, TokenLogEntry, Use
from access.scopes import Scope
from access.tokens import log
from access.tokens.log import Issued
from registries.models import Registry
from tests import catalog
from tests.access.tokens import asking
from tests.access.tokens.asking import get

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
APP = ("team-a/app", ("pull", "push"))


@pytest.fixture(autouse=True)
def harbour(db: None) -> Registry:
    return catalog.registry("harbour")


def issued(registry: Registry, at: datetime = NOON, *access: tuple[str, tuple[str, ...]]) -> Issued:
    return Issued(at, "sp:ci", "", registry.pk, "192.0.2.7", access or (APP,))


def entries(registry: Registry) -> list[TokenLogEntry]:
    return list(TokenLogEntry.objects.filter(registry=registry.pk).order_by("id"))


def test_a_token_that_was_issued_is_entered_counted_and_seen_on_its_secret(
    harbour: Registry,
) -> None:
    who = asking.login(asking.machine("ci", "pusher", Scope("harbour")))
    client = Client(REMOTE_ADDR="192.0.2.7")
    for _ in range(2):
        get(client, ["repository:team-a/app:pull,push,delete", "repository:b:pull"], who)
    assert log.flush() == 2

    secret = Secret.objects.get()
    assert secret.last_used_at is not None
    assert secret.last_used_from == "192.0.2.7"
    (first, _second) = entries(harbour)
    assert (first.principal, first.secret, first.address) == ("sp:ci", secret.key_id, "192.0.2.7")
    assert first.access == {"team-a/app": ["pull", "push"], "b": ["pull"]}
    uses = Use.objects.values_list("principal", "path", "verb", "count").order_by("path", "verb")
    assert list(uses) == [
        ("sp:ci", "b", "pull", 2),
        ("sp:ci", "team-a/app", "pull", 2),
        ("sp:ci", "team-a/app", "push", 2),
    ]


def test_what_was_refused_counts_as_used_by_nobody(harbour: Registry) -> None:
    get(Client(), "repository:team-a/app:pull", asking.login(asking.machine("ci")))
    log.flush()
    assert entries(harbour)[0].access == {}
    assert not Use.objects.exists()


def test_the_public_and_the_catalog_are_entered(harbour: Registry) -> None:
    log.write([Issued(NOON, "anonymous", "", harbour.pk, None, (("*", ("*",)),))])
    (entry,) = entries(harbour)
    assert (entry.principal, entry.address, entry.access) == ("anonymous", None, {"*": ["*"]})
    assert not Use.objects.exists()


def test_uses_add_up_and_keep_the_last_time(harbour: Registry) -> None:
    later = NOON + timedelta(hours=1)
    log.write([issued(harbour, later), issued(harbour, NOON)])
    log.write([issued(harbour, NOON, ("team-a/app", ("pull",)))])
    pull, push = Use.objects.order_by("verb")
    assert (pull.verb, pull.count, pull.last_at) == ("pull", 3, later)
    assert (push.verb, push.count, push.last_at) == ("push", 2, later)


def test_a_registry_that_was_removed_meanwhile_stops_nothing(harbour: Registry) -> None:
    gone = catalog.registry("gone")
    log.note(issued(gone))
    log.note(issued(harbour))
    gone.delete()
    assert log.flush() == 2
    assert set(Use.objects.values_list("registry", flat=True)) == {harbour.pk}


def test_one_that_the_database_refuses_does_not_keep_the_others_waiting(harbour: Registry) -> None:
    log.note(issued(harbour, NOON, ("team\x00", ("pull",))))
    log.note(issued(harbour))
    assert log.flush() == 2
    assert [entry.access for entry in entries(harbour)] == [{"team-a/app": ["pull", "push"]}]
    assert log.flush() == 0


def test_without_a_database_entries_wait(
    harbour: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    log.note(issued(harbour))
    with monkeypatch.context() as away:

        def fail(_batch: object) -> None:
            raise Error("away")

        away.setattr(log, "write", fail)
        with pytest.raises(Error):
            log.flush()
    assert log.flush() == 1
    assert len(entries(harbour)) == 1


def test_the_queue_is_bounded_and_tells_how_many_were_dropped(
    harbour: Registry, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(log, "MOST_WAITING", 2)
    for _ in range(5):
        log.note(issued(harbour))
    assert log.flush() == 2
    assert "3 tokens were issued and not entered" in caplog.text


def test_a_batch_is_a_few_statements_however_long_it_is(harbour: Registry) -> None:
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(
        connection,
    ) as queries:
        log.write([issued(harbour) for _ in range(500)])
    assert len(queries) <= 4
    assert len(entries(harbour)) == 500


def test_what_comes_while_it_writes_is_left_for_the_next_time(
    harbour: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = []

    def write(batch: list[Issued]) -> None:
        written.append(len(batch))
        log.note(issued(harbour))

    monkeypatch.setattr(log, "write", write)
    log.note(issued(harbour))
    log.note(issued(harbour))
    log._writer._flush_all()
    assert written == [2]
