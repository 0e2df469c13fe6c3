"""What was heard into the table: one statement, whatever came."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from hashlib import sha256

import orjson
import psycopg
from django.db import InterfaceError, OperationalError, ProgrammingError, connection

from registries.oci.transport import USER_AGENT
from webhooks.inbound.told import OTHER, PULL, Heard, Misread, Told
from webhooks.models import Notification

State = Notification.State

# The same for all versions of ours.
OWN_AGENT = USER_AGENT.partition("/")[0] + "/"
# Of a registry so much is kept that was not understood, the newest.
MOST_JUNK = 200
# Pulls are nobody's hurry, and docker's are two: its HEAD and its GET then mostly come together.
PULLS_WAIT = timedelta(seconds=3)

# All rows in one value: to hand over an array for each column took longer than all else here.
_INSERT = """
    INSERT INTO webhooks_notification (
        registry_id, event_id, verb, repository, tag, digest, actor, agent, address, method,
        occurred_at, received_at, body, state, reason, tries, due_at, handled_at)
    SELECT %(registry)s::bigint, event_id, verb, repository, tag, digest, actor, agent, address,
           method, occurred_at, %(now)s::timestamptz, body, state, reason, 0, due_at,
           CASE WHEN state <> 'waiting' THEN %(now)s::timestamptz END
      FROM json_to_recordset(%(rows)s::json)
        AS heard (event_id text, verb text, repository text, tag text, digest text, actor text,
                  agent text, address text, method text, occurred_at timestamptz, body text,
                  state text, reason text, due_at timestamptz)
        ON CONFLICT (registry_id, event_id) DO NOTHING
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
    rows = [_row(it, said, now) for it, said in heard if not is_own_read(it)]
    if not rows:
        return 0
    values = {"registry": registry_id, "now": now, "rows": orjson.dumps(rows).decode()}
    stored = _insert(values)
    if any(row["state"] == State.JUNK for row in rows):
        with connection.cursor() as cursor:
            cursor.execute(_BOUND_JUNK, [registry_id, MOST_JUNK])
    return stored


def _insert(values: Mapping[str, object]) -> int:
    """How many rows it made. Nobody asks first whether the connection still works: it is opened anew
    where it does not, and what was stored before it broke is known by its event id."""
    connection.health_check_done = True  # type: ignore[attr-defined]  # unknown to the stubs
    try:
        return _execute(values)
    # ProgrammingError: a pooler gave us a connection on which nothing was prepared.
    except (InterfaceError, OperationalError, ProgrammingError):
        if connection.in_atomic_block:
            raise
        connection.close()
        return _execute(values)


def _execute(values: Mapping[str, object]) -> int:
    """Prepared: Postgres plans it once a connection, which takes as long as to carry it out."""
    connection.ensure_connection()
    with connection.wrap_database_errors, psycopg.Cursor(connection.connection) as cursor:
        return cursor.execute(_INSERT, values, prepare=True).rowcount


def is_own_read(heard: Heard) -> bool:
    """Whether Portolan's own sync caused it, told by its user agent."""
    return isinstance(heard, Told) and heard.verb == PULL and heard.agent.startswith(OWN_AGENT)


def _row(heard: Heard, said: str, now: datetime) -> dict[str, object]:
    if isinstance(heard, Misread):
        # The same junk again is one row.
        event_id = f"junk:{sha256(said.encode()).hexdigest()}"
        return _columns(Told(event_id, OTHER), said, now, State.JUNK, heard.why)
    state = State.IGNORED if heard.ignored else State.WAITING
    return _columns(heard, said, now, state, heard.ignored)


def _columns(
    heard: Told, said: str, now: datetime, state: Notification.State, reason: str
) -> dict[str, object]:
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
