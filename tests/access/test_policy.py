"""One module judges: what nobody granted, nobody may; and it says why."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.utils import timezone

from access.actions import Action
from access.models import Grant, Membership, Role, ServicePrincipal, Team, User
from access.policy import may, public_rights, rights_of, visible_registries, visible_repositories
from access.scopes import EVERYTHING, Scope
from access.shortcuts import actor_of, get_registry_or_404, get_repository_or_404, require
from registries.models import Registry
from tests import catalog
from tests.cast import give

pytestmark = pytest.mark.django_db
READING = {
    Action.REGISTRY_READ,
    Action.CATALOG_LIST,
    Action.CONTENT_READ,
    Action.METADATA_READ,
}


@pytest.fixture
def harbour() -> Registry:
    registry = catalog.registry("harbour")
    for path in ("team-a", "team-a/api", "team-a/deep/er", "team-a-b/x", "team-b/web"):
        catalog.repository(registry, path)
    return registry


def seen_by(user: User) -> list[str]:
    user = User.objects.get(pk=user.pk)  # as the next request has it
    return list(visible_repositories(user).order_by("path").values_list("path", flat=True))


@pytest.mark.parametrize("action", Action)
def test_a_superuser_may_do_everything(owner: User, action: Action) -> None:
    assert may(owner, action)


@pytest.mark.parametrize("action", Action)
def test_a_reader_may_read_and_nothing_else(viewer: User, action: Action) -> None:
    assert may(viewer, action) is (action in READING)


@pytest.mark.parametrize("action", Action)
def test_whom_nobody_granted_anything_may_do_nothing(outsider: User, action: Action) -> None:
    assert not may(outsider, action)
    assert not may(AnonymousUser(), action)


@pytest.mark.parametrize("action", Action)
def test_an_owner_who_left_may_do_nothing_more(owner: User, action: Action) -> None:
    owner.is_active = False
    assert not may(owner, action)


def test_a_pattern_shows_what_lies_below_it_and_nothing_beside_it(
    harbour: Registry, outsider: User
) -> None:
    give(outsider, "reader", Scope("harbour", "team-a/*"))
    assert seen_by(outsider) == ["team-a/api", "team-a/deep/er"]


def test_one_repository_shows_only_itself(harbour: Registry, outsider: User) -> None:
    give(outsider, "puller", Scope("harbour", "team-a"))
    assert seen_by(outsider) == ["team-a"]


def test_a_registry_shows_all_of_itself_and_no_other(harbour: Registry, outsider: User) -> None:
    catalog.repository(catalog.registry("elsewhere"), "team-a/api")
    give(outsider, "reader", Scope("harbour"))
    assert len(seen_by(outsider)) == 5
    assert list(visible_registries(User.objects.get(pk=outsider.pk))) == [harbour]


def test_scopes_add_up_and_those_inside_others_count_once(
    harbour: Registry, outsider: User
) -> None:
    for path in ("team-a/*", "team-a/deep/*", "team-b/web"):
        give(outsider, "reader", Scope("harbour", path))
    assert seen_by(outsider) == ["team-a/api", "team-a/deep/er", "team-b/web"]


def test_a_right_to_push_alone_shows_nothing(harbour: Registry, outsider: User) -> None:
    role = Role.objects.create(name="blind", label="Blind", actions=["content write"])
    Grant.objects.create(user=outsider, role=role, registry=harbour, path="team-a/*")
    assert seen_by(outsider) == []


def test_a_team_brings_its_grants_and_the_reason_names_it(
    harbour: Registry, outsider: User
) -> None:
    team = Team.objects.create(name="crew")
    Membership.objects.create(team=team, user=outsider)
    grant = Grant.objects.create(
        team=team, role=Role.objects.get(name="pusher"), registry=harbour, path="team-a/*"
    )
    (reason,) = rights_of(outsider).why(Action.CONTENT_WRITE, Scope("harbour", "team-a/api"))
    assert (reason.grant, reason.team, reason.role) == (grant.pk, "crew", "pusher")
    assert not may(outsider, Action.CONTENT_WRITE, Scope("harbour", "team-b/web"))


def test_a_grant_that_ended_allows_nothing(harbour: Registry, outsider: User) -> None:
    grant = give(outsider, "reader", Scope("harbour"))
    grant.until = timezone.now() - timedelta(seconds=1)
    grant.save()
    assert seen_by(outsider) == []


def test_what_the_public_may_everybody_may(harbour: Registry, outsider: User) -> None:
    Grant.objects.create(
        is_public=True, role=Role.objects.get(name="puller"), registry=harbour, path="team-b/*"
    )
    assert seen_by(outsider) == ["team-b/web"]
    assert public_rights().may(Action.CONTENT_READ, Scope("harbour", "team-b/web"))
    assert not visible_repositories(AnonymousUser()).exists()  # screens are for who signs in


def test_a_machine_has_its_own_rights_and_not_its_teams(harbour: Registry) -> None:
    team = Team.objects.create(name="crew")
    Grant.objects.create(team=team, role=Role.objects.get(name="owner"))
    machine = ServicePrincipal.objects.create(name="ci", team=team)
    Grant.objects.create(
        service_principal=machine, role=Role.objects.get(name="pusher"), registry=harbour
    )
    assert may(machine, Action.CONTENT_WRITE, Scope("harbour", "team-a/api"))
    assert not may(machine, Action.CONTENT_DELETE, Scope("harbour", "team-a/api"))


def test_a_disabled_machine_may_do_nothing(harbour: Registry) -> None:
    machine = ServicePrincipal.objects.create(name="ci", disabled_at=timezone.now())
    Grant.objects.create(service_principal=machine, role=Role.objects.get(name="owner"))
    assert not may(machine, Action.CONTENT_READ, Scope("harbour"))


def test_a_narrower_token_allows_no_more_than_it_says(harbour: Registry, owner: User) -> None:
    rights = rights_of(owner).narrowed(
        frozenset({Action.CONTENT_READ}), [Scope("harbour", "team-a/*")]
    )
    assert rights.may(Action.CONTENT_READ, Scope("harbour", "team-a/api"))
    assert not rights.may(Action.CONTENT_WRITE, Scope("harbour", "team-a/api"))
    assert not rights.may(Action.CONTENT_READ, Scope("harbour", "team-b/web"))


def test_a_narrower_token_allows_no_more_than_its_owner_has(viewer: User) -> None:
    rights = rights_of(viewer).narrowed(frozenset({Action.CONTENT_DELETE}), [])
    assert rights.entitlements == ()


def test_what_one_may_not_see_is_not_there(harbour: Registry, outsider: User) -> None:
    give(outsider, "reader", Scope("harbour", "team-a/*"))
    assert get_registry_or_404(outsider, "harbour") == harbour
    assert get_repository_or_404(outsider, "harbour", "team-a/api").path == "team-a/api"
    with pytest.raises(Http404):
        get_repository_or_404(outsider, "harbour", "team-b/web")
    for name in ("nowhere", "harbour"):
        with pytest.raises(Http404):
            get_registry_or_404(AnonymousUser(), name)


def test_what_one_sees_and_may_not_change_is_refused_with_its_reason(viewer: User) -> None:
    registry = catalog.registry()
    with pytest.raises(PermissionDenied, match="registry manage"):
        get_registry_or_404(viewer, registry.name, Action.REGISTRY_MANAGE)
    with pytest.raises(PermissionDenied):
        require(viewer, Action.REGISTRY_MANAGE)


def test_a_part_of_a_registry_is_not_all_of_it(harbour: Registry, outsider: User) -> None:
    give(outsider, "owner", Scope("harbour", "team-a/*"))
    with pytest.raises(PermissionDenied):
        get_registry_or_404(outsider, "harbour", Action.REGISTRY_MANAGE)
    assert not may(outsider, Action.ACCESS_MANAGE, Scope("harbour"))
    assert may(outsider, Action.ACCESS_MANAGE, Scope("harbour", "team-a/deep/*"))


def test_history_keeps_a_person_as_a_value(viewer: User) -> None:
    actor = actor_of(viewer)
    assert (actor.kind, actor.id, actor.label) == ("user", str(viewer.pk), "viktor")


def test_everything_is_the_scope_of_who_has_no_other(owner: User) -> None:
    assert rights_of(owner).scopes(Action.CONTENT_READ) == (EVERYTHING,)
