"""The webhook at a registry that notifies Portolan, set up by the vendor's own API with its secret."""

from __future__ import annotations

from access.policy import Rights
from registries.actor import Actor
from registries.changing import vendor as vendor_changes
from registries.connectors.reports import NativeWebhook, NewWebhook
from registries.models import Registry
from registries.oci.errors import RegistryError
from webhooks.inbound.secrets import create_secret, remove_secret


def name_at_vendor(registry: Registry) -> str:
    """What the webhook is called there, as far as the vendor takes its letters."""
    return f"portolan-{registry.name}"


def set_up(
    registry: Registry, *, portolan: str, project: str, rights: Rights, actor: Actor
) -> NativeWebhook:
    """Make a secret, and have the vendor bring it along with what it tells.

    Nobody sees the secret, and it goes again if the vendor sets nothing up. `portolan` is the
    address by which registries reach Portolan. Raises RegistryError, and what `create_secret` does.
    """
    made = create_secret(registry, rights=rights, actor=actor)
    address = f"{portolan}/hooks/in/{registry.name}"
    wanted = NewWebhook(
        name=name_at_vendor(registry),
        address=address,
        authorization=f"Bearer {made.text}",
        address_with_secret=f"{address}?secret={made.text}",
        secret=made.text,
        project=project,
    )
    try:
        return vendor_changes.create_webhook(registry=registry, wanted=wanted, actor=actor)
    except RegistryError:
        remove_secret(made.secret, rights=rights, actor=actor)
        raise
