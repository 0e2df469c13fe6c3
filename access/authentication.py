"""Who comes with a name and a secret (HTTP Basic, or a form's username and password).

Secrets of ours only. An account's password is refused: it would get around the second factor, and
comparing one costs a fifth of a second, where a secret's hash costs a microsecond.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple

from django.db import connection
from django.utils import timezone
from django.utils.translation import gettext as _

from access import secrets
from access.actions import ALL, DOCKER, Action, parsed
from access.models import Secret, ServicePrincipal, User
from access.policy import NO_RIGHTS, Entitlement, Rights, rights_of
from access.scopes import InvalidScope, Scope
from registries.actor import Actor

ADMIN_ROLE = "admin account"
ADMIN_ACTIONS = frozenset({*DOCKER.values(), Action.CATALOG_LIST})
LONGEST = 4096

# One indexed row with its owner. Written out, as the ORM takes as long to build such a query as
# Postgres to answer it, and every pull and push begins with it.
_FIND = """
    SELECT secret.kind, secret.digest, secret.actions, secret.scopes,
           secret.expires_at, secret.revoked_at,
           person.id, person.username, person.is_active, person.is_superuser,
           machine.id, machine.name, machine.disabled_at,
           admin.enabled_at, registry.id, registry.name
    FROM access_secret AS secret
    LEFT JOIN access_user AS person ON person.id = secret.user_id
    LEFT JOIN access_serviceprincipal AS machine ON machine.id = secret.service_principal_id
    LEFT JOIN access_adminaccount AS admin ON admin.id = secret.admin_account_id
    LEFT JOIN registries_registry AS registry ON registry.id = admin.registry_id
    WHERE secret.key_id = %s
"""


class WrongCredentials(Exception):  # noqa: N818  named for what happened
    """Nobody we know. The text is for the client's user; `because` is for the owner's log, which
    may know more: a stranger must not learn which names and secrets there are."""

    def __init__(self, text: str, because: str) -> None:
        super().__init__(text)
        self.because = because


@dataclass(frozen=True, slots=True)
class Credentials:
    """What was presented."""

    username: str
    password: str

    def __repr__(self) -> str:
        return f"Credentials({self.username!r})"


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody known: his name as tokens and logs have it, and what he may do with this secret."""

    principal: str  # user:NAME, sp:NAME, admin
    subject: str  # NAME
    rights: Rights
    actor: Actor
    key_id: str
    # The registry whose shared account this is.
    admin_of: str = ""


def read_basic(header: str) -> Credentials | None:
    """The name and secret of an Authorization header, None without one (or with two empty ones);
    raises WrongCredentials for what cannot be read."""
    if not header:
        return None
    scheme, _space, encoded = header.partition(" ")
    try:
        if scheme.lower() != "basic" or len(encoded) > LONGEST:
            raise ValueError
        text = base64.b64decode(encoded.strip(), validate=True).decode()
        username, colon, password = text.partition(":")
    except (binascii.Error, ValueError):
        raise WrongCredentials(
            _("The Authorization header is not HTTP Basic with a name and a secret."),
            "unreadable header",
        ) from None
    if not colon:
        raise WrongCredentials(_("There is a name without a secret."), "no secret")
    return Credentials(username, password) if username or password else None


def authenticate(presented: Credentials) -> Caller:
    """The caller, by one query for the secret and its owner and one for his grants; raises
    WrongCredentials."""
    secret = secrets.parse(presented.password)
    if secret is None:
        raise WrongCredentials(
            _(
                "This is no secret of Portolan. Passwords of accounts do not work here: make a"
                " personal access token, or use a service principal's secret."
            ),
            "not a secret of ours",
        )
    with connection.cursor() as cursor:
        cursor.execute(_FIND, [secret.key_id])
        row = cursor.fetchone()
    if row is None:
        raise _wrong("no such secret")
    found = _Found(*row)
    if found.kind != secret.kind or not secret.matches(found.digest):
        raise _wrong("no such secret")
    if found.revoked_at is not None:
        raise _wrong("the secret was revoked")
    if found.expires_at is not None and found.expires_at <= timezone.now():
        raise _wrong("the secret has expired")
    caller = _owner(found, secret.key_id)
    # The name must be the owner's: it is what a registry's log shows.
    if presented.username != caller.actor.label:
        raise _wrong("the secret is somebody else's")
    return replace(caller, rights=_narrowed(caller.rights, found.actions, found.scopes))


class _Found(NamedTuple):
    """A row of _FIND; of the three owners one is there."""

    kind: str
    digest: str
    actions: list[str]
    scopes: list[str]
    expires_at: datetime | None
    revoked_at: datetime | None
    user: int
    username: str
    is_active: bool
    is_superuser: bool
    machine: int
    machine_name: str
    disabled_at: datetime | None
    admin_since: datetime | None
    registry: int
    registry_name: str


def _owner(found: _Found, key_id: str) -> Caller:
    match found.kind:
        case Secret.Kind.PERSONAL:
            if not found.is_active:
                raise _wrong("the account is switched off")
            user = User(
                pk=found.user,
                username=found.username,
                is_active=True,
                is_superuser=found.is_superuser,
            )
            actor = Actor("user", str(found.user), found.username)
            return Caller(f"user:{actor.label}", actor.label, rights_of(user), actor, key_id)
        case Secret.Kind.SERVICE | Secret.Kind.EXCHANGED:
            if found.disabled_at is not None:
                raise _wrong("the service principal is disabled")
            machine = ServicePrincipal(pk=found.machine, name=found.machine_name)
            actor = Actor("service_principal", str(found.machine), found.machine_name)
            return Caller(f"sp:{actor.label}", actor.label, rights_of(machine), actor, key_id)
        case Secret.Kind.ADMIN:
            if found.admin_since is None:
                raise _wrong("the admin account is switched off")
            name = found.registry_name
            actor = Actor("admin_account", str(found.registry), name)
            return Caller("admin", f"admin:{name}", admin_rights(name), actor, key_id, name)
    raise _wrong("a kind of secret that this version does not know")


def admin_rights(registry: str) -> Rights:
    """A shared account pulls, pushes, deletes and lists, in all of its registry and nowhere else."""
    return Rights((Entitlement(ADMIN_ACTIONS, Scope(registry), ADMIN_ROLE),))


def _narrowed(rights: Rights, actions: list[str], scopes: list[str]) -> Rights:
    if not actions and not scopes:
        return rights
    limits = []
    for text in scopes:
        try:
            limits.append(Scope.parse(text))
        except InvalidScope:  # of an older or newer version: it allows nothing
            continue
    if (scopes and not limits) or (actions and not parsed(actions)):
        return NO_RIGHTS
    return rights.narrowed(parsed(actions) or ALL, limits)


def _wrong(because: str) -> WrongCredentials:
    return WrongCredentials(_("The name or the secret is wrong, or no longer holds."), because)
