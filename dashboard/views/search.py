"""Search: its own page, and the list of the command palette."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from access.policy import visible_registries
from dashboard.browse.filters import FilterError
from dashboard.browse.searching import Found, search
from dashboard.htmx import render_page

PAGE_LIMIT = 25
PALETTE_LIMIT = 6
REGISTRIES_OFFERED = 8


@require_safe
def results(request: HttpRequest) -> HttpResponse:
    """Everything called so in all registries, in groups."""
    query = request.GET.get("q", "")
    found, problem = _search(request, query, PAGE_LIMIT)
    context = {"query": query if not problem else "", "found": found, "problem": problem}
    return render_page(request, "dashboard/search/results.html", context, fragment="results")


@require_safe
def palette(request: HttpRequest) -> HttpResponse:
    """The options of the command palette; with nothing typed, the places one can go to."""
    query = request.GET.get("q", "")
    found, problem = _search(request, query, PALETTE_LIMIT)
    text = query.strip() if not problem else ""
    first = visible_registries(request.user).only("name").order_by("name")[:REGISTRIES_OFFERED]
    context = {
        "query": text,
        "found": found,
        "problem": problem,
        "registries": found.registries.rows if text or problem else first,
    }
    return render(request, "dashboard/search/palette.html", context)


def _search(request: HttpRequest, query: str, limit: int) -> tuple[Found, str]:
    try:
        return search(request.user, query, limit=limit), ""
    except FilterError as error:
        return Found(), str(error)
