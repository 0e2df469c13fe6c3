"""Rows of secrets: made, withdrawn, made to end, forgotten. What machines and people have in common.

All but the last work inside the transaction of an action, which has judged who may.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from access.events import SecretCreated, SecretRevoked
from access.models import Secret
from access.secrets import mint
from registries.actor import Actor
from registries.events import emit

# How long an exchanged secret's row outlives it: whoever looks into a run of last night finds it.
FORGOTTEN_AFTER = timedelta(days=1)
NOTED_EVERY = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Issued:
    """A secret just made. `text` is the secret itself: shown once, and kept nowhere."""

    secret: Secret
    text: str = field(repr=False)


def live(at: datetime) -> Q:
    """The condition on secrets that work at that moment."""
    return Q(revoked_at=None) & (Q(expires_at=None) | Q(expires_at__gt=at))


def is_live(secret: Secret, at: datetime) -> bool:
    """The same for one that is read already."""
    ended = secret.expires_at is not None and secret.expires_at <= at
    return secret.revoked_at is None and not ended


def owner_of(secret: Secret) -> str:
    """Whose it is, as events and lists say it (load it with its owners)."""
    if secret.user is not None:
        return f"user:{secret.user.get_username()}"
    if secret.service_principal is not None:
        return f"sp:{secret.service_principal.name}"
    return f"admin:{secret.admin_account.registry.name}" if secret.admin_account else ""


def add(
    kind: Secret.Kind,
    *,
    expires_at: datetime | None,
    actor: Actor,
    told: bool = True,
    **fields: Any,
) -> Issued:
    """Make a secret of this kind; `fields` say whose it is. `told` is whether it is an event of its
    own, and not a part of another."""
    now = timezone.now()
    if expires_at is not None and expires_at <= now:
        raise ValidationError({"expires_at": _("The end of a secret lies in the future.")})
    minted = mint(kind)
    secret = Secret(
        kind=kind,
        key_id=minted.key_id,
        digest=minted.digest,
        created_at=now,
        created_by=actor.label,
        expires_at=expires_at,
        **fields,
    )
    secret.save(force_insert=True)
    if told:
        until = expires_at.isoformat() if expires_at else ""
        created = SecretCreated("", now, owner_of(secret), secret.key_id, kind.value, until)
        emit([created], actor=actor)
    return Issued(secret, minted.text)


def withdraw(secret: Secret, *, actor: Actor) -> bool:
    """It works no more. Returns False, and says nothing, if it was withdrawn already."""
    now = timezone.now()
    changed = Secret.objects.filter(pk=secret.pk, revoked_at=None).update(revoked_at=now)
    if not changed:
        return False
    secret.revoked_at = now
    emit([SecretRevoked("", now, owner_of(secret), secret.key_id, secret.kind)], actor=actor)
    return True


def note_use(key_id: str, address: str | None, at: datetime) -> None:
    """Remember when and from where a secret was used last, to the minute."""
    lately = Q(last_used_at__gt=at - NOTED_EVERY)
    Secret.objects.filter(key_id=key_id).exclude(lately).update(
        last_used_at=at, last_used_from=address
    )


def forget_ended(at: datetime) -> int:
    """Delete exchanged secrets that ended a day before; returns how many. They come by the
    thousand, and the logs keep their key ids."""
    old = Q(expires_at__lte=at - FORGOTTEN_AFTER) | Q(revoked_at__lte=at - FORGOTTEN_AFTER)
    deleted, _by_model = Secret.objects.filter(old, kind=Secret.Kind.EXCHANGED).delete()
    return deleted
