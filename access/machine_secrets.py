"""The two places for a machine's secrets, so that one is replaced while the other still works."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _

from access import keyring
from access.events import SecretEnds
from access.keyring import Issued
from access.machines import locked, require_care, require_control
from access.models import Secret, ServicePrincipal, User
from access.policy import Rights
from registries.actor import Actor
from registries.events import emit
from registries.transactions import durable

SLOTS = (1, 2)
# How long the old secret works beside the new one, unless somebody says otherwise.
OVERLAP = timedelta(days=1)


@durable
def create_secret(
    machine: ServicePrincipal,
    *,
    expires_at: datetime | None,
    label: str = "",
    rights: Rights,
    maintainer: User | None = None,
    actor: Actor,
) -> Issued:
    """A secret in a free place. Raises ValidationError while both hold live ones."""
    machine = locked(machine)
    require_care(machine, rights, maintainer)
    return _issue(machine, expires_at=expires_at, label=label, actor=actor)


@durable
def rotate_secret(
    secret: Secret,
    *,
    expires_at: datetime | None,
    overlap: timedelta = OVERLAP,
    rights: Rights,
    maintainer: User | None = None,
    actor: Actor,
) -> Issued:
    """A new secret in the other place; the old one works on for `overlap`, never longer than it
    would have. Raises ValidationError if the other place holds a live one, which somebody uses."""
    machine, secret = _held(secret)
    require_care(machine, rights, maintainer)
    if not keyring.is_live(secret, timezone.now()):
        raise ValidationError(_("This secret has ended: create another one."))
    issued = _issue(machine, expires_at=expires_at, label=secret.label, actor=actor)
    _end(secret, timezone.now() + overlap, actor)
    return issued


@durable
def end_secret(
    secret: Secret,
    *,
    at: datetime,
    rights: Rights,
    maintainer: User | None = None,
    actor: Actor,
) -> Secret:
    """Let it end then; never later than it would have: who leaked a secret must not live on it."""
    machine, secret = _held(secret)
    require_control(machine, rights, maintainer)
    _end(secret, at, actor)
    return secret


@durable
def revoke_secret(
    secret: Secret, *, rights: Rights, maintainer: User | None = None, actor: Actor
) -> None:
    """It works no more, whether it was created or exchanged. Once more is no error."""
    machine, secret = _held(secret)
    require_control(machine, rights, maintainer)
    keyring.withdraw(secret, actor=actor)


def secrets_of(machine: ServicePrincipal) -> list[Secret | None]:
    """What is in the two places, None for a free one."""
    now = timezone.now()
    held = machine.secrets.filter(keyring.live(now), kind=Secret.Kind.SERVICE)
    by_slot = {secret.slot: secret for secret in held}
    return [by_slot.get(slot) for slot in SLOTS]


# Inside a transaction -------------------------------------------------------------------------


def _issue(
    machine: ServicePrincipal, *, expires_at: datetime | None, label: str, actor: Actor
) -> Issued:
    slot = _free_slot(machine)
    return keyring.add(
        Secret.Kind.SERVICE,
        service_principal=machine,
        slot=slot,
        label=label,
        expires_at=expires_at,
        actor=actor,
    )


def _free_slot(machine: ServicePrincipal) -> int:
    """A place that is free, or whose secret ended: that one is withdrawn, which changes nothing but
    that the place can be given again."""
    now = timezone.now()
    held = machine.secrets.filter(kind=Secret.Kind.SERVICE, revoked_at=None)
    held.filter(expires_at__lte=now).update(revoked_at=now)
    taken = set(held.values_list("slot", flat=True))
    free = [slot for slot in SLOTS if slot not in taken]
    if not free:
        raise ValidationError(
            _("Both places hold a live secret: revoke the one that nothing uses any more.")
        )
    return free[0]


def _held(secret: Secret) -> tuple[ServicePrincipal, Secret]:
    """A machine's secret as it is now, and the machine, locked."""
    if secret.service_principal is None:
        raise ValidationError(_("This is no secret of a machine."))
    machine = locked(secret.service_principal)
    found = Secret.objects.select_related("service_principal").select_for_update(of=("self",))
    return machine, found.get(pk=secret.pk)


def _end(secret: Secret, at: datetime, actor: Actor) -> None:
    now = timezone.now()
    if at <= now:
        keyring.withdraw(secret, actor=actor)
        return
    if secret.revoked_at is not None or (secret.expires_at and secret.expires_at <= at):
        return
    before = secret.expires_at.isoformat() if secret.expires_at else ""
    secret.expires_at = at
    secret.save(update_fields=["expires_at"])
    owner = keyring.owner_of(secret)
    emit([SecretEnds("", now, owner, secret.key_id, before, at.isoformat())], actor=actor)
