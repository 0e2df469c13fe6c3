"""Secrets that end soon: told once at each threshold, so that they are replaced before they fail.

Of machines' secrets, personal tokens and admin accounts' passwords. What Portolan signs in to
registries with has no end that it knows of; exchanged secrets live for minutes.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q, QuerySet

from access import keyring
from access.events import CredentialExpiring
from access.models import Secret
from registries.actor import Actor
from registries.events import emit

# Days before the end. The mark on a secret is the smallest that was told.
THRESHOLDS = (14, 3)


def warn(at: datetime, *, actor: Actor) -> int:
    """Emit an event for each secret that came under a threshold since it was last told of; returns
    how many. One that has less than three days left from the start is told once."""
    return sum(_warn_of(days, at, actor) for days in sorted(THRESHOLDS))


@transaction.atomic(durable=True)
def _warn_of(days: int, at: datetime, actor: Actor) -> int:
    ending = list(
        _untold(days, at)
        .select_related("user", "service_principal", "admin_account__registry")
        .select_for_update(of=("self",))
        .order_by("expires_at", "pk")
    )
    Secret.objects.filter(pk__in=[secret.pk for secret in ending]).update(warned_days=days)
    emit([_told(secret, at) for secret in ending], actor=actor)
    return len(ending)


def _untold(days: int, at: datetime) -> QuerySet[Secret]:
    """Live secrets that end within so many days, and of which nothing as urgent was told."""
    return (
        Secret.objects.filter(keyring.live(at), expires_at__lte=at + timedelta(days=days))
        .filter(Q(warned_days=None) | Q(warned_days__gt=days))
        .exclude(kind=Secret.Kind.EXCHANGED)
    )


def _told(secret: Secret, at: datetime) -> CredentialExpiring:
    assert secret.expires_at is not None  # noqa: S101  by the query
    return CredentialExpiring(
        secret.admin_account.registry.name if secret.admin_account else "",
        at,
        keyring.owner_of(secret),
        secret.key_id,
        secret.kind,
        secret.label,
        secret.expires_at.isoformat(),
        (secret.expires_at - at).days,
    )
