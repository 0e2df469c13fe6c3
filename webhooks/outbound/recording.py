"""What came of attempts, into rows: one statement for all attempts and deliveries of a batch, then
what it says about the receivers."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from registries.sync.staging import execute, fetch
from webhooks.outbound.lanes import Sent
from webhooks.outbound.schedule import Next, judge
from webhooks.outbound.send import Outcome

# What of a request is kept; ours are a few kilobytes.
REQUEST_LIMIT = 64 * 1024

# As one document: psycopg quotes the elements of arrays one by one, in Python (measured: a third of a
# worker's time).
#
# A delivery that a person or another worker has brought on meanwhile keeps what they made of it,
# unless this attempt delivered it.
_RECORD = """
    WITH sent AS MATERIALIZED (
        SELECT * FROM json_to_recordset(%(rows)s::json) AS one(
            delivery bigint, state text, tries int, due_at timestamptz, reason text,
            at timestamptz, seconds float8, address text, status int, error text,
            request_headers jsonb, request_body text,
            response_headers jsonb, response_body text, response_cut bool)
    ), changed AS (
        UPDATE webhooks_delivery delivery
           SET state = sent.state, tries = sent.tries, due_at = sent.due_at, reason = sent.reason,
               ended_at = CASE WHEN sent.state = 'waiting' THEN NULL ELSE %(now)s END
          FROM sent
         WHERE delivery.id = sent.delivery
           AND (delivery.state = 'waiting'
                OR sent.state = 'delivered' AND delivery.state <> 'delivered')
    )
    INSERT INTO webhooks_attempt (
        delivery_id, at, seconds, address, status, error, request_headers, request_body,
        response_headers, response_body, response_cut)
    SELECT there.id, sent.at, sent.seconds, sent.address, sent.status, sent.error,
           sent.request_headers, sent.request_body, sent.response_headers,
           sent.response_body, sent.response_cut
      FROM sent
      -- Not of deliveries that were removed meanwhile, with their subscription.
      JOIN (SELECT id FROM webhooks_delivery WHERE id = ANY(%(deliveries)s::bigint[])
               FOR KEY SHARE) there ON there.id = sent.delivery
"""

_HAND_BACK = """
    UPDATE webhooks_delivery SET due_at = %(now)s WHERE id = ANY(%(deliveries)s) AND state = 'waiting'
"""

_WELL = """
    UPDATE webhooks_subscription SET failures = 0, failing_since = NULL
     WHERE id = ANY(%(ids)s) AND failing_since IS NOT NULL
"""

_FAILING = """
    WITH failed AS (
        SELECT * FROM unnest(
            %(ids)s::uuid[], %(counts)s::int[], %(firsts)s::timestamptz[], %(slows)s::timestamptz[]
        ) AS one(id, failures, first, slow_until)
    ), locked AS MATERIALIZED (
        SELECT id FROM webhooks_subscription WHERE id = ANY(%(ids)s::uuid[])
         ORDER BY id FOR NO KEY UPDATE
    )
    UPDATE webhooks_subscription s
       SET failures = s.failures + failed.failures,
           failing_since = coalesce(s.failing_since, failed.first),
           slow_until = greatest(s.slow_until, failed.slow_until)
      FROM failed JOIN locked USING (id)
     WHERE s.id = failed.id AND s.state = 'active'
    RETURNING s.id, s.failing_since, s.failures
"""


@dataclass(frozen=True, slots=True)
class Failing:
    """A receiver that failed, since when, and how many times in a row."""

    subscription: UUID
    since: datetime
    failures: int


@dataclass(frozen=True, slots=True)
class Recorded:
    """What a batch said about receivers: who failed, and who wants nothing any more."""

    failing: list[Failing] = field(default_factory=list)
    gone: frozenset[UUID] = frozenset()


def record(batch: Sequence[Sent]) -> Recorded:
    """Write down a batch, in one transaction; and how its receivers are, in another."""
    back = [sent.claimed.delivery for sent in batch if sent.outcome is None]
    if back:
        execute(_HAND_BACK, {"now": timezone.now(), "deliveries": back})
    judged = [
        (sent, sent.outcome, _judge(sent, sent.outcome))
        for sent in batch
        if sent.outcome is not None
    ]
    if not judged:
        return Recorded()
    _write(judged)
    with transaction.atomic():
        return _write_health(judged)


def _judge(sent: Sent, outcome: Outcome) -> Next:
    return judge(
        sent.claimed.tries,
        outcome.status,
        outcome.retry_after,
        pauses=settings.WEBHOOK_RETRY_SECONDS,
        luck=random.random(),  # noqa: S311 - spreads load, keeps no secret
    )


def _write(judged: Sequence[tuple[Sent, Outcome, Next]]) -> None:
    now = timezone.now()
    # In one order, so that two workers never wait for each other.
    rows = sorted((_row(*each, now) for each in judged), key=lambda row: row["delivery"])
    execute(
        _RECORD,
        {
            "rows": orjson.dumps(rows).decode(),
            "now": now,
            "deliveries": [row["delivery"] for row in rows],
        },
    )


def _row(sent: Sent, outcome: Outcome, following: Next, now: datetime) -> dict[str, Any]:
    claimed = sent.claimed
    return {
        "delivery": claimed.delivery,
        "state": _state(following),
        "tries": claimed.tries,
        "due_at": now + (following.after or timedelta()),
        "reason": outcome.error[:255],
        "at": outcome.at,
        "seconds": outcome.seconds,
        "address": outcome.address[:64],
        "status": outcome.status,
        "error": outcome.error[:255],
        "request_headers": claimed.shown_headers,
        "request_body": claimed.outgoing.body[:REQUEST_LIMIT].decode(errors="replace"),
        "response_headers": outcome.headers,
        "response_body": outcome.body,
        "response_cut": outcome.cut,
    }


def _state(following: Next) -> str:
    if following.delivered:
        return "delivered"
    return "given up" if following.given_up else "waiting"


def _write_health(judged: Sequence[tuple[Sent, Outcome, Next]]) -> Recorded:
    """A receiver that took anything in this batch is well; of the others it is told how they fail."""
    well = {sent.claimed.subscription for sent, outcome, _ in judged if outcome.succeeded}
    failed: dict[UUID, list[tuple[Outcome, Next]]] = {}
    for sent, outcome, following in judged:
        if sent.claimed.subscription not in well:
            failed.setdefault(sent.claimed.subscription, []).append((outcome, following))
    if well:
        execute(_WELL, {"ids": sorted(well)})
    if not failed:
        return Recorded()
    rows = fetch(
        _FAILING,
        {
            "ids": list(failed),
            "counts": [len(each) for each in failed.values()],
            "firsts": [min(outcome.at for outcome, _ in each) for each in failed.values()],
            "slows": [_slow_until(each) for each in failed.values()],
        },
    )
    gone = {key for key, each in failed.items() if any(following.stops for _, following in each)}
    return Recorded([Failing(*row) for row in rows], frozenset(gone))


def _slow_until(each: Sequence[tuple[Outcome, Next]]) -> datetime | None:
    waits = [outcome.at + following.slow for outcome, following in each if following.slow]
    return max(waits, default=None)
