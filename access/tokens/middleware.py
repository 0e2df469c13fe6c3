"""Docker's token requests, past everything that is for browsers.

They carry no cookie, send no form of ours and get no page: sessions, CSRF, messages, languages and
the policies of pages would only cost, more than all that the view itself does.
"""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.utils import translation

from access.tokens.views import token

PATH = "/auth/token"


class TokenMiddleware:
    """Answers PATH itself; stands after what sets the origin and the headers of transport."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path_info == PATH:
            # Or the thread would answer in the language of whom it served before.
            translation.deactivate()
            return token(request)
        return self._get_response(request)
