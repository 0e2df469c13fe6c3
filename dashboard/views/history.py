"""How tags moved: one tag's history, and all of a repository."""

from __future__ import annotations

from datetime import datetime

from django.db.models import F
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from access.shortcuts import get_repository_or_404
from dashboard.htmx import render_page
from dashboard.pagination import Column, Order, paginate
from registries.models import Repository, TagMove

COLUMNS = {"date": Column(F("at"), datetime, descending_first=True)}


@require_safe
def tag(request: HttpRequest, name: str, path: str, tag: str) -> HttpResponse:
    """Every digest a tag has had, as far as Portolan saw; also of a tag that is gone."""
    repository = get_repository_or_404(request.user, name, path)
    current = repository.tags.filter(name=tag).with_manifests().first()
    if current is None and not repository.tag_moves.filter(tag=tag).exists():
        raise Http404(_("There is no tag of this name in the repository."))
    moves = TagMove.objects.filter(repository=repository, tag=tag)
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
