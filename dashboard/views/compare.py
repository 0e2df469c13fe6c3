"""Two images of a repository side by side."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from access.shortcuts import get_repository_or_404
from dashboard.browse.difference import LayerDifference, ValueChange, changed_values
from dashboard.browse.filters import read_filter
from dashboard.browse.images import ImagePage, get_artifact_or_404, get_tag_or_404
from registries.models import Repository
from registries.oci.reference import is_digest

NAMES_OFFERED = 200


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two: what was asked for, and what it is; `image` is None if it is not there."""

    reference: str
    image: ImagePage | None


@require_safe
def compare(request: HttpRequest, name: str, path: str) -> HttpResponse:
    """What changed `?from=` one tag or digest `&to=` another, on one platform."""
    repository = get_repository_or_404(request.user, name, path)
    platform = read_filter(request, "platform").text
    before = _side(request, repository, read_filter(request, "from").text, platform)
    after = _side(request, repository, read_filter(request, "to").text, platform)
    context = {
        "section": "registries",
        "repository": repository,
        "registry": repository.registry,
        "view": "compare",
        "before": before,
        "after": after,
        "platform": platform,
        "names": repository.tags.for_people()
        .order_by("-dated_at", "-id")
        .values_list("name", flat=True)[:NAMES_OFFERED],
    }
    if before.image and after.image:
        context |= _differences(before.image, after.image)
    return render(request, "dashboard/compare/compare.html", context)


def _side(request: HttpRequest, repository: Repository, reference: str, platform: str) -> Side:
    try:
        if not reference:
            return Side(reference, None)
        artifact = (
            get_artifact_or_404(repository, reference)
            if is_digest(reference)
            else get_tag_or_404(repository, reference).artifact
        )
    except Http404:
        return Side(reference, None)
    return Side(reference, ImagePage(request.user, repository, artifact, platform))


def _differences(before: ImagePage, after: ImagePage) -> dict[str, object]:
    return {
        "layers": LayerDifference.between(before.steps, after.steps),
        "facts": changed_values(_facts(before), _facts(after)),
        "environment": _environment(before, after),
        "labels": changed_values(_labels(before), _labels(after)),
        "platforms": [
            *dict.fromkeys(
                platform.child.platform for platform in (*before.platforms, *after.platforms)
            )
        ],
    }


def _facts(image: ImagePage) -> dict[str, str]:
    facts = image.config.facts() if image.config else {}
    return {name: value for name, value in facts.items() if value}


def _labels(image: ImagePage) -> dict[str, str]:
    return dict(image.config.labels) if image.config else {}


def _environment(before: ImagePage, after: ImagePage) -> list[ValueChange]:
    sides = [image.config.env if image.config else () for image in (before, after)]
    old, new = ({variable.name: variable.value for variable in side} for side in sides)
    secret = {variable.name for side in sides for variable in side if variable.is_secret}
    return [
        ValueChange(change.name, change.before, change.after, is_secret=change.name in secret)
        for change in changed_values(old, new)
    ]
