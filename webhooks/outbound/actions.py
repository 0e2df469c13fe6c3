"""What people do with deliveries: send them again, ping, look at what would be sent.

Who may is decided by who calls: `webhooks.care.require_care`.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from uuid import uuid4

from django.conf import settings
from django.db.models import Q, QuerySet
from django.utils import timezone

from registries.actor import Actor
from registries.events import emit
from registries.transactions import durable
from webhooks import tasks, wake
from webhooks.catalog import Topic
from webhooks.events import DeliveriesSentAgain
from webhooks.models import Delivery, Event, Subscription
from webhooks.outbound.formats import FORMS

State = Delivery.State


@durable
def redeliver(subscription: Subscription, deliveries: Iterable[int], *, actor: Actor) -> int:
    """Send these deliveries of the subscription (by id) again, from the first try on, whether they
    were delivered or not; with the same message id, so that receivers know them again. Who asks must
    be allowed to read them. Returns how many; what is on its way already stays as it is."""
    chosen = Delivery.objects.filter(subscription=subscription, pk__in=list(deliveries))
    return _send_again(subscription, chosen, actor)


@durable
def redeliver_failed_since(
    subscription: Subscription, at: datetime, *, readable: Q, actor: Actor
) -> int:
    """Send again what was given up since then, of what who asks may read (`told_to_manager` through
    "event__"); returns how many."""
    failed = Delivery.objects.filter(
        readable, subscription=subscription, state=State.GIVEN_UP, ended_at__gte=at
    )
    return _send_again(subscription, failed, actor)


@durable
def ping(subscription: Subscription, *, actor: Actor) -> Delivery:
    """Send a test message to this one subscription; while it is paused or stopped it is held, as all
    else is."""
    now = timezone.now()
    event = Event.objects.create(
        topic=Topic.PING,
        registry=subscription.registry.name if subscription.registry else "",
        at=now,
        actor_kind=actor.kind,
        actor_id=actor.id,
        actor_label=actor.label,
        data={"webhook": subscription.name},
    )
    delivery = Delivery.objects.create(
        event=event, subscription=subscription, state=_first_state(subscription), due_at=now
    )
    wake.after_commit(tasks.deliver)
    return delivery


def preview(subscription: Subscription, event: Event) -> tuple[dict[str, str], str]:
    """Headers and body as they would be sent, without custom headers and signature; the
    subscription need not be stored, only its `form` is read."""
    headers, body = FORMS[subscription.form](event, settings.PUBLIC_URL)
    return headers, body.decode()


def example(topic: Topic, registry: str, repository: str) -> Event:
    """An event to preview with where none happened yet; it is not stored."""
    tag = "" if topic in (Topic.DELETE, Topic.CHART_DELETE) else "1.0"
    return Event(
        uid=uuid4(),
        topic=topic,
        registry=registry,
        repository=repository,
        tag=tag,
        digest="sha256:" + "0" * 64,
        at=timezone.now(),
        actor_kind="system",
        actor_label="Portolan",
        data={"host": "registry.example.com"},
    )


def _send_again(subscription: Subscription, deliveries: QuerySet[Delivery], actor: Actor) -> int:
    now = timezone.now()
    # Untried ones are coming; what waits for a later try comes now.
    chosen = deliveries.exclude(Q(state=State.WAITING, tries=0) | Q(state=State.HELD))
    count = chosen.update(
        state=_first_state(subscription), tries=0, due_at=now, ended_at=None, reason=""
    )
    if count:
        registry = subscription.registry.name if subscription.registry else ""
        emit([DeliveriesSentAgain(registry, now, subscription.name, count)], actor=actor)
        wake.after_commit(tasks.deliver)
    return count


def _first_state(subscription: Subscription) -> Delivery.State:
    active = subscription.state == Subscription.State.ACTIVE
    return State.WAITING if active else State.HELD
