"""The overview: are my registries well, and what changed?"""

from __future__ import annotations

from datetime import datetime

from django.db.models import F
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from access.policy import visible_registries, visible_repositories
from dashboard.htmx import render_page
from dashboard.pagination import Column, Order, Page, paginate
from dashboard.runs.latest import WENT_WRONG, latest_runs
from dashboard.totals import totals_of
from registries.models import TagMove

MOVES = 30
SHOWN_REGISTRIES = 60
_NEWEST = Order.read("", {"at": Column(F("at"), datetime, descending_first=True)})


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    registries = list(visible_registries(request.user).order_by("name")[:SHOWN_REGISTRIES])
    runs = latest_runs(registries)
    context = {
        "section": "overview",
        "registries": [(registry, runs.get(registry.pk)) for registry in registries],
        "went_wrong": sorted(
            (run for run in runs.values() if run.state in WENT_WRONG),
            key=lambda run: run.queued_at,
            reverse=True,
        ),
        "imported": any(registry.imported_at for registry in registries),
        "totals": totals_of(visible_registries(request.user)),
        "page": _moves(request),
    }
    return render_page(request, "dashboard/home.html", context, fragment="moves")


def _moves(request: HttpRequest) -> Page[TagMove]:
    moves = TagMove.objects.filter(
        repository__in=visible_repositories(request.user)
    ).select_related("registry", "repository")
    return paginate(moves, order=_NEWEST, query=request.GET, size=MOVES)
