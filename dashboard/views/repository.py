"""A repository: its tags, one row each, and its artifacts with the tags that share them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db.models import Exists, F, OuterRef
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from access.shortcuts import get_repository_or_404
from dashboard.browse.filters import read_filter
from dashboard.browse.pulling import PullCommand, pull_commands
from dashboard.htmx import render_page
from dashboard.pagination import CappedCount, Column, Order, Page, paginate
from registries.models import Artifact, ManifestChild, Repository, Tag
from registries.models.content import ArtifactQuerySet

TAG_COLUMNS = {
    "date": Column(F("dated_at"), datetime, descending_first=True),
    "name": Column(F("version_key"), str, descending_first=True),
    "size": Column(F("size"), int, descending_first=True),
}
ARTIFACT_COLUMNS = {
    "date": Column(Coalesce("pushed_at", "first_seen_at"), datetime, descending_first=True),
    "size": Column(F("manifest__total_size"), int, descending_first=True),
}


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
    untagged = request.GET.get("show") == "untagged"
    order = Order.read(request.GET.get("sort", ""), ARTIFACT_COLUMNS)
    present = repository.artifacts.present()
    matching = _untagged(repository, present) if untagged else present
    page = paginate(matching.with_manifests(), order=order, query=request.GET)
    _put_names(repository, page.rows)
    context = {
        "section": "registries",
        "repository": repository,
        "registry": repository.registry,
        "view": "artifacts",
        "untagged": untagged,
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
    counted = repository.tags.counted_by_artifact({tag.artifact_id for tag in page.rows})
    # Asked of each row, Django would translate all of them for each.
    labels = {value: str(label) for value, label in Tag.DatedBy.choices}
    for tag in page.rows:
        tag.aliases = counted.get(tag.artifact_id, 1) - 1  # type: ignore[attr-defined]  # for the template
        tag.dated = labels[tag.dated_by]  # type: ignore[attr-defined]


def _put_names(repository: Repository, artifacts: Sequence[Artifact]) -> None:
    """Sets on each artifact its tags and whether an index of this repository holds it."""
    named: dict[int, list[str]] = {artifact.pk: [] for artifact in artifacts}
    tags = repository.tags.filter(artifact__in=named).order_by("-dated_at", "-id")
    for artifact_id, name in tags.values_list("artifact_id", "name"):
        named[artifact_id].append(name)
    digests = [artifact.manifest.digest for artifact in artifacts]
    held = set(
        ManifestChild.objects.filter(
            digest__in=digests, parent__artifacts__repository=repository
        ).values_list("digest", flat=True)
    )
    for artifact in artifacts:
        artifact.names = named[artifact.pk]  # type: ignore[attr-defined]  # for the template
        artifact.is_part = artifact.manifest.digest in held  # type: ignore[attr-defined]


def _untagged(repository: Repository, artifacts: ArtifactQuerySet) -> ArtifactQuerySet:
    """Those that nothing names: no tag, and no index of this repository."""
    tagged = Tag.objects.filter(artifact=OuterRef("pk"))
    in_index = ManifestChild.objects.filter(
        digest=OuterRef("manifest__digest"), parent__artifacts__repository=repository
    )
    return artifacts.filter(~Exists(tagged), ~Exists(in_index))
