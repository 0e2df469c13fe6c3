"""A repository: its tags, one row each, and its artifacts with the tags that share them."""

from __future__ import annotations

from collections.abc import Sequence

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from access.shortcuts import get_repository_or_404
from dashboard.browse.filters import read_filter
from dashboard.browse.pulling import PullCommand, pull_commands
from dashboard.browse.tags import (
    ARTIFACT_COLUMNS,
    TAG_COLUMNS,
    put_aliases,
    put_names,
    untagged,
)
from dashboard.htmx import render_page
from dashboard.pagination import CappedCount, Order, Page, paginate
from registries.models import Repository, Tag


@require_safe
def tags(request: HttpRequest, name: str, path: str) -> HttpResponse:
    """One row a tag, as people ask for them."""
    repository = get_repository_or_404(request.user, name, path)
    text = read_filter(request, "q")
    everything = request.GET.get("show") == "all"
    order = Order.read(request.GET.get("sort", ""), TAG_COLUMNS)
    matching = (repository.tags.all() if everything else repository.tags.for_people()).containing(
        text.text
    )
    page = paginate(matching.as_rows(), order=order, query=request.GET)
    _complete(repository, page)
    hidden = CappedCount.of(repository.tags.referring())
    stored = 0 if text.text or hidden.capped else repository.tag_count - hidden.value
    context = {
        "section": "registries",
        "repository": repository,
        "registry": repository.registry,
        "view": "tags",
        "filter": text,
        "everything": everything,
        "hidden": hidden,
        "order": order,
        "page": page,
        "count": CappedCount.beside(page, matching, stored=stored),
        "commands": _pull_first(repository, page.rows),
    }
    return render_page(request, "dashboard/repository/tags.html", context, fragment="results")


@require_safe
def artifacts(request: HttpRequest, name: str, path: str) -> HttpResponse:
    """One row a digest, with the tags that point at it; those without any too."""
    repository = get_repository_or_404(request.user, name, path)
    only_untagged = request.GET.get("show") == "untagged"
    order = Order.read(request.GET.get("sort", ""), ARTIFACT_COLUMNS)
    present = repository.artifacts.present()
    matching = untagged(repository, present) if only_untagged else present
    page = paginate(matching.with_manifests(), order=order, query=request.GET)
    put_names(repository, page.rows)
    context = {
        "section": "registries",
        "repository": repository,
        "registry": repository.registry,
        "view": "artifacts",
        "untagged": only_untagged,
        "order": order,
        "page": page,
        "count": CappedCount.beside(page, matching),
    }
    return render_page(request, "dashboard/repository/artifacts.html", context, fragment="results")


def _pull_first(repository: Repository, tags: Sequence[Tag]) -> list[PullCommand]:
    """How to pull the tag that stands first."""
    if not tags or repository.missing_since:
        return []
    return pull_commands(repository, tags[0].artifact.manifest.kind, tag=tags[0].name)


def _complete(repository: Repository, page: Page[Tag]) -> None:
    """Sets on each tag how many others point at the same artifact, and what its date tells."""
    put_aliases(repository, page.rows)
    # Asked of each row, Django would translate all of them for each.
    labels = {value: str(label) for value, label in Tag.DatedBy.choices}
    for tag in page.rows:
        tag.dated = labels[tag.dated_by]  # type: ignore[attr-defined]  # for the template
