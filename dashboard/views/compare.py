"""Two images of a repository side by side."""

from __future__ import annotations

from dataclasses import fields

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from access.shortcuts import get_repository_or_404
from dashboard.browse.comparing import Comparison, Side
from dashboard.browse.filters import read_filter

NAMES_OFFERED = 200


@require_safe
def compare(request: HttpRequest, name: str, path: str) -> HttpResponse:
    """What changed `?from=` one tag or digest `&to=` another, on one platform."""
    repository = get_repository_or_404(request.user, name, path)
    platform = read_filter(request, "platform").text
    before, after = (
        Side.of(request.user, repository, read_filter(request, name).text, platform)
        for name in ("from", "to")
    )
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
        changed = Comparison.between(before.image, after.image)
        context |= {field.name: getattr(changed, field.name) for field in fields(changed)}
        # Of what is only listed nobody knows the layers: all of the other's would look new.
        context["unread"] = [it for it in (before, after) if it.image and not it.image.is_read]
    return render(request, "dashboard/compare/compare.html", context)
