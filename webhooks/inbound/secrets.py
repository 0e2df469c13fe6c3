"""The secrets that a registry's notifications prove themselves with: made, replaced, removed.

Two may be live. The old one works until somebody removes it, not until a time: a registry reads its
configuration when it starts, and when that will be nobody here knows.
"""

from __future__ import annotations

import secrets
import string
from dataclasses import dataclass, field

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from access.actions import Action
from access.policy import Rights
from access.scopes import Scope
from registries.actor import Actor
from registries.events import emit
from registries.models import Registry
from registries.secret import Secret
from registries.transactions import durable
from webhooks.events import InboundSecretCreated, InboundSecretRemoved
from webhooks.inbound import doors
from webhooks.inbound.verify import digest_of
from webhooks.models import InboundSecret

MOST_LIVE = 2
# Letters and digits alone: it stands in addresses, YAML and shells without quoting.
_ALPHABET = string.ascii_letters + string.digits
_LENGTH = 43  # 256 bits


@dataclass(frozen=True, slots=True)
class Made:
    """A new secret, and its text, which is to be shown this once."""

    secret: InboundSecret
    text: str = field(repr=False)


@durable
def create_secret(registry: Registry, *, rights: Rights, actor: Actor) -> Made:
    """A further secret. Raises ValidationError while two are live, PermissionDenied for who may
    not manage the registry."""
    registry = _managed(registry, rights)
    now = timezone.now()
    registry.inbound_secrets.exclude(pk__in=InboundSecret.objects.live(now)).delete()
    if registry.inbound_secrets.count() >= MOST_LIVE:
        raise ValidationError(
            _("Two secrets are live: remove the one that the registry does not use any more.")
        )
    text = "ptl_in_" + "".join(secrets.choice(_ALPHABET) for _place in range(_LENGTH))
    made = InboundSecret(
        registry=registry,
        digest=digest_of(text),
        secret=Secret(text),
        created_at=now,
        created_by=actor.label,
    )
    made.save(force_insert=True)
    emit([InboundSecretCreated(registry.name, now, "")], actor=actor)
    transaction.on_commit(doors.forget)
    return Made(made, text)


@durable
def remove_secret(secret: InboundSecret, *, rights: Rights, actor: Actor) -> None:
    """It works no more: here at once, in other processes within seconds. Once more is no error."""
    registry = _managed(secret.registry, rights)
    if registry.inbound_secrets.filter(pk=secret.pk).delete()[0]:
        created = secret.created_at.isoformat()
        emit([InboundSecretRemoved(registry.name, timezone.now(), created)], actor=actor)
        transaction.on_commit(doors.forget)


def _managed(registry: Registry, rights: Rights) -> Registry:
    """The registry, locked, so that no third secret is made beside the second."""
    rights.require(Action.REGISTRY_MANAGE, Scope(registry.name))
    return Registry.objects.select_for_update(of=("self",)).get(pk=registry.pk)
