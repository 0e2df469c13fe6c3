"""An image, by tag or by digest: platforms, layers, config, and what refers to it."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from access.shortcuts import get_repository_or_404
from dashboard.browse.images import ImagePage, get_artifact_or_404, get_tag_or_404
from dashboard.browse.pulling import pull_commands
from registries.connectors import CONNECTORS
from registries.models import Artifact, Repository, Tag


@require_safe
def by_tag(request: HttpRequest, name: str, path: str, tag: str) -> HttpResponse:
    """What a tag points at now."""
    repository = get_repository_or_404(request.user, name, path)
    found = get_tag_or_404(repository, tag)
    return _page(request, repository, found.artifact, found)


@require_safe
def by_digest(request: HttpRequest, name: str, path: str, digest: str) -> HttpResponse:
    """What a digest names, if this repository holds it."""
    repository = get_repository_or_404(request.user, name, path)
    return _page(request, repository, get_artifact_or_404(repository, digest))


@require_safe
def raw(request: HttpRequest, name: str, path: str, digest: str) -> HttpResponse:
    """The very bytes of a manifest, always as a download: they are a stranger's."""
    repository = get_repository_or_404(request.user, name, path)
    artifact = get_artifact_or_404(repository, digest)
    manifest = artifact.manifest
    if artifact.details == Artifact.Details.LISTED:
        raise Http404("Only the registry's listing has described it: there are no bytes to give.")
    file_name = f"{digest.replace(':', '-')}.json"
    return HttpResponse(
        manifest.document,
        content_type=manifest.media_type,
        headers={
            "Content-Disposition": f'attachment; filename="{file_name}"',
            "X-Content-Type-Options": "nosniff",
        },
    )


def _page(
    request: HttpRequest, repository: Repository, artifact: Artifact, tag: Tag | None = None
) -> HttpResponse:
    image = ImagePage(request.user, repository, artifact, request.GET.get("platform", ""))
    connector = CONNECTORS[repository.registry.kind]
    context = {
        "section": "registries",
        "repository": repository,
        "registry": repository.registry,
        "tag": tag,
        "artifact": artifact,
        "manifest": artifact.manifest,
        "image": image,
        "is_rationed": connector.pulls_are_rationed,
        "kind_label": connector.label,
        "commands": pull_commands(
            repository,
            artifact.manifest.kind,
            tag=tag.name if tag else "",
            digest=artifact.manifest.digest,
        ),
    }
    return render(request, "dashboard/image/image.html", context)
