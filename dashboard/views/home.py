"""The overview: are my registries well, and what changed?"""

from __future__ import annotations

from datetime import datetime

from django.db.models import F
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from access.actions import Action
from access.policy import visible_registries, visible_repositories
from dashboard.browse.cards import cards_of, totals_on
from dashboard.htmx import render_page
from dashboard.pagination import Column, Order, Page, paginate
from dashboard.runs.latest import WENT_WRONG
from dashboard.totals import totals_of
from registries.models import TagMove

MOVES = 30
SHOWN_REGISTRIES = 60
_NEWEST = Order.read("", {"at": Column(F("at"), datetime, descending_first=True)})


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    registries = list(visible_registries(request.user).order_by("name")[:SHOWN_REGISTRIES])
    cards = cards_of(registries, request.user)
    are_all = len(cards) < SHOWN_REGISTRIES
    context = {
        "section": "overview",
        "cards": cards,
        "went_wrong": sorted(
            (card.run for card in cards if card.run and card.run.state in WENT_WRONG),
            key=lambda run: run.queued_at,
            reverse=True,
        ),
        "imported": any(registry.imported_at for registry in registries),
        "totals": totals_on(cards) if are_all else totals_of(request.user),
        "page": _moves(request),
    }
    return render_page(request, "dashboard/home.html", context, fragment="moves")


def _moves(request: HttpRequest) -> Page[TagMove]:
    # Digests are history: who may only list names is not shown them.
    repositories = visible_repositories(request.user, Action.METADATA_READ, Action.CONTENT_READ)
    moves = TagMove.objects.filter(repository__in=repositories)
    moves = moves.select_related("registry", "repository")
    return paginate(moves, order=_NEWEST, query=request.GET, size=MOVES)
