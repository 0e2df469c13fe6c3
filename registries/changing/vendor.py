"""Changes at a vendor that are no changes of content: what a report offers, and its webhooks.

The vendor does it or refuses, outside of any transaction; then the report is read again, and who had
it done is told. Whoever calls these has authorised. All raise RegistryError.
"""

from __future__ import annotations

from django.utils import timezone

from registries import events
from registries.actor import Actor
from registries.connectors import CONNECTORS
from registries.connectors.reports import NativeWebhook, NewWebhook
from registries.models import Registry
from registries.reports import ask, read_report
from registries.transactions import durable


def remedies_of(registry: Registry) -> dict[str, str]:
    """What can be done at registries of this kind, by code, in words for a button."""
    return dict(CONNECTORS[registry.kind].remedies)


def do_remedy(*, registry: Registry, code: str, actor: Actor) -> str:
    """Have the vendor do what one of `remedies_of` stands for; returns what was done, a sentence."""
    said = ask(registry, lambda connector: connector.remedy(code))
    _tell(events.VendorSettingChanged(registry.name, timezone.now(), said), actor)
    read_report(registry)
    return said


def create_webhook(*, registry: Registry, wanted: NewWebhook, actor: Actor) -> NativeWebhook:
    """Have the vendor set up the webhook that notifies Portolan."""
    webhook = ask(registry, lambda connector: connector.create_webhook(wanted))
    _tell(events.VendorWebhookCreated(registry.name, timezone.now(), webhook.name), actor)
    read_report(registry)
    return webhook


def delete_webhook(*, registry: Registry, webhook_id: str, actor: Actor) -> None:
    """Have the vendor remove a webhook, whoever set it up."""
    ask(registry, lambda connector: connector.delete_webhook(webhook_id))
    _tell(events.VendorWebhookRemoved(registry.name, timezone.now(), webhook_id), actor)
    read_report(registry)


def ping_webhook(*, registry: Registry, webhook_id: str) -> str:
    """Have the vendor send a test notification; returns how it was answered, a sentence."""
    return ask(registry, lambda connector: connector.ping_webhook(webhook_id))


@durable
def _tell(event: events.Event, actor: Actor) -> None:
    events.emit([event], actor=actor)
