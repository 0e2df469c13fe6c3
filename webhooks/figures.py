"""How deliveries went in the last day, by hour: what lists and charts show."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection

HOURS = 24
# A page reads at most so many rows, shared among its webhooks: of each the newest are counted. On a
# list of fifty that is four hundred of each; who sends more sees its whole day on its own page.
COUNTED = 20_000

_BY_HOUR = """
    SELECT wanted.id, floor(extract(epoch FROM %(now)s - newest.created_at) / 3600)::int AS ago,
        count(*) FILTER (WHERE newest.state = 'delivered'),
        count(*) FILTER (
            WHERE newest.state = 'given up' OR (newest.state = 'waiting' AND newest.tries > 0)
        )
    FROM unnest(%(ids)s::uuid[]) AS wanted(id)
    CROSS JOIN LATERAL (
        SELECT created_at, state, tries FROM webhooks_delivery
        WHERE subscription_id = wanted.id ORDER BY id DESC LIMIT %(counted)s
    ) AS newest
    WHERE newest.created_at > %(since)s AND newest.created_at <= %(now)s
    GROUP BY wanted.id, ago
"""


@dataclass(frozen=True, slots=True)
class Hour:
    """What was enqueued in an hour: delivered, and failed so far (given up, or to be tried again)."""

    begins: datetime
    delivered: int
    failed: int

    @property
    def total(self) -> int:
        return self.delivered + self.failed


@dataclass(frozen=True, slots=True)
class Day:
    """The last 24 hours, the oldest first."""

    hours: tuple[Hour, ...]

    @property
    def delivered(self) -> int:
        return sum(hour.delivered for hour in self.hours)

    @property
    def failed(self) -> int:
        return sum(hour.failed for hour in self.hours)

    @property
    def percent(self) -> int | None:
        """How many of a hundred were delivered; 100 only if all were, None for nothing sent."""
        total = self.delivered + self.failed
        return self.delivered * 100 // total if total else None


def days_of(subscriptions: Iterable[UUID], *, now: datetime) -> dict[UUID, Day]:
    """The last day of each of these webhooks, with one query."""
    wanted = list(subscriptions)
    counts: dict[UUID, dict[int, tuple[int, int]]] = {one: {} for one in wanted}
    if wanted:
        with connection.cursor() as cursor:
            since = now - timedelta(hours=HOURS)
            cursor.execute(
                _BY_HOUR,
                # As Postgres writes an array: the stubs know of no list here.
                {
                    "ids": "{" + ",".join(map(str, wanted)) + "}",
                    "now": now,
                    "since": since,
                    "counted": max(COUNTED // len(wanted), 1),
                },
            )
            for pk, ago, delivered, failed in cursor.fetchall():
                counts[pk][ago] = delivered, failed
    empty = _empty(now)
    return {pk: _day(by_hour, empty) for pk, by_hour in counts.items()}


def together(days: Iterable[Day], *, now: datetime) -> Day:
    """The sum of several days that end now."""
    summed: dict[int, tuple[int, int]] = {}
    for day in days:
        for ago, hour in enumerate(reversed(day.hours)):
            delivered, failed = summed.get(ago, (0, 0))
            summed[ago] = delivered + hour.delivered, failed + hour.failed
    return _day(summed, _empty(now))


def _empty(now: datetime) -> tuple[Hour, ...]:
    return tuple(Hour(now - timedelta(hours=ago), 0, 0) for ago in range(HOURS, 0, -1))


def _day(by_hour: Mapping[int, tuple[int, int]], empty: Iterable[Hour]) -> Day:
    hours = list(empty)
    for ago, (delivered, failed) in by_hour.items():
        place = HOURS - 1 - ago
        hours[place] = Hour(hours[place].begins, delivered, failed)
    return Day(tuple(hours))
