"""Whose a secret is, and what its owner may do: a person, a machine, or a registry's shared account."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from access.actions import DOCKER, Action
from access.models import AdminAccount, Secret, ServicePrincipal, User
from access.policy import NO_RIGHTS, Entitlement, Rights, public_rights, rights_of
from access.remembered import Remembered, stamp
from access.scopes import Scope
from registries.actor import Actor

ADMIN_ROLE = "admin account"
ADMIN_ACTIONS = frozenset({*DOCKER.values(), Action.CATALOG_LIST})


@dataclass(frozen=True, slots=True)
class Owner:
    """Somebody with secrets. `barred` says why none of them works, for the owner's log."""

    principal: str  # user:NAME, sp:NAME, admin
    actor: Actor
    rights: Rights = NO_RIGHTS
    barred: str = ""
    # The registry whose shared account this is.
    admin_of: str = ""


def _first_end(rights: Rights) -> datetime | None:
    return min((one.until for one in rights.entitlements if one.until), default=None)


_owners: Remembered[Owner | None] = Remembered(
    ends=lambda owner: _first_end(owner.rights) if owner else None
)
_public: Remembered[Rights] = Remembered(ends=_first_end)


def forget_owners() -> None:
    """For tests, which reuse ids."""
    _owners.forget()
    _public.forget()


def rights_of_public() -> Rights:
    """What everybody may do; from memory where nothing changed."""
    return _public.get("public", stamp(), public_rights)


def owner_of(kind: str, owner_id: int, stamp: int | None) -> Owner | None:
    """The owner of a secret of this kind; None if there is no such one any more. From memory as far
    as the stamp says that nothing changed."""
    if kind == Secret.Kind.EXCHANGED:
        kind = Secret.Kind.SERVICE
    return _owners.get((kind, owner_id), stamp, lambda: _read(kind, owner_id))


def _read(kind: str, owner_id: int) -> Owner | None:
    match kind:
        case Secret.Kind.PERSONAL:
            return _person(owner_id)
        case Secret.Kind.SERVICE:
            return _machine(owner_id)
        case Secret.Kind.ADMIN:
            return _shared_account(owner_id)
    return None


def _person(user_id: int) -> Owner | None:
    user = User.objects.filter(pk=user_id).first()
    if user is None:
        return None
    name = user.get_username()
    actor = Actor("user", str(user.pk), name)
    if not user.is_active:
        return Owner(f"user:{name}", actor, barred="the account is switched off")
    return Owner(f"user:{name}", actor, rights_of(user))


def _machine(machine_id: int) -> Owner | None:
    machine = ServicePrincipal.objects.filter(pk=machine_id).first()
    if machine is None:
        return None
    actor = Actor("service_principal", str(machine.pk), machine.name)
    if machine.disabled_at is not None:
        return Owner(f"sp:{machine.name}", actor, barred="the service principal is disabled")
    return Owner(f"sp:{machine.name}", actor, rights_of(machine))


def _shared_account(account_id: int) -> Owner | None:
    account = AdminAccount.objects.select_related("registry").filter(pk=account_id).first()
    if account is None:
        return None
    name = account.registry.name
    actor = Actor("admin_account", str(account.registry_id), name)
    if account.enabled_at is None:
        return Owner("admin", actor, barred="the admin account is switched off", admin_of=name)
    return Owner("admin", actor, admin_rights(name), admin_of=name)


def admin_rights(registry: str) -> Rights:
    """A shared account pulls, pushes, deletes and lists, in all of its registry and nowhere else."""
    return Rights((Entitlement(ADMIN_ACTIONS, Scope(registry), ADMIN_ROLE),))
