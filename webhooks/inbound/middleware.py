"""Registries' notifications, past everything that is for browsers, as docker's token requests are.

It also keeps secrets that stand in addresses from whatever would log them further on.
"""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.utils import translation

from webhooks.inbound.receive import PREFIX, answer


class NotificationMiddleware:
    """Answers all below PREFIX itself; stands after what sets the headers of transport."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path_info.startswith(PREFIX):
            translation.deactivate()
            return answer(request)
        return self._get_response(request)
