"""What was heard into the table: one statement, whatever came."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from hashlib import sha256

from django.db import connection

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

_INSERT = """
    INSERT INTO webhooks_notification (
        registry_id, event_id, verb, repository, tag, digest, actor, agent, address, method,
        occurred_at, received_at, body, state, reason, tries, due_at, handled_at)
    SELECT %(registry)s, event_id, verb, repository, tag, digest, actor, agent, address, method,
           occurred_at, %(now)s, body, state, reason, 0, due_at,
           CASE WHEN state <> 'waiting' THEN %(now)s::timestamptz END
      FROM unnest(%(event_id)s::text[], %(verb)s::text[], %(repository)s::text[], %(tag)s::text[],
                  %(digest)s::text[], %(actor)s::text[], %(agent)s::text[], %(address)s::text[],
                  %(method)s::text[], %(occurred_at)s::timestamptz[], %(body)s::text[],
                  %(state)s::text[], %(reason)s::text[], %(due_at)s::timestamptz[])
        AS heard (event_id, verb, repository, tag, digest, actor, agent, address, method,
                  occurred_at, body, state, reason, due_at)
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
    columns = {name: [row[name] for row in rows] for name in rows[0]}
    with connection.cursor() as cursor:
        cursor.execute(_INSERT, {"registry": registry_id, "now": now, **columns})
        stored: int = cursor.rowcount
        if any(row["state"] == State.JUNK for row in rows):
            cursor.execute(_BOUND_JUNK, [registry_id, MOST_JUNK])
    return stored


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
