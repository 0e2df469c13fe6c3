"""The first line of a view: fetch and authorise in one step. What one may not see is a 404."""

from __future__ import annotations

from django.http import Http404
from django.utils.translation import gettext as _

from access.actions import Action
from access.models import ServicePrincipal, User
from access.policy import Someone, rights_of, visible_registries, visible_repositories
from access.scopes import EVERYTHING, Scope
from registries.actor import Actor
from registries.models import Registry, Repository


def get_registry_or_404(user: Someone, name: str, action: Action | None = None) -> Registry:
    """The registry, if somebody may know of it (else Http404) and do this in all of it (else
    PermissionDenied)."""
    registry = visible_registries(user).filter(name=name).first()
    if registry is None:
        raise Http404(_("There is no registry of this name."))
    if action is not None:
        require(user, action, Scope(registry.name))
    return registry


def get_repository_or_404(
    user: Someone, registry: str, path: str, action: Action = Action.CONTENT_READ
) -> Repository:
    """The repository with its registry, if somebody may know of both and do this."""
    repository = (
        visible_repositories(user)
        .select_related("registry")
        .filter(registry__name=registry, path=path)
        .first()
    )
    if repository is None:
        raise Http404(_("There is no repository of this name."))
    require(user, action, Scope(registry, path))
    return repository


def require(user: Someone, action: Action, scope: Scope = EVERYTHING) -> None:
    """Raises PermissionDenied unless somebody may do this in all of the scope."""
    rights_of(user).require(action, scope)


def actor_of(user: User | ServicePrincipal) -> Actor:
    """The person or machine as the value that history keeps."""
    if isinstance(user, ServicePrincipal):
        return Actor(kind="service_principal", id=str(user.pk), label=user.name)
    return Actor(kind="user", id=str(user.pk), label=user.get_username())
