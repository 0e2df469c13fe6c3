"""From events of the product to rows of the outbox, in the transaction of the change."""

from __future__ import annotations

from collections.abc import Sequence

from registries.actor import Actor
from registries.events import Event


def record(events: Sequence[Event], actor: Actor, **_signal: object) -> None:
    """Insert messages and their deliveries for those of the events that anybody subscribes to."""
