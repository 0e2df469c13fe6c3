"""What a registry refuses to do with a repository, an image or a tag: shown, and changed."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from access.actions import Action
from access.shortcuts import actor_of, get_repository_or_404
from dashboard.browse.filters import read_filter
from dashboard.browse.images import get_artifact_or_404, get_tag_or_404
from dashboard.forms_changes import LocksForm
from dashboard.views.changes import UNPROCESSABLE
from dashboard.views.people import signed_in
from registries.changing.deleting import abilities_of
from registries.changing.locking import look, set_locks
from registries.connectors import CONNECTORS, Ability
from registries.models import Artifact, Repository, Tag


@require_http_methods(["GET", "HEAD", "POST"])
def locks(request: HttpRequest, name: str, path: str) -> HttpResponse:
    """Of the repository, or with `?tag=` or `?digest=` of that in it."""
    repository = get_repository_or_404(request.user, name, path, Action.METADATA_WRITE)
    what = _what(request, repository)
    offered = Ability.LOCKS in abilities_of(repository.registry)
    if offered and request.method == "GET" and isinstance(what, Repository):
        look(what)
    form = LocksForm(request.POST if request.method == "POST" else None, locks=what.locks)
    if form.is_valid():
        if not offered:
            form.add_error(None, _("Registries of this kind do not offer that."))
        else:
            outcome = set_locks(what=what, locks=form.locks, actor=actor_of(signed_in(request)))
            if outcome.is_new:
                messages.success(request, _("The locks were set."))
                return redirect(_back(repository, what))
            gone = _("The registry does not have it any more.")
            form.add_error(None, f"{outcome.problem or gone} {outcome.advice}".strip())
    context = {
        "section": "registries",
        "repository": repository,
        "registry": repository.registry,
        "kind_label": CONNECTORS[repository.registry.kind].label,
        "form": form,
        "offered": offered,
        "tag": what.name if isinstance(what, Tag) else "",
        "digest": what.manifest.digest if isinstance(what, Artifact) else "",
        "back": _back(repository, what),
    }
    status = 200 if request.method != "POST" else UNPROCESSABLE
    return render(request, "dashboard/changes/locks.html", context, status=status)


def _what(request: HttpRequest, repository: Repository) -> Repository | Artifact | Tag:
    if tag := read_filter(request, "tag").text:
        found: Artifact | Tag = get_tag_or_404(repository, tag)
    elif digest := read_filter(request, "digest").text:
        found = get_artifact_or_404(repository, digest)
    else:
        return repository
    found.repository = repository
    return found


def _back(repository: Repository, what: Repository | Artifact | Tag) -> str:
    here = (repository.registry.name, repository.path)
    if isinstance(what, Tag):
        return reverse("tag", args=[*here, what.name])
    if isinstance(what, Artifact):
        return reverse("manifest", args=[*here, what.manifest.digest])
    return reverse("repository", args=here)
