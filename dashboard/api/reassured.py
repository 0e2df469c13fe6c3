"""Before what would let somebody keep a stolen session, as on the screens: who just said who he is.

Only who comes with a session is asked. A secret is no session, and what it allows it allows.
"""

from __future__ import annotations

from typing import cast

from allauth.core.exceptions import ReauthenticationRequired
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _
from rest_framework.request import Request

from dashboard.views.access.reassured import reassure


def require_reassured(request: Request) -> None:
    """Raises PermissionDenied for a session in which nobody said lately who he is. Call it when what
    is asked for is allowed and is there."""
    if request.auth is not None:
        return
    try:
        reassure(cast("HttpRequest", request))
    except ReauthenticationRequired:
        raise PermissionDenied(
            _("Say once more who you are, at %s, and then ask again.")
            % reverse("account_reauthenticate")
        ) from None
