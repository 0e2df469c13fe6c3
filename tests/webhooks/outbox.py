"""Webhooks with a past, for tests of what is shown of them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from access.scopes import Scope
from registries.models import Registry
from registries.secret import Secret
from tests import catalog
from webhooks.catalog import Topic
from webhooks.models import Attempt, Delivery, Event, Subscription

BODY = '{"type": "tag.moved", "data": {"tag": "1.0"}}'


def webhook(
    scope: str = "harbour/team-a/*", *, name: str = "Deploy", **fields: Any
) -> Subscription:
    """One that was made by nobody, with an address and a header that are secret."""
    where = Scope.parse(scope)
    values: dict[str, Any] = {
        "topics": [Topic.PUSH.value, Topic.TAG_MOVED.value],
        "form": Subscription.Form.STRUCTURED,
        "url": Secret("https://ci.example.com/hook/s3cret"),
        "host": "ci.example.com",
        "headers": Secret('{"Authorization": "Bearer s3cret"}'),
        "secret": Secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
        "old_secret": Secret(""),
    }
    registry = Registry.objects.get(name=where.registry) if where.registry else None
    return Subscription.objects.create(
        name=name, registry=registry, path=where.path, **{**values, **fields}
    )


def event(
    topic: Topic = Topic.TAG_MOVED,
    repository: str = "team-a/app",
    *,
    registry: str = "harbour",
    **fields: Any,
) -> Event:
    values: dict[str, Any] = {
        "tag": "1.0" if repository else "",
        "digest": catalog.digest_of("new"),
        "old_digest": catalog.digest_of("old"),
        "actor_kind": "user",
        "actor_label": "anna",
    }
    return Event.objects.create(
        topic=topic, registry=registry, repository=repository, **{**values, **fields}
    )


def delivery(
    subscription: Subscription,
    state: Delivery.State = Delivery.State.DELIVERED,
    *,
    of: Event | None = None,
    at: datetime | None = None,
    **fields: Any,
) -> Delivery:
    at = at or timezone.now()
    ended = state in (Delivery.State.DELIVERED, Delivery.State.GIVEN_UP)
    return Delivery.objects.create(
        event=of or event(),
        subscription=subscription,
        state=state,
        created_at=at,
        ended_at=at + timedelta(seconds=1) if ended else None,
        **fields,
    )


def attempt(of: Delivery, status: int | None = 200, **fields: Any) -> Attempt:
    values: dict[str, Any] = {
        "seconds": 0.125,
        "address": "198.35.26.96",
        "error": "" if status else "The address could not be dialled.",
        "request_headers": {"webhook-id": "evt_1", "Authorization": "•••"},
        "request_body": BODY,
        "response_headers": {"Server": "ci"} if status else {},
        "response_body": "<b>thanks</b>" if status else "",
    }
    return Attempt.objects.create(delivery=of, status=status, **{**values, **fields})
