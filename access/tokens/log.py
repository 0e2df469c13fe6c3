"""The log of issued tokens, and what they tell: when a secret was used last, which rights are used.

Entries are queued in memory and written every few seconds by a thread of the web process, by COPY:
no token waits for the log. The queue is bounded; when the database is away for long, entries are
dropped and counted, and tokens go on.
"""

from __future__ import annotations

import atexit
import logging
import os
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from threading import Event, Lock, Thread

import orjson
from django.conf import settings
from django.db import DataError, Error, IntegrityError, connection, transaction

log = logging.getLogger(__name__)

FLUSH_SECONDS = 5.0
MOST_WAITING = 50_000
MOST_AT_ONCE = 5_000
# With one idle connection a process more, a database runs out of them.
IDLE_FLUSHES = 6


@dataclass(frozen=True, slots=True)
class Issued:
    """A token that went out: to whom, by which secret, for what."""

    at: datetime
    principal: str
    secret: str
    registry: int
    address: str | None
    # (path, verbs) of repositories; the catalog is under "*".
    access: tuple[tuple[str, tuple[str, ...]], ...]


_COPY = """
    COPY access_tokenlogentry (at, principal, secret, registry_id, address, access) FROM STDIN
"""
# A registry that was removed in between is left out; sorted, so that two processes cannot deadlock.
_USE = """
    INSERT INTO access_use (principal, registry_id, path, verb, last_at, count)
    SELECT seen.* FROM unnest(%s::text[], %s::bigint[], %s::text[], %s::text[], %s::timestamptz[],
                              %s::bigint[]) AS seen (principal, registry_id, path, verb, last_at, count)
    JOIN registries_registry ON registries_registry.id = seen.registry_id
    ORDER BY 1, 2, 3, 4
    ON CONFLICT (principal, registry_id, path, verb) DO UPDATE
    SET last_at = greatest(access_use.last_at, excluded.last_at),
        count = access_use.count + excluded.count
"""
_LAST_USED = """
    UPDATE access_secret SET last_used_at = seen.at, last_used_from = seen.address
    FROM unnest(%s::text[], %s::timestamptz[], %s::inet[]) AS seen (key_id, at, address)
    WHERE access_secret.key_id = seen.key_id
      AND (last_used_at IS NULL OR last_used_at < seen.at - interval '1 minute')
"""


def write(entries: Iterable[Issued]) -> None:
    """Enter these tokens, count the rights they used, and note the last use of their secrets."""
    batch = list(entries)
    if not batch:
        return
    with transaction.atomic(), connection.cursor() as cursor:
        # Errors of COPY are psycopg's own, unless they are turned into Django's.
        with connection.wrap_database_errors, cursor.copy(_COPY) as copy:
            for entry in batch:
                access = orjson.dumps(dict(entry.access)).decode()
                who = (entry.principal[:80], entry.secret)
                copy.write_row((entry.at, *who, entry.registry, entry.address, access))
        uses = _uses(batch)
        if uses:
            cursor.execute(_USE, [list(column) for column in zip(*uses, strict=True)])
        used = {entry.secret: entry for entry in batch if entry.secret}
        rows = [(key, used[key].at, used[key].address) for key in sorted(used)]
        if rows:
            cursor.execute(_LAST_USED, [list(column) for column in zip(*rows, strict=True)])


def _write_most(batch: list[Issued]) -> None:
    """All of it at once; if the database refuses one, the others must not wait for that one."""
    try:
        write(batch)
    except (DataError, IntegrityError):
        for entry in batch:
            try:
                write([entry])
            except (DataError, IntegrityError):
                log.exception("A token was issued and could not be entered in the log.")


def _uses(batch: Iterable[Issued]) -> list[tuple[str, int, str, str, datetime, int]]:
    counts: dict[tuple[str, int, str, str], tuple[datetime, int]] = {}
    for entry in batch:
        for path, verbs in entry.access:
            for verb in verbs if path != "*" else ():
                key = (entry.principal[:80], entry.registry, path, verb)
                last, count = counts.get(key, (entry.at, 0))
                counts[key] = (max(last, entry.at), count + 1)
    return [(*key, *value) for key, value in sorted(counts.items())]


class _Writer:
    """The queue and the thread of this process; started with the first token, after any fork."""

    def __init__(self) -> None:
        self._waiting: deque[Issued] = deque()
        self._lock = Lock()
        self._stopping = Event()
        self._process = 0
        self._dropped = 0

    def note(self, entry: Issued) -> None:
        if len(self._waiting) >= MOST_WAITING:
            self._dropped += 1
            return
        self._waiting.append(entry)
        if settings.TOKEN_LOG_IN_BACKGROUND and self._process != os.getpid():
            self._start()

    def flush(self) -> int:
        """Write what is waiting; returns how many. What could not be written waits on."""
        with self._lock:
            batch: list[Issued] = []
            while self._waiting and len(batch) < MOST_AT_ONCE:
                batch.append(self._waiting.popleft())
            try:
                _write_most(batch)
            except Error:
                log.warning("The token log could not be written; %d wait.", len(batch))
                self._waiting.extendleft(reversed(batch))
                raise
            if self._dropped:
                log.error("%d tokens were issued and not entered in the log.", self._dropped)
                self._dropped = 0
            return len(batch)

    def forget(self) -> None:
        """Drop what is waiting: for tests."""
        self._waiting.clear()

    def _start(self) -> None:
        with self._lock:
            if self._process == os.getpid():
                return
            self._process = os.getpid()
        Thread(target=self._run, name="token-log", daemon=True).start()
        atexit.register(self._finish)

    def _run(self) -> None:
        idle = 0
        while not self._stopping.wait(FLUSH_SECONDS):
            idle = 0 if self._flush_all() else idle + 1
            if idle == IDLE_FLUSHES:
                connection.close()

    def _finish(self) -> None:
        self._stopping.set()
        self._flush_all()

    def _flush_all(self) -> int:
        """Write what waits now. What comes meanwhile is the next time's: under load there would be
        no end, and a transaction for every few tokens."""
        written, waiting = 0, len(self._waiting)
        try:
            while written < waiting:
                written += self.flush()
        except Exception:  # noqa: BLE001  the thread must outlive whatever happens to the database
            connection.close()
        return written


_writer = _Writer()
note = _writer.note
flush = _writer.flush
forget = _writer.forget
