"""Waiting notifications, taken by one worker at a time, and what became of them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import transaction

from registries.models import Registry
from registries.sync.staging import execute, fetch
from webhooks.models import Notification

TOGETHER = 500
# Of a registry with a budget of requests, as many as are read within the lease: each with a HEAD, a
# manifest and a configuration, and some with those of their platforms.
REQUESTS_EACH = 4
# So long a worker has them to itself; what a killed one held comes back then.
LEASE = timedelta(minutes=2)
# After 5 s, 10 s, 20 s, …: the last time is about twenty minutes after the first.
MOST_TRIES = 8
FIRST_PAUSE = timedelta(seconds=5)
LONGEST_PAUSE = timedelta(minutes=10)

_CLAIM = """
    WITH due AS (
        SELECT id FROM webhooks_notification
         WHERE state = 'waiting' AND due_at <= %(now)s AND registry_id = %(registry)s
         ORDER BY due_at, id LIMIT %(most)s
           FOR UPDATE SKIP LOCKED)
    UPDATE webhooks_notification notification
       SET due_at = %(until)s, tries = tries + 1
      FROM due WHERE notification.id = due.id
 RETURNING notification.id
"""
# A worker that is killed at it puts nothing off.
_GIVE_UP = """
    UPDATE webhooks_notification
       SET state = 'given up', reason = %(reason)s, handled_at = %(now)s
     WHERE state = 'waiting' AND due_at <= %(now)s AND registry_id = %(registry)s
       AND tries >= %(tries)s
"""
_SETTLE = """
    UPDATE webhooks_notification SET state = %(state)s, reason = %(reason)s, handled_at = %(now)s
     WHERE id = ANY(%(ids)s) AND state = 'waiting'
 RETURNING id
"""


def registries_due(now: datetime) -> list[Registry]:
    """Registries of which something is due. Each is handled by itself: one that does not answer
    holds up none of the others that another worker takes."""
    due = Notification.objects.filter(state=Notification.State.WAITING, due_at__lte=now)
    return list(Registry.objects.filter(pk__in=due.values("registry")))


def claim(registry: Registry, now: datetime, *, most: int | None = None) -> list[Notification]:
    """Some of the registry's that are due, for LEASE; each with one try more. Those that had all
    their tries are given up."""
    values = {
        "registry": registry.pk,
        "now": now,
        "until": now + LEASE,
        "most": together(registry) if most is None else most,
        "tries": MOST_TRIES,
        "reason": f"It was tried {MOST_TRIES} times, and the last time never came to an end.",
    }
    with transaction.atomic():
        execute(_GIVE_UP, values)
        ids = [pk for (pk,) in fetch(_CLAIM, values)]
    return list(Notification.objects.filter(pk__in=ids).defer("body").order_by("pk"))


def together(registry: Registry) -> int:
    """How many of a registry's are handled at once: what a batch brought is known to be done only
    when all of it was read, and a worker is not given for ever."""
    if (budget := registry.requests_per_minute) is None:
        return TOGETHER
    requests = int(budget * (LEASE / timedelta(minutes=1)))
    return min(max(requests // REQUESTS_EACH, 1), TOGETHER)


def settle(
    notifications: Iterable[Notification],
    state: Notification.State,
    now: datetime,
    reason: str = "",
) -> set[int]:
    """They are over; returns the ids of those that another worker had not settled meanwhile."""
    values = {
        "ids": [it.pk for it in notifications],
        "state": str(state),
        "reason": reason[:255],
        "now": now,
    }
    return {pk for (pk,) in fetch(_SETTLE, values)}


def put_off(notification: Notification, now: datetime, reason: str) -> None:
    """Try again later, or give up: the next sync finds what it told of anyway."""
    if notification.tries >= MOST_TRIES:
        settle([notification], Notification.State.GIVEN_UP, now, reason)
        return
    Notification.objects.filter(pk=notification.pk, state=Notification.State.WAITING).update(
        due_at=now + pause_after(notification.tries), reason=reason[:255]
    )


def pause_after(tries: int) -> timedelta:
    """How long to wait after so many tries, one at least."""
    return min(FIRST_PAUSE * (1 << min(tries - 1, 16)), LONGEST_PAUSE)
