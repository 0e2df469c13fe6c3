"""Who asks: a person or a machine, with the rights that the secret he came with leaves him."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied
from django.utils.translation import gettext as _
from rest_framework.request import Request

from access.models import ServicePrincipal, User
from access.policy import rights_of
from access.shortcuts import actor_of
from dashboard.callers import Caller

__all__ = ["Caller", "caller_of", "himself", "person_of"]


def caller_of(request: Request) -> Caller:
    """The caller of a request that was let in."""
    somebody = request.user
    if not isinstance(somebody, User | ServicePrincipal):
        raise TypeError("A resource was asked without a caller.")
    signed_in = isinstance(somebody, User) and request.auth is None
    return Caller(
        somebody,
        rights_of(somebody),
        actor_of(somebody),
        maintainer=somebody if signed_in and isinstance(somebody, User) else None,
    )


def person_of(caller: Caller, otherwise: str) -> User:
    """The person who asks; raises PermissionDenied with this sentence for a machine."""
    if isinstance(caller.somebody, User):
        return caller.somebody
    raise PermissionDenied(otherwise)


def himself(caller: Caller) -> User:
    """The person who asks by a browser's session; raises PermissionDenied for who comes with a
    secret, which is for work, and neither tells of its owner's account nor changes it."""
    if caller.maintainer is None:
        raise PermissionDenied(_("This is for who is signed in himself, and not for a token."))
    return caller.maintainer
