"""How long notifications are kept: for looking back, and to know a repeat by its id."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings

from registries.sync.staging import execute

# Pulls are the many, and nobody looks back at them: what they told is counted. A sender repeats
# within minutes, or after a night without us.
PULL_DAYS = 2
TOGETHER = 5000


def forget_old(now: datetime) -> int:
    """Delete what is older than EVENT_RETENTION_DAYS (0 keeps all), and pulls that were counted after
    PULL_DAYS; returns how many. In short transactions: none may hold up what is coming in."""
    days = settings.EVENT_RETENTION_DAYS
    gone = _delete("verb = 'pull' AND state <> 'waiting'", now - timedelta(days=PULL_DAYS))
    return gone + (_delete("true", now - timedelta(days=days)) if days else 0)


def _delete(condition: str, before: datetime) -> int:
    total = 0
    while True:
        # Ordered by time, which is the order of the index.
        gone = execute(
            f"""
            DELETE FROM webhooks_notification WHERE id IN (
                SELECT id FROM webhooks_notification
                 WHERE received_at < %(before)s AND {condition}
                 ORDER BY received_at LIMIT %(most)s)
            """,  # noqa: S608  one of two constants
            {"before": before, "most": TOGETHER},
        )
        total += gone
        if gone < TOGETHER:
            return total
