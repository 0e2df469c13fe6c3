"""What happened to webhooks themselves: values like those of `access.events`, for the audit log.

Addresses and headers are secrets: of an address only the host is told, of headers that they changed.
"""

from __future__ import annotations

from dataclasses import dataclass

from registries.events import Event


@dataclass(frozen=True, slots=True)
class SubscriptionCreated(Event):
    subscription: str
    new: dict[str, str]


@dataclass(frozen=True, slots=True)
class SubscriptionChanged(Event):
    subscription: str
    old: dict[str, str]
    new: dict[str, str]


@dataclass(frozen=True, slots=True)
class SubscriptionRemoved(Event):
    subscription: str
    old: dict[str, str]


@dataclass(frozen=True, slots=True)
class SubscriptionSwitched(Event):
    """Paused, resumed, or stopped by Portolan after failures; `because` says why."""

    subscription: str
    new_state: str
    because: str


@dataclass(frozen=True, slots=True)
class SigningSecretRotated(Event):
    subscription: str
    old_until: str


@dataclass(frozen=True, slots=True)
class DeliveriesSentAgain(Event):
    subscription: str
    deliveries: int


@dataclass(frozen=True, slots=True)
class InboundSecretCreated(Event):
    """What a registry's notifications prove themselves with; the one before works until `old_until`."""

    old_until: str


@dataclass(frozen=True, slots=True)
class InboundSecretRemoved(Event):
    created: str


# What each is about, for the audit log; in the words of their fields.
AUDITED: dict[type[Event], str] = {
    SubscriptionCreated: "webhook:{subscription}",
    SubscriptionChanged: "webhook:{subscription}",
    SubscriptionRemoved: "webhook:{subscription}",
    SubscriptionSwitched: "webhook:{subscription}",
    SigningSecretRotated: "webhook:{subscription}",
    DeliveriesSentAgain: "webhook:{subscription}",
    InboundSecretCreated: "notifications:{registry}",
    InboundSecretRemoved: "notifications:{registry}",
}
