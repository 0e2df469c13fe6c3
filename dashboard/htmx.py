"""Page or fragment: decided here, by the server, never by what the client names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django_htmx.middleware import HtmxDetails

# A cache must not hand a fragment to who asks for the page.
VARIES_ON = ("HX-Request", "HX-Boosted", "HX-History-Restore-Request")


def wants_fragment(request: HttpRequest) -> bool:
    """Whether htmx will put the answer into a part of the page that is there already.

    A boosted link replaces the whole body, and a history restore rebuilds the page: both need all
    of it.
    """
    htmx = cast("HtmxDetails", request.htmx)  # type: ignore[attr-defined]  # set by its middleware
    return bool(htmx) and not htmx.boosted and not htmx.history_restore_request


def render_page(
    request: HttpRequest,
    template: str,
    context: Mapping[str, Any],
    *,
    fragment: str,
    status: int = 200,
) -> HttpResponse:
    """The page, or only its partial `fragment` if that is what htmx will put in place."""
    name = f"{template}#{fragment}" if wants_fragment(request) else template
    response = render(request, name, dict(context), status=status)
    patch_vary_headers(response, VARIES_ON)
    return response
