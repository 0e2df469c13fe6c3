"""How a request says who sends it: with a secret of ours, or with the session of a browser.

A secret comes as `Authorization: Bearer SECRET`, or as HTTP Basic with its owner's name (curl -u).
The shared accounts of registries are for docker, and are nobody here.
"""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework import authentication, permissions
from rest_framework.exceptions import AuthenticationFailed, Throttled
from rest_framework.request import Request

from access import keyring
from access.authentication import (
    Caller,
    WrongCredentials,
    authenticate,
    authenticate_secret,
    read_basic,
)
from access.events import SecretRefused
from access.models import ServicePrincipal, User
from access.origin import current
from access.policy import narrow
from access.tokens import limits
from access.tokens.service import shown_name
from registries.actor import ANONYMOUS
from registries.events import emit

CHALLENGE = 'Bearer realm="Portolan", Basic realm="Portolan"'


class SecretAuthentication(authentication.BaseAuthentication):
    """Personal access tokens, secrets of service principals, and exchanged ones. `request.auth` is
    the secret's key id."""

    def authenticate(self, request: Request) -> tuple[User | ServicePrincipal, str] | None:
        header = request.headers.get("Authorization", "")
        if not header:
            return None
        try:
            caller = _caller_of(header)
        except WrongCredentials as error:
            raise _refused(_account_in(header), error) from None
        somebody = _somebody(caller)
        narrow(somebody, caller.rights)
        keyring.note_use(caller.key_id, current().address, timezone.now())
        return somebody, caller.key_id

    def authenticate_header(self, request: Request) -> str:  # noqa: ARG002  REST framework's signature
        return CHALLENGE


class SessionAuthentication(authentication.SessionAuthentication):
    """A person in a browser, such as on the page of this API. Changes need the page's CSRF token."""

    def authenticate(self, request: Request) -> tuple[User, None] | None:
        found = super().authenticate(request)
        return (found[0], None) if found and isinstance(found[0], User) else None


class SignedIn(permissions.BasePermission):
    """Somebody known; what he may do is judged where it is done."""

    def has_permission(self, request: Request, view: object) -> bool:  # noqa: ARG002  as above
        return request.user is not None and not isinstance(request.user, AnonymousUser)


def _caller_of(header: str) -> Caller:
    """Whose secret it is; raises WrongCredentials."""
    scheme, _space, rest = header.partition(" ")
    if scheme.lower() == "bearer":
        return authenticate_secret(rest.strip())
    presented = read_basic(header)
    if presented is None:
        raise WrongCredentials(_("The Authorization header holds no secret."), "no secret")
    return authenticate(presented)


def _account_in(header: str) -> str:
    """The name that came with a secret; a Bearer header has none, nor one that cannot be read."""
    try:
        presented = read_basic(header)
    except WrongCredentials:
        return ""
    return presented.username if presented else ""


def _somebody(caller: Caller) -> User | ServicePrincipal:
    """The row of the owner, who was there a moment ago."""
    if caller.admin_of:
        raise AuthenticationFailed(
            _("A registry's shared account is for docker. Use a token of your own here.")
        )
    owners: Any = {"user": User, "service_principal": ServicePrincipal}[caller.actor.kind]
    found: User | ServicePrincipal | None = owners.objects.filter(pk=caller.actor.id).first()
    if found is None:
        raise AuthenticationFailed(_("The name or the secret is wrong, or no longer holds."))
    return found


def _refused(account: str, error: WrongCredentials) -> AuthenticationFailed | Throttled:
    """What a wrong secret is answered with; it is audited, and who tries many waits."""
    address = current().address
    if seconds := limits.seconds_to_wait(address, account):
        return Throttled(wait=seconds, detail=_("Too many wrong secrets."))
    if limits.is_worth_an_entry(address, f"{account} {error.because}", by_stranger=True):
        event = SecretRefused("", timezone.now(), shown_name(account) or "somebody", error.because)
        with transaction.atomic():
            emit([event], actor=ANONYMOUS)
    return AuthenticationFailed(str(error))
