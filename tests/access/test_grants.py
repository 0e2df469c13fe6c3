"""Nobody gives or takes what he could not use himself, and somebody always owns everything."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.utils import timezone

from access.grants import end_grants, grant_in_bulk, grant_role, grantable, revoke_grants
from access.models import AuditEntry, Grant, Membership, Role, Team, User
from access.policy import rights_of
from access.scopes import EVERYTHING, Scope
from access.shortcuts import actor_of
from tests import catalog
from tests.cast import give

pytestmark = pytest.mark.django_db(transaction=True)
TEAM_A = Scope("harbour", "team-a/*")


@pytest.fixture(autouse=True)
def harbour(db: None) -> None:
    catalog.registry("harbour")


def role(name: str) -> Role:
    return Role.objects.get(name=name)


def granting(by: User, name: str, to: User | Team, scope: Scope = TEAM_A) -> Grant:
    by = User.objects.get(pk=by.pk)
    return grant_role(role=role(name), to=to, scope=scope, rights=rights_of(by), actor=actor_of(by))


def revoking(by: User, grants: Iterable[Grant]) -> list[Grant]:
    by = User.objects.get(pk=by.pk)
    return revoke_grants([one.pk for one in grants], rights=rights_of(by), actor=actor_of(by))


def test_an_owner_grants_and_the_log_remembers(owner: User, outsider: User) -> None:
    granted = granting(owner, "pusher", outsider)
    assert str(granted.scope) == "harbour/team-a/*"
    entry = AuditEntry.objects.latest("number")
    assert (entry.actor_label, entry.target) == ("anna", "user:otto pusher harbour/team-a/*")


def test_who_cannot_manage_access_grants_nothing(viewer: User, outsider: User) -> None:
    with pytest.raises(PermissionDenied, match="access manage"):
        granting(viewer, "reader", outsider)
    assert not Grant.objects.filter(user=outsider).exists()


def test_an_owner_of_a_namespace_grants_there_and_nowhere_else(
    viewer: User, outsider: User
) -> None:
    give(viewer, "owner", TEAM_A)
    assert granting(viewer, "owner", outsider, Scope("harbour", "team-a/deep/*"))
    for elsewhere in (Scope("harbour", "team-b/*"), Scope("harbour"), EVERYTHING):
        with pytest.raises(PermissionDenied):
            granting(viewer, "reader", outsider, elsewhere)


def test_nobody_grants_what_he_does_not_have(viewer: User, outsider: User) -> None:
    doorkeeper = Role.objects.create(
        name="doorkeeper", label="Doorkeeper", actions=["access manage", "content read"]
    )
    Grant.objects.create(user=viewer, role=doorkeeper)
    with pytest.raises(PermissionDenied, match="content write"):
        granting(viewer, "pusher", outsider)
    names = [one.name for one in grantable(Role.objects.all(), rights_of(viewer), TEAM_A)]
    assert "reader" in names
    assert "pusher" not in names


def test_nobody_takes_what_he_could_not_give(viewer: User, outsider: User) -> None:
    give(viewer, "owner", TEAM_A)
    above = give(outsider, "reader", Scope("harbour"))
    with pytest.raises(PermissionDenied):
        revoking(viewer, [above])
    assert Grant.objects.filter(pk=above.pk).exists()


def test_revoking_in_bulk_takes_all_or_none(viewer: User, outsider: User) -> None:
    give(viewer, "owner", TEAM_A)
    below, above = give(outsider, "reader", TEAM_A), give(outsider, "reader", Scope("harbour"))
    with pytest.raises(PermissionDenied):
        revoking(viewer, [below, above])
    assert Grant.objects.filter(pk=below.pk).exists()
    assert revoking(viewer, [below]) == [below]


def test_granting_in_bulk_gives_all_or_nothing(owner: User, outsider: User) -> None:
    given = grant_in_bulk(
        roles=[role("reader"), role("pusher")],
        to=[outsider, None],
        scopes=[TEAM_A, Scope("harbour", "team-b/*")],
        rights=rights_of(owner),
        actor=actor_of(owner),
    )
    assert len(given) == 8
    with pytest.raises(ValidationError):
        grant_in_bulk(
            roles=[role("deleter")],
            to=[outsider],
            scopes=[TEAM_A, Scope("nowhere")],
            rights=rights_of(owner),
            actor=actor_of(owner),
        )
    assert not Grant.objects.filter(role__name="deleter").exists()


def test_the_same_grant_again_changes_its_end(owner: User, outsider: User) -> None:
    first = granting(owner, "reader", outsider)
    until = timezone.now() + timedelta(days=7)
    again = grant_role(
        role=role("reader"),
        to=outsider,
        scope=TEAM_A,
        until=until,
        rights=rights_of(owner),
        actor=actor_of(owner),
    )
    assert again.pk == first.pk
    assert again.until == until


def test_an_end_lies_in_the_future(owner: User, outsider: User) -> None:
    with pytest.raises(ValidationError, match="future"):
        grant_role(
            role=role("reader"),
            to=outsider,
            scope=TEAM_A,
            until=timezone.now(),
            rights=rights_of(owner),
            actor=actor_of(owner),
        )


def test_the_last_owner_cannot_be_removed(outsider: User) -> None:
    last = give(outsider, "owner")
    with pytest.raises(ValidationError, match="last owner"):
        revoking(outsider, [last])
    assert Grant.objects.filter(pk=last.pk).exists()


def test_the_last_owner_cannot_be_made_to_end(outsider: User) -> None:
    give(outsider, "owner")
    with pytest.raises(ValidationError, match="last owner"):
        grant_role(
            role=role("owner"),
            to=outsider,
            scope=EVERYTHING,
            until=timezone.now() + timedelta(days=1),
            rights=rights_of(outsider),
            actor=actor_of(outsider),
        )


def test_a_team_may_be_the_owner_that_is_left(outsider: User, viewer: User) -> None:
    team = Team.objects.create(name="platform")
    Membership.objects.create(team=team, user=viewer)
    Grant.objects.create(team=team, role=role("owner"))
    assert revoking(outsider, [give(outsider, "owner")])


def test_a_team_without_anybody_in_it_owns_nothing(outsider: User) -> None:
    Grant.objects.create(team=Team.objects.create(name="empty"), role=role("owner"))
    with pytest.raises(ValidationError, match="last owner"):
        revoking(outsider, [give(outsider, "owner")])


def test_grants_that_ended_are_swept_away_and_told(owner: User, outsider: User) -> None:
    soon = timezone.now() + timedelta(hours=1)
    ended = give(outsider, "reader", TEAM_A)
    Grant.objects.filter(pk=ended.pk).update(until=soon)
    assert end_grants(timezone.now()) == 0
    assert end_grants(soon) == 1
    assert AuditEntry.objects.latest("number").event == "access revoked"
