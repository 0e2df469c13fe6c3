"""Months of the logs are made ahead, and dropped whole; the chain then begins later, and holds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from access import events, months
from access.models import AuditEntry, TokenLogEntry
from access.months import AUDIT_LOG, TOKEN_LOG, Part, cutoff, drop_months, droppable, make_months
from access.tasks import keep_trail
from access.trail import verify
from registries.actor import SYSTEM, Actor
from registries.events import emit

pytestmark = pytest.mark.django_db
ADA = Actor("user", "1", "ada")


def run(statement: str, *values: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)


def partitions(table: str = AUDIT_LOG) -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = %s::regclass",
            [table],
        )
        return {name for (name,) in cursor.fetchall()}


def name_of(month: datetime, table: str = AUDIT_LOG) -> str:
    return f"{table}_{month:%Y_%m}"


@pytest.fixture
def fresh_log() -> None:
    """Logs without the entries of other tests; undone with the test."""
    run("ALTER TABLE access_tokenlogentry DISABLE TRIGGER ALL")
    run("DELETE FROM access_tokenlogentry")
    run("ALTER TABLE access_tokenlogentry ENABLE TRIGGER ALL")
    run("ALTER TABLE access_auditentry DISABLE TRIGGER ALL")
    run("DELETE FROM access_auditentry")
    run("ALTER TABLE access_auditentry ENABLE TRIGGER ALL")
    run("UPDATE access_audithead SET first_number = number + 1, first_previous = hash")


def enter(at: datetime, count: int = 2) -> list[int]:
    """Entries of that time, chained by the database as any; returns their numbers."""
    numbers = []
    for _ in range(count):
        run(
            "INSERT INTO access_auditentry (at, actor_kind, actor_id, actor_label, way, agent, event,"
            " registry, target) VALUES (%s, 'user', '1', 'ada', 'shell', '', 'team removed', '', '')",
            at,
        )
        numbers.append(AuditEntry.objects.latest("number").number)
    return numbers


def a_month(year: int, month: int) -> datetime:
    """Makes the partition of a month that is past."""
    start = datetime(year, month, 1, tzinfo=UTC)
    end = datetime(year + month // 12, month % 12 + 1, 1, tzinfo=UTC)
    for table in (AUDIT_LOG, TOKEN_LOG):
        run(
            f"CREATE TABLE {name_of(start, table)} PARTITION OF {table} FOR VALUES FROM"
            f" ('{start.isoformat()}') TO ('{end.isoformat()}')"
        )
    return start


@pytest.fixture
def three_months(fresh_log: None) -> list[list[int]]:
    """Two past months and this one, with entries in each."""
    numbers = [enter(a_month(2020, 1)), enter(a_month(2020, 2)), enter(timezone.now())]
    assert verify().holds
    return numbers


def test_dropping_a_month_moves_where_the_chain_begins(three_months: list[list[int]]) -> None:
    january, february, _now = three_months
    trimmed = drop_months(AUDIT_LOG, before=datetime(2020, 2, 1, tzinfo=UTC), actor=ADA)
    assert (trimmed.parts, trimmed.entries) == (1, len(january))
    assert "access_auditentry_2020_01" not in partitions()
    verdict = verify()
    assert verdict.holds, verdict.sentence
    assert verdict.first == february[0]
    assert verdict.entries == 2 + 2 + 1


def test_dropping_is_told_by_the_log_itself(three_months: list[list[int]]) -> None:
    drop_months(AUDIT_LOG, before=datetime(2020, 3, 1, tzinfo=UTC), actor=ADA)
    told = AuditEntry.objects.latest("number")
    assert (told.event, told.target, told.actor_label) == ("log trimmed", "audit log", "ada")
    assert told.new == {"log": "audit log", "before": "2020-03-01", "entries": 4}


def test_what_was_tampered_with_before_stays_broken_after_dropping(
    three_months: list[list[int]],
) -> None:
    _, february, _ = three_months
    run("ALTER TABLE access_auditentry DISABLE TRIGGER ALL")
    run("UPDATE access_auditentry SET target = 'x' WHERE number = %s", february[0])
    run("ALTER TABLE access_auditentry ENABLE TRIGGER ALL")
    drop_months(AUDIT_LOG, before=datetime(2020, 2, 1, tzinfo=UTC), actor=ADA)
    assert verify().broken == february[0]


def test_nothing_old_is_no_entry(fresh_log: None) -> None:
    enter(timezone.now())
    before = verify().number
    trimmed = drop_months(AUDIT_LOG, before=datetime(2020, 1, 1, tzinfo=UTC), actor=ADA)
    assert trimmed.parts == 0
    assert verify().number == before


def test_an_entry_with_a_later_number_than_the_next_month_waits_for_it(fresh_log: None) -> None:
    january, february = a_month(2020, 1), a_month(2020, 2)
    enter(january, 1)
    enter(february, 1)
    enter(january, 1)  # it looked at the clock before midnight, and had to wait
    trimmed = drop_months(AUDIT_LOG, before=february, actor=ADA)
    assert trimmed.parts == 0
    drop_months(AUDIT_LOG, before=datetime(2020, 3, 1, tzinfo=UTC), actor=ADA)
    assert verify().holds
    assert partitions().isdisjoint({"access_auditentry_2020_01", "access_auditentry_2020_02"})


def test_what_no_month_took_goes_when_all_of_it_is_old(fresh_log: None) -> None:
    enter(datetime(2019, 5, 5, tzinfo=UTC))
    assert "access_auditentry_other" in partitions()
    drop_months(AUDIT_LOG, before=datetime(2019, 6, 1, tzinfo=UTC), actor=ADA)
    assert "access_auditentry_other" in partitions()
    assert AuditEntry.objects.get().event == "log trimmed"
    assert verify().holds


def test_the_token_log_is_dropped_by_its_own_age(three_months: list[list[int]]) -> None:
    for at in (datetime(2020, 1, 5, tzinfo=UTC), timezone.now()):
        TokenLogEntry.objects.create(
            at=at, principal="user:ada", secret="", registry_id=1, address=None, access={}
        )
    drop_months(TOKEN_LOG, before=datetime(2020, 2, 1, tzinfo=UTC), actor=ADA)
    assert TokenLogEntry.objects.count() == 1
    assert "access_tokenlogentry_2020_01" not in partitions(TOKEN_LOG)
    assert "access_auditentry_2020_01" in partitions()


def test_months_are_made_ahead_and_twice_is_no_harm() -> None:
    make_months()
    make_months()
    first = timezone.now().replace(day=1)
    ahead = {name_of(first + timedelta(days=32 * step)) for step in range(3)}
    assert ahead <= partitions()


def test_entries_of_months_that_nobody_made_are_sorted_in_as_they_are(fresh_log: None) -> None:
    this_month = name_of(timezone.now())
    run(f"DROP TABLE {this_month}")
    numbers = enter(timezone.now(), 3)
    before = verify()
    make_months()
    assert this_month in partitions()
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT number FROM {this_month} ORDER BY number")
        assert [number for (number,) in cursor.fetchall()] == numbers
    after = verify()
    assert (after.holds, after.hash) == (True, before.hash)
    with transaction.atomic():
        emit([events.TeamRemoved("", timezone.now(), "x")], actor=ADA)
    assert verify().number == numbers[-1] + 1


def test_a_month_that_was_made_is_append_only_too() -> None:
    make_months()
    following = timezone.now().replace(day=1) + timedelta(days=32)
    with pytest.raises(Exception, match="append-only"), transaction.atomic():
        run(f"TRUNCATE {name_of(following)}")


def test_the_daily_task_and_the_command_keep_what_the_settings_say(
    three_months: list[list[int]], settings: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.AUDIT_RETENTION_MONTHS = 0
    settings.TOKEN_LOG_RETENTION_MONTHS = 3
    keep_trail()
    assert "access_auditentry_2020_01" in partitions()
    assert "access_tokenlogentry_2020_01" not in partitions(TOKEN_LOG)
    call_command("audit_retention", audit_months=12)
    assert "audit log: 2 months with 4 entries dropped." in capsys.readouterr().out
    assert verify().holds


def test_with_both_at_0_nothing_is_dropped(three_months: list[list[int]]) -> None:
    assert months.trim(audit_months=0, token_log_months=0, actor=SYSTEM) == []


@pytest.mark.parametrize(
    ("kept", "start"),
    [(0, None), (-1, None), (1, (2026, 10)), (10, (2026, 1)), (11, (2025, 12)), (24, (2024, 11))],
)
def test_whole_months_are_kept_besides_the_running_one(
    kept: int, start: tuple[int, int] | None
) -> None:
    found = cutoff(kept, now=datetime(2026, 11, 24, 12, tzinfo=UTC))
    assert found == (datetime(*start, 1, tzinfo=UTC) if start else None)


@given(
    st.lists(
        st.tuples(st.integers(1, 12), st.integers(1, 60), st.integers(0, 5)),
        max_size=8,
        unique=True,
    ),
    st.integers(1, 12),
)
def test_what_is_left_is_always_one_run_of_numbers(
    rows: list[tuple[int, int, int]], month: int
) -> None:
    parts = [
        Part(str(at), datetime(2026, end, 1, tzinfo=UTC), first, first + more)
        for at, (end, first, more) in enumerate(rows)
    ]
    before = datetime(2026, month, 1, tzinfo=UTC)
    dropped = droppable(parts, before)
    kept = [part for part in parts if part not in dropped]
    assert all(part.end is not None and part.end <= before for part in dropped)
    assert all((gone.last or 0) < (left.first or 0) for gone in dropped for left in kept)
