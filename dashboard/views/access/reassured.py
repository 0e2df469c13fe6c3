"""Before what would let somebody keep a stolen session: once more the password, or a code."""

from __future__ import annotations

from allauth.account.decorators import reauthentication_required
from django.http import HttpRequest


def reassure(request: HttpRequest) -> None:
    """Whoever did not lately answer the question who he is is led to it, and back to what he was
    doing (an exception for allauth's middleware). To have signed in a moment ago is no answer: a
    session is stolen fresh, too. Not asked is who has neither password nor second factor: his
    provider vouches for him. Call it when what is asked for is allowed and is there."""
    _asked(request)


_asked = reauthentication_required(lambda _request: None)
