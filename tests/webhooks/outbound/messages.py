"""Events and subscriptions to test with."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from access.models import User
from registries.models import Registry
from tests.catalog import NOON, digest_of
from webhooks.catalog import Topic
from webhooks.models import Event, Subscription
from webhooks.outbound import sign

UID = UUID("0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0")
DIGEST = digest_of("new")
OLD_DIGEST = digest_of("old")
MANIFEST = "application/vnd.oci.image.manifest.v1+json"


def event(topic: Topic = Topic.PUSH, **fields: Any) -> Event:
    """A push of team/app:1.2, not stored."""
    defaults: dict[str, Any] = {
        "uid": UID,
        "registry": "harbour",
        "repository": "team/app",
        "tag": "1.2",
        "digest": DIGEST,
        "at": NOON,
        "actor_kind": "user",
        "actor_id": "7",
        "actor_label": "anna",
        "data": {"host": "harbour.example.com", "media_type": MANIFEST, "size": 524},
    }
    return Event(topic=topic, **(defaults | fields))


def subscription(
    url: str = "https://receiver.example.com/hook",
    *,
    topics: tuple[Topic, ...] = (Topic.PUSH,),
    registry: Registry | None = None,
    **fields: Any,
) -> Subscription:
    """A stored subscription; to pushes of everything unless said otherwise."""
    defaults: dict[str, Any] = {
        "name": "a subscription",
        "form": Subscription.Form.STRUCTURED,
        "host": "receiver.example.com",
        "headers": "",
        "secret": sign.make_secret(),
        "old_secret": "",
        "created_by": User.objects.filter(username="anna").first(),
    }
    return Subscription.objects.create(
        url=url, topics=[topic.value for topic in topics], registry=registry, **(defaults | fields)
    )
