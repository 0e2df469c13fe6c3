"""Registries' shared admin accounts: switched on and off, two passwords, each replaced by itself.

For what cannot use anything better. It signs in with the registry's name and may pull, push, delete
and list in all of that registry, whoever uses it; so it is off unless somebody switches it on, and
every use is in the audit log. Who hands it out gives all that away: he must have it.
"""

from __future__ import annotations

from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from access import keyring
from access.actions import Action, texts
from access.events import AdminAccountSwitched
from access.keyring import Issued
from access.models import AdminAccount, Secret
from access.policy import Rights
from access.scopes import Scope
from access.secret_owners import ADMIN_ACTIONS
from registries.actor import Actor
from registries.events import emit
from registries.models import Registry
from registries.transactions import durable

SLOTS = (1, 2)


@durable
def switch_on(registry: Registry, *, rights: Rights, actor: Actor) -> AdminAccount:
    """Its passwords work from now on, also those made before. Once more is no error.

    Raises PermissionDenied unless who asks may grant, and himself has, all that it may do.
    """
    require_mastery(registry, rights)
    return _switch(registry, on=True, actor=actor)


@durable
def switch_off(registry: Registry, *, rights: Rights, actor: Actor) -> AdminAccount:
    """Its passwords work no more, and stay. Stopping it takes no more than managing access to the
    registry: nobody should have to wait for it."""
    rights.require(Action.ACCESS_MANAGE, Scope(registry.name))
    return _switch(registry, on=False, actor=actor)


@durable
def make_password(registry: Registry, *, slot: int, rights: Rights, actor: Actor) -> Issued:
    """A new password in this place; the one that was there works no more, the other works on.

    Raises PermissionDenied as `switch_on` does, and ValidationError while the account is off.
    """
    require_mastery(registry, rights)
    if slot not in SLOTS:
        raise ValidationError(_("There are passwords 1 and 2."))
    account = _locked(registry)
    if account.enabled_at is None:
        raise ValidationError(_("The admin account is switched off."))
    for old in _live(account).filter(slot=slot):
        keyring.withdraw(old, actor=actor)
    return keyring.add(
        Secret.Kind.ADMIN, admin_account=account, slot=slot, expires_at=None, actor=actor
    )


def account_of(registry: Registry) -> AdminAccount | None:
    """The account, None if nobody ever touched it."""
    return AdminAccount.objects.filter(registry=registry).first()


def passwords_of(registry: Registry) -> list[Secret | None]:
    """What is in the two places, None for an empty one."""
    held = Secret.objects.filter(
        kind=Secret.Kind.ADMIN, admin_account__registry=registry, revoked_at=None
    )
    by_slot = {secret.slot: secret for secret in held}
    return [by_slot.get(slot) for slot in SLOTS]


def require_mastery(registry: Registry, rights: Rights) -> None:
    """Raises PermissionDenied unless who has these rights may grant, and has, all of the account's."""
    scope = Scope(registry.name)
    rights.require(Action.ACCESS_MANAGE, scope)
    missing = ADMIN_ACTIONS - rights.allowed_in(scope)
    if missing:
        raise PermissionDenied(
            _("You cannot hand out what you do not have on %(scope)s: %(actions)s.")
            % {"scope": scope, "actions": ", ".join(texts(missing))}
        )


def may_hand_out(registry: Registry, rights: Rights) -> bool:
    """Whether `switch_on` and `make_password` let pass."""
    try:
        require_mastery(registry, rights)
    except PermissionDenied:
        return False
    return True


# Inside a transaction -------------------------------------------------------------------------


def _locked(registry: Registry) -> AdminAccount:
    """The account as it is now, for this transaction alone; made when it is first touched."""
    AdminAccount.objects.get_or_create(registry=registry)
    found = AdminAccount.objects.select_related("registry").select_for_update(of=("self",))
    return found.get(registry=registry)


def _live(account: AdminAccount) -> QuerySet[Secret]:
    return Secret.objects.select_related("admin_account__registry").filter(
        kind=Secret.Kind.ADMIN, admin_account=account, revoked_at=None
    )


def _switch(registry: Registry, *, on: bool, actor: Actor) -> AdminAccount:
    account = _locked(registry)
    if (account.enabled_at is not None) == on:
        return account
    now = timezone.now()
    account.enabled_at = now if on else None
    account.save(update_fields=["enabled_at"])
    emit([AdminAccountSwitched(registry.name, now, on)], actor=actor)
    return account
