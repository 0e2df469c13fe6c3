"""The months of the audit log and of the token log: made ahead, and dropped when they are too old.

A month is a partition, so dropping one takes no time and leaves no holes. The audit log's head keeps
where the chain then begins; both change in one transaction, which is an entry of the log itself.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from access.events import LogTrimmed
from registries.actor import Actor
from registries.events import emit

AUDIT_LOG = "access_auditentry"
TOKEN_LOG = "access_tokenlogentry"  # noqa: S105  a table's name
_NAMES = {AUDIT_LOG: "audit log", TOKEN_LOG: "token log"}
# Whoever waits for a whole log makes everybody behind wait: rather try again later.
_LOCK_TIMEOUT = "3s"
_MONTH = re.compile(r"_([0-9]{4})_([0-9]{2})$")


@dataclass(frozen=True, slots=True)
class Part:
    """A partition. `end` is that of its month, or its newest entry's for what no month took;
    `first` and `last` are the numbers in it, none if it is empty or its log is not numbered."""

    name: str
    end: datetime | None
    first: int | None = None
    last: int | None = None


@dataclass(frozen=True, slots=True)
class Trimmed:
    """What was dropped of a log."""

    log: str
    parts: int = 0
    entries: int = 0


def trim(*, audit_months: int, token_log_months: int, actor: Actor) -> list[Trimmed]:
    """Make the next months of both logs, and drop those older than so many whole months (0 keeps
    all). Raises OperationalError if a log could not be had within seconds; once more is right."""
    make_months()
    kept = {AUDIT_LOG: audit_months, TOKEN_LOG: token_log_months}
    now = datetime.now(UTC)
    return [
        drop_months(table, before=before, actor=actor)
        for table, months in kept.items()
        if (before := cutoff(months, now=now)) is not None
    ]


@transaction.atomic(durable=True)
def make_months() -> None:
    """Make the partitions of this month and the next three, as far as they are not there.

    Raises OperationalError if a log could not be had within seconds.
    """
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL lock_timeout = '{_LOCK_TIMEOUT}'")
        blocked = [table for table in _NAMES if _other_stands_in_the_way(cursor, table)]
        for table in blocked:
            _set_other_aside(cursor, table)
        cursor.execute("SELECT access_make_partitions()")
        for table in blocked:
            _sort_in(cursor, table)


@transaction.atomic(durable=True)
def drop_months(table: str, *, before: datetime, actor: Actor) -> Trimmed:
    """Drop the partitions of a log whose every entry is older than `before`.

    Raises OperationalError if the log could not be had within seconds: somebody exports it.
    """
    with connection.cursor() as cursor:
        if not droppable(_parts(cursor, table), before):
            return Trimmed(_NAMES[table])
        cursor.execute(f"SET LOCAL lock_timeout = '{_LOCK_TIMEOUT}'")
        # The table before the head, in the order of who inserts, or the two would lock each other.
        cursor.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
        dropped = droppable(_parts(cursor, table), before)
        entries = sum(_drop(cursor, table, part) for part in dropped)
        if table == AUDIT_LOG:
            cursor.execute(_MOVE_ANCHOR)
    event = LogTrimmed("", datetime.now(UTC), _NAMES[table], f"{before:%Y-%m-%d}", entries)
    emit([event], actor=actor)
    return Trimmed(_NAMES[table], len(dropped), entries)


# The chain begins with the first entry that is left; if none is, with the next one to come.
_MOVE_ANCHOR = """
    UPDATE access_audithead AS head
       SET first_number = coalesce(first.number, head.number + 1),
           first_previous = coalesce(first.previous_hash, head.hash)
      FROM (SELECT min(number) AS least FROM access_auditentry) AS kept
      LEFT JOIN access_auditentry AS first ON first.number = kept.least
"""


def droppable(parts: Sequence[Part], before: datetime) -> list[Part]:
    """Those that are too old, as long as what is left is one run of numbers.

    Around midnight an entry may get a later number than one of the next month: then its month waits
    until that one goes, too. Only values.
    """
    old = [part for part in parts if part.end is not None and part.end <= before]
    while True:
        kept = [part.first for part in parts if part not in old and part.first is not None]
        begins = min(kept, default=None)
        if begins is None:
            return old
        within = [part for part in old if part.last is None or part.last < begins]
        if within == old:
            return old
        old = within


def cutoff(months: int, *, now: datetime) -> datetime | None:
    """The start of the month that lies so many whole months back; None is never."""
    if months <= 0:
        return None
    count = now.year * 12 + now.month - 1 - months
    return datetime(count // 12, count % 12 + 1, 1, tzinfo=UTC)


def _parts(cursor: CursorWrapper, table: str) -> list[Part]:
    cursor.execute(
        "SELECT child.relname FROM pg_inherits JOIN pg_class AS child ON child.oid = inhrelid"
        " WHERE inhparent = %s::regclass ORDER BY child.relname",
        [table],
    )
    return [_part(cursor, table, name) for (name,) in cursor.fetchall()]


def _part(cursor: CursorWrapper, table: str, name: str) -> Part:
    if found := _MONTH.search(name):
        year, month = int(found[1]), int(found[2])
        end: datetime | None = datetime(year + month // 12, month % 12 + 1, 1, tzinfo=UTC)
    else:
        cursor.execute(f"SELECT max(at) FROM {name}")  # noqa: S608  a name of our own making
        (end,) = cursor.fetchone() or (None,)
    if table != AUDIT_LOG:  # it has no chain that could break
        return Part(name, end)
    cursor.execute(f"SELECT min(number), max(number) FROM {name}")  # noqa: S608
    first, last = cursor.fetchone() or (None, None)
    return Part(name, end, first, last)


def _drop(cursor: CursorWrapper, table: str, part: Part) -> int:
    """Drop it; returns how many entries that were."""
    cursor.execute(f"SELECT count(*) FROM {part.name}")  # noqa: S608
    (entries,) = cursor.fetchone() or (0,)
    cursor.execute(f"DROP TABLE {part.name}")
    if part.name == _other(table):
        _make_other(cursor, table)
    return int(entries)


# What no month took ----------------------------------------------------------------------------


def _other(table: str) -> str:
    return f"{table}_other"


def _other_stands_in_the_way(cursor: CursorWrapper, table: str) -> bool:
    """Whether nobody made partitions for so long that entries of this month lie in the rest."""
    cursor.execute(
        f"SELECT EXISTS (SELECT FROM {_other(table)}"  # noqa: S608
        " WHERE at >= date_trunc('month', now() AT TIME ZONE 'UTC') AT TIME ZONE 'UTC')"
    )
    row = cursor.fetchone()
    return bool(row and row[0])


def _set_other_aside(cursor: CursorWrapper, table: str) -> None:
    cursor.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
    cursor.execute(f"ALTER TABLE {table} DETACH PARTITION {_other(table)}")
    cursor.execute(f"ALTER TABLE {_other(table)} RENAME TO {table}_aside")
    _make_other(cursor, table)


def _sort_in(cursor: CursorWrapper, table: str) -> None:
    """Put what was set aside into the months. Entries move as they are, with their numbers and
    hashes: the chain would show anything else."""
    if table == AUDIT_LOG:
        cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER audit_chain")
    cursor.execute(f"INSERT INTO {table} SELECT * FROM {table}_aside")  # noqa: S608
    if table == AUDIT_LOG:
        cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER audit_chain")
    cursor.execute(f"DROP TABLE {table}_aside")


def _make_other(cursor: CursorWrapper, table: str) -> None:
    cursor.execute(f"CREATE TABLE {_other(table)} PARTITION OF {table} DEFAULT")
    if table == AUDIT_LOG:
        cursor.execute(
            f"CREATE TRIGGER audit_not_emptied BEFORE TRUNCATE ON {_other(table)}"
            " FOR EACH STATEMENT EXECUTE FUNCTION access_audit_refuse()"
        )
