"""Who is asking, with the type that the middleware has already made sure of."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

from access.models import User


def signed_in(request: HttpRequest) -> User:
    """The person behind a request; raises PermissionDenied if there is none."""
    if not isinstance(request.user, User):
        raise PermissionDenied
    return request.user
