"""The chain is verified: every kind of tampering is found, and the first broken row named."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.core.cache import cache
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection, transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from access import events, trail
from access.models import AuditEntry
from access.tasks import verify_trail
from access.trail import Fault, Known, verify
from registries.actor import Actor
from registries.events import emit

pytestmark = pytest.mark.django_db
ADA = Actor("user", "1", "ada")
ANY_TEXT = st.text(max_size=300)


def enter(*teams: str) -> list[int]:
    """Entries about these teams; returns their numbers."""
    numbers = []
    for team in teams:
        with transaction.atomic():
            emit([events.TeamRemoved("", timezone.now(), team)], actor=ADA)
        numbers.append(AuditEntry.objects.latest("number").number)
    return numbers


@contextmanager
def triggers_off() -> Iterator[None]:
    """What somebody can do who owns the database."""
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE access_auditentry DISABLE TRIGGER ALL")
        yield
        cursor.execute("ALTER TABLE access_auditentry ENABLE TRIGGER ALL")


def tamper(statement: str, *values: Any) -> None:
    with triggers_off(), connection.cursor() as cursor:
        cursor.execute(statement, values)
        assert cursor.rowcount > 0


def broken() -> tuple[int | None, Fault | None]:
    verdict = verify()
    return verdict.broken, verdict.fault


def test_an_untouched_log_holds_up_to_its_newest_entry() -> None:
    before = verify()
    numbers = enter("one", "two", "three")
    verdict = verify()
    assert verdict.holds
    assert verdict.entries == before.entries + 3
    newest = AuditEntry.objects.get(number=numbers[-1])
    assert (verdict.number, verdict.at) == (newest.number, newest.at)
    assert verdict.hash == bytes(newest.hash).hex()
    assert f"#{newest.number} of {newest.at:%Y-%m-%d %H:%M}" in verdict.sentence


@pytest.mark.parametrize(
    "change",
    [
        "at = at - interval '1 second'",
        "actor_kind = 'system'",
        "actor_id = '2'",
        "actor_label = 'eve'",
        "way = 'shell'",
        "address = '203.0.113.9'",
        "agent = 'curl'",
        "event = 'team created'",
        "registry = 'prod'",
        "target = 'team:other'",
        """old = '{"a": 1}'""",
        "new = NULL",
        "hash = sha256('x')",
    ],
)
def test_a_changed_content_is_found_whatever_was_changed(change: str) -> None:
    _, second, _ = enter("one", "two", "three")
    tamper(f"UPDATE access_auditentry SET {change} WHERE number = %s", second)
    assert broken() == (second, Fault.CHANGED)


def test_a_content_whose_hash_was_worked_out_anew_breaks_the_link_to_the_next() -> None:
    _, second, third = enter("one", "two", "three")
    tamper("UPDATE access_auditentry SET target = 'team:x' WHERE number = %s", second)
    tamper(
        "UPDATE access_auditentry AS e SET hash = access_audit_digest(e) WHERE number = %s", second
    )
    assert broken() == (third, Fault.LINK)


def test_a_removed_entry_is_named_by_the_number_that_is_missing() -> None:
    _, second, _ = enter("one", "two", "three")
    tamper("DELETE FROM access_auditentry WHERE number = %s", second)
    assert broken() == (second, Fault.MISSING)


def test_the_first_of_several_broken_rows_is_named() -> None:
    first, second, third, _ = enter("one", "two", "three", "four")
    tamper("DELETE FROM access_auditentry WHERE number = %s", third)
    tamper("UPDATE access_auditentry SET agent = 'x' WHERE number IN (%s, %s)", second, first)
    assert broken() == (first, Fault.CHANGED)


def test_a_tail_that_was_cut_off_is_found() -> None:
    first, second, _ = enter("one", "two", "three")
    tamper("DELETE FROM access_auditentry WHERE number >= %s", second)
    assert broken() == (second, Fault.CUT)
    assert f"#{first}" in verify().sentence


def test_a_beginning_that_was_cut_off_is_found() -> None:
    numbers = enter("one", "two", "three")
    begins = verify().first
    tamper("DELETE FROM access_auditentry WHERE number < %s", numbers[-1])
    assert broken() == (begins, Fault.MISSING)


def test_an_empty_log_that_had_entries_is_found() -> None:
    enter("one")
    begins = verify().first
    tamper("DELETE FROM access_auditentry")
    assert broken() == (begins, Fault.CUT)


def test_an_entry_put_in_beside_another_is_found() -> None:
    first, _ = enter("one", "two")
    tamper(
        "INSERT INTO access_auditentry (number, at, actor_kind, actor_id, actor_label, way,"
        " agent, event, registry, target, previous_hash, hash)"
        " SELECT number, at + interval '1 us', actor_kind, actor_id, 'eve', way, agent, event,"
        " registry, target, previous_hash, hash FROM access_auditentry WHERE number = %s",
        first,
    )
    assert broken() == (first, Fault.SURPLUS)


def test_a_replaced_last_entry_is_found_by_the_head() -> None:
    (last,) = enter("one")
    tamper("UPDATE access_auditentry SET target = 'team:x' WHERE number = %s", last)
    tamper(
        "UPDATE access_auditentry AS e SET hash = access_audit_digest(e) WHERE number = %s", last
    )
    assert broken() == (last, Fault.HEAD)


def test_a_log_written_anew_from_end_to_end_is_found_by_what_was_noted_elsewhere() -> None:
    (last,) = enter("one")
    noted = Known(last, verify().hash)
    tamper("UPDATE access_auditentry SET target = 'team:x' WHERE number = %s", last)
    tamper(
        "UPDATE access_auditentry AS e SET hash = access_audit_digest(e) WHERE number = %s", last
    )
    tamper(
        "UPDATE access_audithead SET hash = e.hash FROM access_auditentry AS e WHERE e.number = %s",
        last,
    )
    assert verify().holds
    assert verify(noted).fault is Fault.UNKNOWN


# The command and the task ----------------------------------------------------------------------


def test_the_command_says_in_one_sentence_that_the_log_holds(
    capsys: pytest.CaptureFixture[str],
) -> None:
    (last,) = enter("one")
    call_command("verify_audit")
    said = capsys.readouterr().out
    assert f"up to #{last}" in said
    call_command("verify_audit", known=said.partition("--known ")[2].strip())


def test_the_command_names_the_first_broken_row_and_exits_with_1(
    capsys: pytest.CaptureFixture[str],
) -> None:
    _, second, _ = enter("one", "two", "three")
    tamper("UPDATE access_auditentry SET target = '' WHERE number = %s", second)
    with pytest.raises(SystemExit) as exited:
        call_command("verify_audit")
    assert exited.value.code == 1
    assert f"broken at #{second}: its content" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["", "12", "12:", "12:zz", "x:" + "0" * 64, "1:" + "0" * 62])
def test_a_noted_hash_that_makes_no_sense_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        Known.parse(text)
    if text:
        with pytest.raises(CommandError, match="NUMBER:HASH"):
            call_command("verify_audit", known=text)


def test_the_daily_verification_is_remembered_and_logged_if_it_fails(
    caplog: pytest.LogCaptureFixture,
) -> None:
    cache.clear()
    assert trail.last_verdict() is None
    (last,) = enter("one")
    verify_trail()
    remembered = trail.last_verdict()
    assert remembered is not None
    assert (remembered.number, remembered.holds) == (last, True)
    tamper("UPDATE access_auditentry SET target = '' WHERE number = %s", last)
    verify_trail()
    assert "broken at" in caplog.text


# Whatever is written, and by whomever at once ---------------------------------------------------


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(account=ANY_TEXT, label=ANY_TEXT, agent=ANY_TEXT)
def test_any_text_can_be_entered_and_the_chain_holds(account: str, label: str, agent: str) -> None:
    with transaction.atomic():
        emit(
            [
                events.TokenRefused("prod", timezone.now(), account, agent, label),
                events.MachineChanged("", timezone.now(), account, {label: agent}, {agent: label}),
            ],
            actor=Actor("user", account, label),
        )
    assert verify().holds
    newest = AuditEntry.objects.latest("number")
    assert newest.target.isprintable()


@pytest.mark.django_db(transaction=True)
def test_transactions_at_once_cannot_fork_the_chain() -> None:
    before = verify()
    start = threading.Barrier(4)
    failed: list[BaseException] = []

    def work(name: str) -> None:
        try:
            start.wait(timeout=10)
            for number in range(10):
                with transaction.atomic():
                    emit(
                        [
                            events.TeamRemoved("", timezone.now(), f"{name}-{number}-{part}")
                            for part in range(3)
                        ],
                        actor=ADA,
                    )
                    # Every second one is undone: it must leave no hole.
                    transaction.set_rollback(number % 2 == 1)
        except BaseException as error:  # noqa: BLE001  told by the main thread
            failed.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=work, args=[f"team-{name}"]) for name in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert not failed
    after = verify()
    assert after.holds, after.sentence
    assert after.entries == before.entries + 4 * 5 * 3
    assert after.number == before.number + 4 * 5 * 3
