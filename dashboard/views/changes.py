"""Before something is deleted at a registry: what goes, in words and numbers; and then delete it."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from access.actions import Action
from access.shortcuts import actor_of, get_repository_or_404
from dashboard.browse.images import get_artifact_or_404
from dashboard.browse.siblings import chosen_tags
from dashboard.forms_changes import DeleteImageForm, DeleteRepositoryForm, UntagForm
from dashboard.views.people import signed_in
from registries.changing.consequences import consequences_of
from registries.changing.deleting import (
    MOST_TAGS,
    abilities_of,
    delete_image,
    delete_repository,
    untag,
)
from registries.changing.outcomes import Outcome
from registries.connectors import CONNECTORS, Ability
from registries.models import Repository
from registries.oci.outlines import Lock

# The form is sent back with what is wrong: not a page that a reload may send again.
UNPROCESSABLE = 422

_form_page = require_http_methods(["GET", "HEAD", "POST"])


@_form_page
def remove_tags(request: HttpRequest, name: str, path: str) -> HttpResponse:
    """Take tags away that were chosen (`?tag=`), and tell of each what came of it."""
    repository = get_repository_or_404(request.user, name, path, Action.CONTENT_DELETE)
    form = UntagForm(request.POST if request.method == "POST" else None)
    outcomes: list[Outcome] = []
    if _may_go_on(repository, Ability.DELETE_TAG, form):
        try:
            outcomes = untag(
                repository=repository, seen=form.seen, actor=actor_of(signed_in(request))
            )
        except ValidationError as error:
            form.add_error(None, error)
    if outcomes and all(outcome.is_done for outcome in outcomes):
        _say_of_tags(request, outcomes)
        return redirect("repository", name, path)
    left = [outcome.name for outcome in outcomes if not outcome.is_done]
    chosen = chosen_tags(repository, left or [*request.GET.getlist("tag"), *form.seen])
    if request.method != "POST" and not chosen:
        return _nonechosen_tags(request, repository)
    context = {
        "form": form,
        "tags": chosen,
        "outcomes": outcomes,
        "done_count": len(outcomes) - len(left),
        "most": MOST_TAGS,
        "offered": Ability.DELETE_TAG in abilities_of(repository.registry),
        "last_tag_holds": CONNECTORS[repository.registry.kind].last_tag_holds,
    }
    return _page(request, repository, "untag", context)


@_form_page
def remove_image(request: HttpRequest, name: str, path: str, digest: str) -> HttpResponse:
    """Delete a manifest with its tags, once it was said what goes with it."""
    repository = get_repository_or_404(request.user, name, path, Action.CONTENT_DELETE)
    artifact = get_artifact_or_404(repository, digest)
    artifact.repository = repository
    form = DeleteImageForm(request.POST if request.method == "POST" else None)
    if _may_go_on(repository, Ability.DELETE_MANIFEST, form):
        try:
            outcome = delete_image(
                artifact=artifact, **form.cleaned_data, actor=actor_of(signed_in(request))
            )
        except ValidationError as error:
            form.add_error(None, error)
        else:
            if outcome.is_done:
                _say(request, outcome, _("The image was deleted."))
                return redirect("repository", name, path)
            _refuse(form, outcome)
    context = {
        "form": form,
        "artifact": artifact,
        "manifest": artifact.manifest,
        "with_it": consequences_of(artifact),
        "offered": Ability.DELETE_MANIFEST in abilities_of(repository.registry),
    }
    return _page(request, repository, "image", context)


@_form_page
def remove_repository(request: HttpRequest, name: str, path: str) -> HttpResponse:
    """Delete a repository with all that it holds, once its name was typed."""
    repository = get_repository_or_404(request.user, name, path, Action.CONTENT_DELETE)
    form = DeleteRepositoryForm(
        request.POST if request.method == "POST" else None, repository=repository
    )
    if _may_go_on(repository, Ability.DELETE_REPOSITORY, form):
        outcome = delete_repository(repository=repository, actor=actor_of(signed_in(request)))
        if outcome.is_done:
            _say(request, outcome, _("The repository was deleted."))
            return redirect("repository", name, path)
        _refuse(form, outcome)
    abilities = abilities_of(repository.registry)
    context = {
        "form": form,
        "offered": Ability.DELETE_REPOSITORY in abilities,
        "offers_images": Ability.DELETE_MANIFEST in abilities,
        "is_locked": bool(repository.locks & Lock.DELETE),
    }
    return _page(request, repository, "repository", context)


def _may_go_on(repository: Repository, ability: Ability, form: forms.Form) -> bool:
    """Whether a form was sent that makes sense, to a registry of a kind that does this."""
    if not form.is_valid():
        return False
    if ability in abilities_of(repository.registry):
        return True
    form.add_error(None, _("Registries of this kind do not offer that."))
    return False


def _page(
    request: HttpRequest, repository: Repository, which: str, context: dict[str, Any]
) -> HttpResponse:
    kind = CONNECTORS[repository.registry.kind]
    context |= {
        "section": "registries",
        "repository": repository,
        "registry": repository.registry,
        "kind_label": kind.label,
    }
    status = 200 if request.method != "POST" else UNPROCESSABLE
    return render(request, f"dashboard/changes/{which}.html", context, status=status)


def _nonechosen_tags(request: HttpRequest, repository: Repository) -> HttpResponse:
    if "tag" in request.GET:
        raise Http404(_("There are no such tags in the repository."))
    messages.error(request, _("Choose at least one tag."))
    return redirect("repository", repository.registry.name, repository.path)


def _say_of_tags(request: HttpRequest, outcomes: list[Outcome]) -> None:
    said = ngettext("%d tag was taken away.", "%d tags were taken away.", len(outcomes))
    _say(
        request,
        next((one for one in outcomes if one.lingers), outcomes[0]),
        said % len(outcomes),
    )


def _say(request: HttpRequest, outcome: Outcome, said: str) -> None:
    if outcome.lingers:
        later = _("The registry took the order and still shows it: the next sync tells.")
        messages.warning(request, f"{said} {later}")
    else:
        messages.success(request, said)


def _refuse(form: forms.Form, outcome: Outcome) -> None:
    form.add_error(None, f"{outcome.problem} {outcome.advice}".strip())
