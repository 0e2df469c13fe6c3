"""People who have just said who they are, as the pages that show secrets want it."""

from __future__ import annotations

from django.test import Client

from access.models import User
from tests.cast import PASSWORD, signed_in


def reassured(user: User) -> Client:
    """Signed in, and asked for the password a moment ago (who has one has this one)."""
    client = signed_in(user)
    if user.has_usable_password():
        answer = client.post("/accounts/reauthenticate/", {"password": PASSWORD})
        assert answer.status_code == 302
    return client
