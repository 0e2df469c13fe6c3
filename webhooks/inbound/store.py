"""What was heard into the table: one statement, whatever came."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from threading import Lock
from typing import TypeAlias

import orjson
import psycopg
from django.db import (
    DatabaseError,
    DataError,
    IntegrityError,
    InterfaceError,
    OperationalError,
    ProgrammingError,
    connection,
)

from registries.oci.transport import USER_AGENT
from webhooks.inbound.told import OTHER, PULL, Heard, Misread, Told
from webhooks.models import Notification

State = Notification.State
Row: TypeAlias = "dict[str, object]"

# The same for all versions of ours.
OWN_AGENT = USER_AGENT.partition("/")[0] + "/"
# Of a registry so much is kept that was not understood, the newest.
MOST_JUNK = 200
# So many requests at most are stored by one statement.
MOST_TOGETHER = 100
# Pulls are nobody's hurry, and docker's are two: its HEAD and its GET then mostly come together.
PULLS_WAIT = timedelta(seconds=3)

# All rows in one value: to hand over an array for each column took longer than all else here.
_INSERT = """
    INSERT INTO webhooks_notification (
        registry_id, event_id, verb, repository, tag, digest, actor, agent, address, method,
        occurred_at, received_at, body, state, reason, tries, due_at, handled_at)
    SELECT registry, event_id, verb, repository, tag, digest, actor, agent, address,
           method, occurred_at, came_at, body, state, reason, 0, due_at,
           CASE WHEN state <> 'waiting' THEN came_at END
      FROM json_to_recordset(%s::json)
        AS heard (registry bigint, came_at timestamptz, event_id text, verb text, repository text, tag text, digest text, actor text,
                  agent text, address text, method text, occurred_at timestamptz, body text,
                  state text, reason text, due_at timestamptz)
        ON CONFLICT (registry_id, event_id) DO NOTHING
 RETURNING registry_id, event_id
"""
_BOUND_JUNK = """
    DELETE FROM webhooks_notification WHERE id IN (
        SELECT id FROM webhooks_notification WHERE registry_id = %s AND state = 'junk'
         ORDER BY id DESC OFFSET %s)
"""


def store(registry_id: int, heard: Sequence[tuple[Heard, str]], now: datetime) -> int:
    """Insert what is new of it; returns how much that is. Committed when it returns.

    Our own reads are left out: a sync would leave thousands of them each time. What is there by its
    event id stays as it is: a repeat changes nothing.
    """
    rows = [
        {"registry": registry_id, "came_at": now, **_row(it, said, now)}
        for it, said in heard
        if not is_own_read(it)
    ]
    if not rows:
        return 0
    stored = _together(rows)
    if any(row["state"] == State.JUNK for row in rows):
        with connection.cursor() as cursor:
            cursor.execute(_BOUND_JUNK, [registry_id, MOST_JUNK])
    return stored


# Several requests of a process at once -----------------------------------------------------------


@dataclass(slots=True)
class _Asked:
    """Rows of one request, and what became of them: how many were new, or why none is there."""

    rows: list[Row]
    stored: int | None = None
    error: BaseException | None = None

    @property
    def is_over(self) -> bool:
        return self.stored is not None or self.error is not None


_waiting: deque[_Asked] = deque()
_turn = Lock()


def _together(rows: list[Row]) -> int:
    """How many of the rows were new. While one request's statement is under way the others line up,
    and the next takes along all that stand there: one commit for all of them."""
    asked = _Asked(rows)
    _waiting.append(asked)
    with _turn:
        while not asked.is_over:
            _write_waiting()
    if asked.error is not None:
        raise asked.error
    return asked.stored or 0


def _write_waiting() -> None:
    batch: list[_Asked] = []
    while _waiting and len(batch) < MOST_TOGETHER:
        batch.append(_waiting.popleft())
    try:
        _write(batch)
    except (DataError, IntegrityError) as error:
        if len(batch) == 1:
            batch[0].error = error
        # What the database refuses of one (its registry was just removed) is no matter of the others.
        for asked in batch if len(batch) > 1 else ():
            try:
                _write([asked])
            except DatabaseError as error:
                asked.error = error
    except BaseException as error:
        for asked in batch:
            asked.error = error
        raise


def _write(batch: Sequence[_Asked]) -> None:
    new = _insert(orjson.dumps([row for asked in batch for row in asked.rows]).decode())
    for asked in batch:
        mine = {(row["registry"], row["event_id"]) for row in asked.rows} & new
        asked.stored = len(mine)
        new -= mine  # what came twice at once was new for the first


def _insert(rows: str) -> set[tuple[object, object]]:
    """The registries and event ids that were new. Nobody asks first whether the connection still
    works: it is opened anew where it does not, and what was stored before it broke is known by its
    event id."""
    connection.health_check_done = True  # type: ignore[attr-defined]  # unknown to the stubs
    try:
        return _execute(rows)
    # ProgrammingError: a pooler gave us a connection on which nothing was prepared.
    except (InterfaceError, OperationalError, ProgrammingError):
        if connection.in_atomic_block:
            raise
        connection.close()
        return _execute(rows)


def _execute(rows: str) -> set[tuple[object, object]]:
    """Prepared: Postgres plans it once a connection, which takes as long as to carry it out."""
    connection.ensure_connection()
    with connection.wrap_database_errors, psycopg.Cursor(connection.connection) as cursor:
        return set(cursor.execute(_INSERT, [rows], prepare=True).fetchall())


def is_own_read(heard: Heard) -> bool:
    """Whether Portolan's own sync caused it, told by its user agent."""
    return isinstance(heard, Told) and heard.verb == PULL and heard.agent.startswith(OWN_AGENT)


def _row(heard: Heard, said: str, now: datetime) -> Row:
    if isinstance(heard, Misread):
        # The same junk again is one row.
        event_id = f"junk:{sha256(said.encode()).hexdigest()}"
        return _columns(Told(event_id, OTHER), said, now, State.JUNK, heard.why)
    state = State.IGNORED if heard.ignored else State.WAITING
    return _columns(heard, said, now, state, heard.ignored)


def _columns(heard: Told, said: str, now: datetime, state: Notification.State, reason: str) -> Row:
    return {
        "event_id": heard.event_id,
        "verb": heard.verb,
        # Of what is ignored nobody asked whether there can be such names.
        "repository": heard.repository[:255],
        "tag": heard.tag[:128],
        "digest": heard.digest[:140],
        "actor": heard.actor,
        "agent": heard.agent,
        "address": heard.address,
        "method": heard.method,
        "occurred_at": heard.occurred_at,
        "body": said,
        "state": str(state),
        "reason": reason,
        "due_at": now + PULLS_WAIT if heard.verb == PULL else now,
    }
