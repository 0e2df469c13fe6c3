"""A NUL character: no text that the database keeps has one, and so no name of anything here."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from django.db import DataError
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from dashboard.views.errors import not_found

NUL = "\0"


class NulMiddleware:
    """Forms refuse one with a sentence. Where an address, its query or a button's value is looked up
    as it came, the database refuses it: what was asked for is not there, and nothing is broken."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self._get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if isinstance(exception, DataError) and any(NUL in it for it in _sent(request)):
            return not_found(request, Http404(_("Nothing has such a name.")))
        return None


def _sent(request: HttpRequest) -> Iterable[str]:
    yield request.path_info
    for values in (request.GET, request.POST):
        for name, texts in values.lists():
            yield name
            yield from map(str, texts)
