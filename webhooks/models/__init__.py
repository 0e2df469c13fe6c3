"""Notifications in, events and deliveries out, and who follows what."""

from webhooks.models.events import Event
from webhooks.models.follows import Follow, Reader
from webhooks.models.inbound import InboundSecret, Notification
from webhooks.models.outbound import Attempt, Delivery
from webhooks.models.subscriptions import Subscription

__all__ = [
    "Attempt",
    "Delivery",
    "Event",
    "Follow",
    "InboundSecret",
    "Notification",
    "Reader",
    "Subscription",
]
