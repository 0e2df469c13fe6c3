"""Deliveries that are due, taken for a while: `due_at` moves ahead by a lease, so that what a killed
worker held is due again by itself."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import Exists, OuterRef
from django.utils import timezone

from registries.fields import UndecryptableError
from registries.sync.staging import fetch
from webhooks.models import Delivery, Event, Subscription
from webhooks.outbound import sign
from webhooks.outbound.formats import FORMS
from webhooks.outbound.lanes import Claimed, Sent
from webhooks.outbound.message_id import message_id
from webhooks.outbound.send import Outcome, Outgoing

# Each receiver's own, up to the room in its lane; of all the oldest first. Rows that somebody else
# is claiming right now are passed over. `version` changes with each change of a subscription.
_CLAIM = """
    WITH lane AS MATERIALIZED (
        SELECT s.id, s.xmin::text AS version, s.failures > 0 AS troubled,
               coalesce(given.room, CASE WHEN s.failures > 0 THEN 1 ELSE %(first)s END) AS room
          FROM webhooks_subscription s
          LEFT JOIN unnest(%(ids)s::uuid[], %(rooms)s::int[]) AS given(id, room) USING (id)
         WHERE s.state = 'active' AND (s.slow_until IS NULL OR s.slow_until <= %(now)s)
    ), due AS MATERIALIZED (
        SELECT one.id, lane.version, lane.troubled
          FROM lane
          CROSS JOIN LATERAL (
              SELECT id, due_at FROM webhooks_delivery
               WHERE subscription_id = lane.id AND state = 'waiting' AND due_at <= %(now)s
               ORDER BY due_at, id LIMIT lane.room
                 FOR UPDATE SKIP LOCKED
          ) one
         WHERE lane.room > 0
         ORDER BY one.due_at, one.id LIMIT %(most)s
    )
    UPDATE webhooks_delivery delivery SET due_at = %(until)s
      FROM due WHERE delivery.id = due.id
    RETURNING delivery.id, delivery.subscription_id, delivery.event_id, delivery.tries,
              due.version, due.troubled
"""


def is_anything_due() -> bool:
    """Whether a claim would find something."""
    now = timezone.now()
    active = Subscription.objects.filter(state=Subscription.State.ACTIVE).exclude(
        slow_until__gt=now
    )
    due = Delivery.objects.filter(
        subscription=OuterRef("pk"), state=Delivery.State.WAITING, due_at__lte=now
    )
    return active.filter(Exists(due)).exists()


@dataclass(frozen=True, slots=True)
class Batch:
    """What was claimed; `troubled` are receivers that failed when they were last tried, `unsendable`
    what failed already, because a subscription's secrets do not open."""

    claimed: list[Claimed] = field(default_factory=list)
    troubled: frozenset[UUID] = frozenset()
    unsendable: list[Sent] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.claimed) + len(self.unsendable)


@dataclass(frozen=True, slots=True)
class Receiver:
    """A subscription's secrets, opened; kept while its row does not change."""

    form: str
    url: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    keys: tuple[bytes, ...] = field(repr=False)
    old_until: datetime | None

    @classmethod
    def of(cls, subscription: Subscription) -> Receiver:
        """Raises UndecryptableError where a key is missing."""
        secrets = [subscription.secret.reveal(), subscription.old_secret.reveal()]
        headers = subscription.headers.reveal()
        return cls(
            subscription.form,
            subscription.url.reveal(),
            json.loads(headers) if headers else {},
            tuple(sign.key_of(secret) for secret in secrets if secret),
            subscription.old_secret_until,
        )

    def write(self, event: Event, *, at: datetime) -> tuple[Outgoing, dict[str, str]]:
        """The request for an event, signed now; and its headers as a log may show them."""
        ours, body = FORMS[self.form](event, settings.PUBLIC_URL)
        old_lives = self.old_until is not None and self.old_until > at
        keys = self.keys if old_lives else self.keys[:1]
        ours = ours | sign.headers(keys, message_id(event), at, body)
        shown = ours | dict.fromkeys(self.headers, "…")
        return Outgoing(self.url, {**self.headers, **ours}, body), shown


class Claims:
    """Claims, with the subscriptions that it met before at hand."""

    def __init__(self, *, lease: timedelta, first: int) -> None:
        self._lease = lease
        self._first = first
        self._known: dict[UUID, tuple[str, Receiver | str]] = {}

    def take(self, rooms: Mapping[UUID, int], *, most: int) -> Batch:
        """Up to `most` deliveries that are due, no more for a receiver than it has room."""
        now = timezone.now()
        rows = fetch(
            _CLAIM,
            {
                "ids": list(rooms),
                "rooms": list(rooms.values()),
                "now": now,
                "until": now + self._lease,
                "first": self._first,
                "most": most,
            },
        )
        if not rows:
            return Batch()
        self._get_to_know({row[1]: row[4] for row in rows})
        events = Event.objects.in_bulk({row[2] for row in rows})
        return self._written(rows, events, now)

    def _written(
        self, rows: Sequence[tuple[Any, ...]], events: Mapping[int, Event], now: datetime
    ) -> Batch:
        claimed: list[Claimed] = []
        unsendable: list[Sent] = []
        for delivery, subscription, event_id, tries, _version, _troubled in sorted(rows):
            _, receiver = self._known.get(subscription, ("", ""))
            event = events.get(event_id)
            if event is None or receiver == "":
                continue  # removed meanwhile, and the delivery with it
            if isinstance(receiver, str):
                failed = Claimed(delivery, subscription, tries + 1, Outgoing("", {}, b""), {})
                unsendable.append(Sent(failed, Outcome(now, 0.0, error=receiver[:255])))
                continue
            outgoing, shown = receiver.write(event, at=now)
            claimed.append(Claimed(delivery, subscription, tries + 1, outgoing, shown))
        return Batch(claimed, frozenset(row[1] for row in rows if row[5]), unsendable)

    def _get_to_know(self, versions: Mapping[UUID, str]) -> None:
        fresh = [
            key for key, version in versions.items() if self._known.get(key, ("",))[0] != version
        ]
        if not fresh:
            return
        for subscription in Subscription.objects.filter(pk__in=fresh):
            known: Receiver | str
            try:
                known = Receiver.of(subscription)
            except (UndecryptableError, ValueError) as error:
                known = str(error)
            self._known[subscription.pk] = (versions[subscription.pk], known)
