"""Where is this digest: every registry, repository, tag and index of it that one may see."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from django.db.models import F
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from dashboard.browse.filters import read_filter
from dashboard.browse.places import Cut, Whereabouts, beginning_with, narrowed, placed
from dashboard.htmx import render_page
from dashboard.pagination import CappedCount, Column, Order, paginate

BEGINNINGS_SHOWN = 25
_BY_PATH = {"path": Column(F("repository__path"), str)}
# Of each list that has a page of its own: in which order, and what it is called.
LISTS: Mapping[str, tuple[Mapping[str, Column], object]] = {
    "held": (_BY_PATH, gettext_lazy("Where it is")),
    "gone": (_BY_PATH, gettext_lazy("Where it was")),
    "tags": ({"name": Column(F("name"), str)}, gettext_lazy("Tags that point at it")),
    "indexes": (_BY_PATH, gettext_lazy("Indexes that hold it")),
    "referrers": (_BY_PATH, gettext_lazy("Signatures, SBOMs, attestations")),
    "left": (
        {"date": Column(F("at"), datetime, descending_first=True)},
        gettext_lazy("Tags that pointed at it before"),
    ),
}


@require_safe
def digest(request: HttpRequest, digest: str) -> HttpResponse:
    """All lists, each cut short."""
    where = Whereabouts(request.user, digest)
    by_path = ("repository__path", "pk")
    indexes = Cut.of(where.indexes.order_by(*by_path))
    referrers = Cut.of(where.referrers.order_by(*by_path))
    gone = Cut.of(where.gone.order_by(*by_path))
    context = {
        "section": "registries",
        "where": where,
        "manifest": where.manifest,
        "place_count": sum(one.count for one in where.by_registry),
        "indexes": indexes,
        "referrers": referrers,
        "gone": gone,
        "left": Cut.of(where.left.order_by("-at", "-pk")),
        "rows": {
            "indexes": placed(indexes.rows, where.levels),
            "referrers": placed(referrers.rows),
            "gone": placed(gone.rows),
        },
    }
    return render(request, "dashboard/digests/digest.html", context)


@require_safe
def listed(request: HttpRequest, digest: str, which: str) -> HttpResponse:
    """One of the lists, whole, a page at a time; `?registry=` and `?repository=` narrow it."""
    if which not in LISTS:
        raise Http404(_("There is no such list of a digest."))
    where = Whereabouts(request.user, digest)
    columns, title = LISTS[which]
    registry, repository = (read_filter(request, name).text for name in ("registry", "repository"))
    rows = narrowed(getattr(where, which), registry, repository)
    page = paginate(rows, order=Order.read("", columns), query=request.GET)
    context = {
        "section": "registries",
        "where": where,
        "manifest": where.manifest,
        "which": which,
        "title": title,
        "registry_name": registry,
        "repository_path": repository,
        "page": page,
        "count": CappedCount.beside(page, rows),
        "places": [] if which in ("tags", "left") else placed(page.rows, where.levels),
    }
    return render_page(request, "dashboard/digests/list.html", context, fragment="results")


@require_safe
def beginning(request: HttpRequest, start: str) -> HttpResponse:
    """The digest that begins so; where there are several, which of them is meant."""
    found = beginning_with(request.user, start, BEGINNINGS_SHOWN + 1)
    if not found:
        raise Http404(_("Nothing that you may look into holds a digest that begins so."))
    if len(found) == 1:
        return redirect("digest", found[0].digest)
    context = {
        "section": "registries",
        "start": start,
        "manifests": found[:BEGINNINGS_SHOWN],
        "more": len(found) > BEGINNINGS_SHOWN,
    }
    return render(request, "dashboard/digests/beginning.html", context)
