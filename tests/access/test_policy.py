"""One module judges: what nobody granted, nobody may."""

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.http import Http404

from access.actions import Action
from access.models import User
from access.policy import may, visible_registries, visible_repositories
from access.shortcuts import actor_of, get_registry_or_404, get_repository_or_404, require
from tests import catalog

pytestmark = pytest.mark.django_db
READING = (Action.REGISTRY_READ, Action.CATALOG_LIST, Action.CONTENT_READ)


@pytest.mark.parametrize("action", Action)
def test_an_owner_may_do_everything(owner: User, action: Action) -> None:
    assert may(owner, action)


@pytest.mark.parametrize("action", Action)
def test_a_viewer_may_read_and_nothing_else(viewer: User, action: Action) -> None:
    assert may(viewer, action) is (action in READING)


@pytest.mark.parametrize("action", Action)
def test_nobody_may_do_anything_unknown(action: Action) -> None:
    assert not may(AnonymousUser(), action)


@pytest.mark.parametrize("action", Action)
def test_an_owner_who_left_may_do_nothing_more(owner: User, action: Action) -> None:
    owner.is_active = False
    assert not may(owner, action)


def test_strangers_see_no_registry_and_no_repository(viewer: User) -> None:
    catalog.repository(catalog.registry(), "team-a/api")
    assert visible_registries(viewer).count() == visible_repositories(viewer).count() == 1
    assert not visible_registries(AnonymousUser()).exists()
    assert not visible_repositories(AnonymousUser()).exists()


def test_what_one_may_not_see_is_not_there(viewer: User) -> None:
    registry = catalog.registry()
    catalog.repository(registry, "team-a/api")
    assert get_registry_or_404(viewer, registry.name) == registry
    for name in ("nowhere", registry.name):
        with pytest.raises(Http404):
            get_registry_or_404(AnonymousUser(), name)
    with pytest.raises(Http404):
        get_repository_or_404(viewer, registry.name, "team-b/web")


def test_what_one_sees_and_may_not_change_is_refused_with_its_reason(viewer: User) -> None:
    registry = catalog.registry()
    with pytest.raises(PermissionDenied, match="registry manage"):
        get_registry_or_404(viewer, registry.name, Action.REGISTRY_MANAGE)
    with pytest.raises(PermissionDenied):
        require(viewer, Action.REGISTRY_MANAGE)


def test_history_keeps_a_person_as_a_value(viewer: User) -> None:
    actor = actor_of(viewer)
    assert (actor.kind, actor.id, actor.label) == ("user", str(viewer.pk), "viktor")
