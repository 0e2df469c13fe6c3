"""Who comes with a name and a secret (HTTP Basic, or a form's username and password).

Secrets of ours only. An account's password is refused: it would get around the second factor, and
comparing one costs a fifth of a second, where a secret's hash costs a microsecond.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import Any, NamedTuple

import psycopg
from django.db import InterfaceError, OperationalError, ProgrammingError, connection
from django.utils.translation import gettext as _

from access import secrets
from access.actions import ALL, parsed
from access.policy import NO_RIGHTS, Rights
from access.remembered import STAMP
from access.scopes import InvalidScope, Scope
from access.secret_owners import owner_of
from registries.actor import Actor

LONGEST = 4096

# One row by its index, and the stamp of what is remembered of its owner. Written out, as the ORM
# takes as long to build such a query as Postgres to answer it, and every pull and push begins so.
_FIND = f"""
    SELECT kind, digest, actions, scopes, expires_at <= clock_timestamp(), revoked_at IS NOT NULL,
           coalesce(user_id, service_principal_id, admin_account_id), {STAMP}
      FROM access_secret WHERE key_id = %s
"""  # noqa: S608  a constant


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
    """The caller, by one query, and some more for an owner who is not remembered; raises
    WrongCredentials."""
    caller = authenticate_secret(presented.password)
    # The name must be the owner's: it is what a registry's log shows.
    if presented.username != caller.actor.label:
        raise _wrong("the secret is somebody else's")
    return caller


def authenticate_secret(text: str) -> Caller:
    """The same for a secret that comes without its owner's name, as the REST API takes it."""
    secret = secrets.parse(text)
    if secret is None:
        raise WrongCredentials(
            _(
                "This is no secret of Portolan. Passwords of accounts do not work here: make a"
                " personal access token, or use a service principal's secret."
            ),
            "not a secret of ours",
        )
    row = _find(secret.key_id)
    if row is None:
        raise _wrong("no such secret")
    found = _Found(*row)
    if found.kind != secret.kind or not secret.matches(found.digest):
        raise _wrong("no such secret")
    if found.is_revoked:
        raise _wrong("the secret was revoked")
    if found.has_expired:
        raise _wrong("the secret has expired")
    owner = owner_of(found.kind, found.owner, found.stamp)
    if owner is None or owner.barred:
        raise _wrong(owner.barred if owner else "its owner is gone")
    return Caller(
        owner.principal,
        f"admin:{owner.admin_of}" if owner.admin_of else owner.actor.label,
        _narrowed(owner.rights, found.actions, found.scopes),
        owner.actor,
        secret.key_id,
        owner.admin_of,
    )


def _find(key_id: str) -> tuple[Any, ...] | None:
    """Django asks a connection whether it lives before its first statement in a request, a round
    trip as long as the statement itself. Here the statement is what asks: it changes nothing, so
    it can be sent again on a new connection."""
    connection.health_check_done = True  # type: ignore[attr-defined]  # unknown to the stubs
    try:
        return _ask(key_id)
    # ProgrammingError: a pooler gave us a connection on which nothing was prepared.
    except (InterfaceError, OperationalError, ProgrammingError):
        if connection.in_atomic_block:
            raise
        connection.close()
        return _ask(key_id)


def _ask(key_id: str) -> tuple[Any, ...] | None:
    """Prepared: Postgres plans it once a connection, which takes as long as to answer it."""
    connection.ensure_connection()
    with connection.wrap_database_errors, psycopg.Cursor(connection.connection) as cursor:
        return cursor.execute(_FIND, [key_id], prepare=True).fetchone()


class _Found(NamedTuple):
    """A row of _FIND."""

    kind: str
    digest: str
    actions: list[str]
    scopes: list[str]
    has_expired: bool | None
    is_revoked: bool
    owner: int
    stamp: int | None


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
