"""Notifications straight into the table, and the worker that handles them."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

from django.utils import timezone

from registries.models import Registry
from webhooks.inbound import claims
from webhooks.inbound.store import store
from webhooks.inbound.told import Told
from webhooks.inbound.working import handle_waiting
from webhooks.models import Notification

numbers = itertools.count()


def tell(registry: Registry, verb: str, repository: str, **fields: Any) -> Notification:
    """One notification that is due now, received `ago` seconds ago."""
    now = timezone.now() - timedelta(seconds=fields.pop("ago", 0))
    event_id = fields.pop("event_id", f"n-{next(numbers)}")
    store(registry.pk, [(Told(event_id, verb, repository, **fields), "{}")], now)
    Notification.objects.filter(event_id=event_id).update(due_at=now)
    return Notification.objects.get(event_id=event_id)


def handled(*notifications: Notification) -> list[tuple[str, str]]:
    """State and reason of each when the worker has nothing left to do."""
    handle_waiting()
    for it in notifications:
        it.refresh_from_db()
    return [(it.state, it.reason) for it in notifications]


def again() -> None:
    """All that was put off is due."""
    Notification.objects.filter(state="waiting").update(due_at=datetime(2026, 1, 1, tzinfo=UTC))


def time_passes(notification: Notification) -> timedelta:
    """How long it was put off."""
    notification.refresh_from_db()
    return notification.due_at - timezone.now()


__all__ = ["again", "claims", "handled", "tell", "time_passes"]
