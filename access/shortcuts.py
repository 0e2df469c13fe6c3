"""The first line of a view: fetch and authorise in one step. What one may not see is a 404."""

from __future__ import annotations

from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.utils.translation import gettext as _

from access.actions import Action
from access.models import User
from access.policy import may, visible_registries, visible_repositories
from registries.actor import Actor
from registries.models import Registry, Repository


def get_registry_or_404(
    user: User | AnonymousUser, name: str, action: Action = Action.REGISTRY_READ
) -> Registry:
    """The registry, if the person may know of it (else Http404) and do this (else PermissionDenied)."""
    registry = visible_registries(user).filter(name=name).first()
    if registry is None:
        raise Http404(_("There is no registry of this name."))
    require(user, action)
    return registry


def get_repository_or_404(
    user: User | AnonymousUser, registry: str, path: str, action: Action = Action.CONTENT_READ
) -> Repository:
    """The repository with its registry, if the person may know of both and do this."""
    repository = (
        visible_repositories(user)
        .select_related("registry")
        .filter(registry__name=registry, path=path)
        .first()
    )
    if repository is None:
        raise Http404(_("There is no repository of this name."))
    require(user, action)
    return repository


def require(user: User | AnonymousUser, action: Action) -> None:
    """Raises PermissionDenied unless the person may do this."""
    if not may(user, action):
        raise PermissionDenied(
            _("This needs the right to “%s”.") % f"{action.resource} {action.verb}"
        )


def actor_of(user: User) -> Actor:
    """The person as the value that history keeps."""
    return Actor(kind="user", id=str(user.pk), label=user.get_username())
