"""The list of registries: what they are, how they are doing, what they hold."""

from __future__ import annotations

from django.db.models import F
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from access.policy import visible_registries
from dashboard.browse.cards import cards_of
from dashboard.htmx import render_page
from dashboard.pagination import Column, Order, paginate
from registries.connectors import CONNECTORS

COLUMNS = {"name": Column(F("name"), str)}
_BY_NAME = Order.read("", COLUMNS)


@require_safe
def registries(request: HttpRequest) -> HttpResponse:
    page = paginate(visible_registries(request.user), order=_BY_NAME, query=request.GET)
    context = {
        "section": "registries",
        "page": page,
        "cards": cards_of(page.rows, request.user),
        "kinds": {key: connector.label for key, connector in CONNECTORS.items()},
    }
    return render_page(request, "dashboard/registries.html", context, fragment="list")
