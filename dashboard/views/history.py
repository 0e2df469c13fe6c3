"""How tags moved: one tag's history, and all of a repository."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from access.shortcuts import get_repository_or_404
from dashboard.browse.moves import COLUMNS, history_or_404
from dashboard.htmx import render_page
from dashboard.pagination import Order, paginate
from registries.models import Repository


@require_safe
def tag(request: HttpRequest, name: str, path: str, tag: str) -> HttpResponse:
    """Every digest a tag has had, as far as Portolan saw; also of a tag that is gone."""
    repository = get_repository_or_404(request.user, name, path)
    current, moves = history_or_404(repository, tag)
    order = Order.read("", COLUMNS)
    context = {
        **_repository_context(repository),
        "tag": tag,
        "current": current,
        "page": paginate(moves, order=order, query=request.GET),
    }
    return render_page(request, "dashboard/history/tag.html", context, fragment="results")


@require_safe
def activity(request: HttpRequest, name: str, path: str) -> HttpResponse:
    """What happened to the tags of a repository, newest first."""
    repository = get_repository_or_404(request.user, name, path)
    order = Order.read("", COLUMNS)
    context = {
        **_repository_context(repository),
        "view": "activity",
        "page": paginate(repository.tag_moves.all(), order=order, query=request.GET),
    }
    return render_page(request, "dashboard/history/activity.html", context, fragment="results")


def _repository_context(repository: Repository) -> dict[str, object]:
    return {
        "section": "registries",
        "repository": repository,
        "registry": repository.registry,
    }
