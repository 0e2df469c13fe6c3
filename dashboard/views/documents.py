"""Have a manifest read that only the registry's listing has described, and wait for it."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from access.shortcuts import actor_of, get_repository_or_404
from dashboard.browse.images import get_artifact_or_404
from dashboard.htmx import wants_fragment
from dashboard.runs.start import start_reading
from dashboard.views.image import by_digest
from dashboard.views.people import signed_in
from registries.connectors import CONNECTORS
from registries.documents import is_listed_only, what_went_wrong
from registries.models import Artifact, Repository


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def read(request: HttpRequest, name: str, path: str, digest: str) -> HttpResponse:
    """Ask for the document (POST), and say how far it is (GET): a part of the image's page."""
    repository = get_repository_or_404(request.user, name, path)
    artifact = get_artifact_or_404(repository, digest)
    artifact.repository = repository
    if request.method == "POST" and is_listed_only(artifact):
        start_reading(artifact, actor=actor_of(signed_in(request)))
    if wants_fragment(request):
        return _part(request, repository, artifact)
    if request.method != "POST":
        return by_digest(request, name, path, digest)
    messages.info(request, _("It is being read. Look again in a moment."))
    return redirect("manifest", name, path, digest)


def _part(request: HttpRequest, repository: Repository, artifact: Artifact) -> HttpResponse:
    """The banner that waits; once all is read the page is loaded anew, by htmx."""
    if not is_listed_only(artifact):
        return HttpResponse(headers={"HX-Refresh": "true"})
    problem = what_went_wrong(artifact)
    context = {
        "repository": repository,
        "registry": repository.registry,
        "artifact": artifact,
        "manifest": artifact.manifest,
        "problem": problem,
        "is_waiting": not problem,
        "is_rationed": CONNECTORS[repository.registry.kind].pulls_are_rationed,
    }
    return render(request, "dashboard/image/listed.html", context)
