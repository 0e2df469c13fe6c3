"""Who may know of which credentials. The board is one statement, narrowed by one condition."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Q

from access import keyring
from access.actions import Action
from access.machines import visible_machines
from access.models import Credential, Secret, User
from access.models.credentials import CredentialQuerySet
from access.policy import Rights
from access.scopes import EVERYTHING, Extent

_CONNECTION = Q(kind=Credential.Kind.CONNECTION)


def visible_credentials(user: User | None, rights: Rights) -> CredentialQuerySet:
    """One's own and those of the machines of one's teams (`user` as in `visible_machines`); for who manages access everywhere, all
    secrets; for who manages access on a registry, its admin account's; for who manages the registry
    itself, what Portolan signs in to it with."""
    manages_access = rights.may(Action.ACCESS_MANAGE, EVERYTHING)
    if manages_access and rights.may(Action.REGISTRY_MANAGE, EVERYTHING):
        return Credential.objects.filter()
    if manages_access:
        secrets = ~_CONNECTION
    else:
        admin = Q(kind=Credential.Kind.ADMIN) & _on(rights, Action.ACCESS_MANAGE)
        secrets = admin
        if user is not None:
            secrets |= Q(user=user) | Q(team__in=user.memberships.values("team"))
    connections = _CONNECTION & _on(rights, Action.REGISTRY_MANAGE)
    return Credential.objects.filter(secrets | connections)


def exchanged_live(user: User | None, rights: Rights, at: datetime) -> int:
    """How many secrets exchanged for CI tokens work now, of the machines that one may know of."""
    machines = visible_machines(user, rights)
    found = Secret.objects.filter(keyring.live(at), kind=Secret.Kind.EXCHANGED)
    return found.filter(service_principal__in=machines).count()


def _on(rights: Rights, action: Action) -> Q:
    """The condition that this is allowed on the whole registry of a row."""
    if rights.may(action, EVERYTHING):
        return Q(registry__isnull=False)
    scopes = rights.scopes(action)
    names = [scope.registry for scope in scopes if scope.extent is Extent.REGISTRY]
    return Q(registry__in=[rights.registries[name] for name in names if name])
