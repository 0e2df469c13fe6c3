"""Who may do what. One module judges for every way in; views and commands never decide.

So far there are two kinds of people: owners (superusers) may do everything, everyone else who
signs in may read and pull. Nobody else may do anything.
"""

from __future__ import annotations

from django.contrib.auth.models import AnonymousUser

from access.actions import Action
from access.models import User
from registries.models import Registry, Repository
from registries.models.registry import RegistryQuerySet, RepositoryQuerySet

READER = frozenset({Action.REGISTRY_READ, Action.CATALOG_LIST, Action.CONTENT_READ})


def may(user: User | AnonymousUser, action: Action) -> bool:
    """Whether a person may do something; the unknown and the inactive may do nothing."""
    if not user.is_authenticated or not user.is_active:
        return False
    return user.is_superuser or action in READER


def visible_registries(user: User | AnonymousUser) -> RegistryQuerySet:
    """The registries a person may know of; the others do not exist for him."""
    return Registry.objects.all() if may(user, Action.REGISTRY_READ) else Registry.objects.none()


def visible_repositories(user: User | AnonymousUser) -> RepositoryQuerySet:
    """The repositories a person may know of, those that vanished from their registry included."""
    if may(user, Action.CATALOG_LIST):
        return Repository.objects.all()
    return Repository.objects.none()
