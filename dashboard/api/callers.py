"""Who asks: a person or a machine, with the rights that the secret he came with leaves him."""

from __future__ import annotations

from rest_framework.request import Request

from access.models import ServicePrincipal, User
from access.policy import rights_of
from access.shortcuts import actor_of
from dashboard.callers import Caller

__all__ = ["Caller", "caller_of"]


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
