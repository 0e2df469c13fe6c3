"""How long notifications are kept: for looking back, and to know a repeat by its id."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings

from registries.models import Registry
from registries.sync.staging import execute

# Pulls are the many, and nobody looks back at them: what they told is counted. A sender repeats
# within minutes, or after a night without us.
PULL_DAYS = 2
TOGETHER = 5000


def forget_old(now: datetime) -> int:
    """Delete what is older than EVENT_RETENTION_DAYS (0 keeps all), and pulls that were counted after
    PULL_DAYS; returns how many. In short transactions: none may hold up what is coming in."""
    gone = 0
    for registry in Registry.objects.values_list("pk", flat=True):
        pulls_before = now - timedelta(days=PULL_DAYS)
        gone += _delete(registry, "verb = 'pull' AND state <> 'waiting'", pulls_before)
        if days := settings.EVENT_RETENTION_DAYS:
            gone += _delete(registry, "true", now - timedelta(days=days))
    return gone


def _delete(registry: int, condition: str, before: datetime) -> int:
    total = 0
    while True:
        # By registry and time, which is the order of the index.
        gone = execute(
            f"""
            DELETE FROM webhooks_notification WHERE id IN (
                SELECT id FROM webhooks_notification
                 WHERE registry_id = %(registry)s AND received_at < %(before)s AND {condition}
                 ORDER BY received_at LIMIT %(most)s)
            """,  # noqa: S608  one of two constants
            {"registry": registry, "before": before, "most": TOGETHER},
        )
        total += gone
        if gone < TOGETHER:
            return total
