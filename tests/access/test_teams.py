"""Being in a team is having its grants, so who puts people in could grant them."""

from __future__ import annotations

import pytest
from django.core.exceptions import PermissionDenied, ValidationError

from access import teams
from access.models import AuditEntry, Grant, Membership, Role, ServicePrincipal, Team, User
from access.policy import rights_of
from access.scopes import Scope
from access.shortcuts import actor_of
from tests import catalog
from tests.cast import give

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def team(db: None) -> Team:
    catalog.registry("harbour")
    return Team.objects.create(name="platform")


def adding(by: User, team: Team, user: User, *, is_maintainer: bool = False) -> Membership:
    by = User.objects.get(pk=by.pk)
    return teams.add_member(
        team=team,
        user=user,
        is_maintainer=is_maintainer,
        rights=rights_of(by),
        maintainer=by,
        actor=actor_of(by),
    )


def removing(by: User, team: Team, user: User) -> None:
    by = User.objects.get(pk=by.pk)
    teams.remove_member(
        team=team, user=user, rights=rights_of(by), maintainer=by, actor=actor_of(by)
    )


def grant_to(team: Team, role: str) -> None:
    Grant.objects.create(team=team, role=Role.objects.get(name=role))


def test_a_team_is_made_changed_and_removed(owner: User) -> None:
    rights, actor = rights_of(owner), actor_of(owner)
    team = teams.create_team(name="platform", description="", rights=rights, actor=actor)
    teams.change_team(team, description="Ships it", rights=rights, actor=actor)
    grant_to(team, "pusher")
    teams.remove_team(team, rights=rights, actor=actor)
    assert not Team.objects.exists()
    told = list(AuditEntry.objects.order_by("number").values_list("event", flat=True))
    assert told[-4:] == ["team created", "team changed", "access revoked", "team removed"]


def test_making_teams_takes_the_right_to_manage_access_everywhere(viewer: User, team: Team) -> None:
    rights, actor = rights_of(viewer), actor_of(viewer)
    with pytest.raises(PermissionDenied):
        teams.create_team(name="mine", description="", rights=rights, actor=actor)
    give(viewer, "owner", Scope("harbour"))
    rights = rights_of(User.objects.get(pk=viewer.pk))
    with pytest.raises(PermissionDenied):
        teams.create_team(name="mine", description="", rights=rights, actor=actor)
    with pytest.raises(PermissionDenied):
        teams.change_team(team, description="mine", rights=rights, actor=actor)
    with pytest.raises(PermissionDenied):
        teams.remove_team(team, rights=rights, actor=actor)


@pytest.mark.parametrize("name", ["", "two words", "platform", "a" * 64, "ünicode"])
def test_a_name_is_one_teams_and_fits_an_address(owner: User, team: Team, name: str) -> None:
    with pytest.raises(ValidationError):
        teams.create_team(name=name, description="", rights=rights_of(owner), actor=actor_of(owner))


def test_a_team_with_machines_is_not_removed(owner: User, team: Team) -> None:
    ServicePrincipal.objects.create(name="robot", team=team)
    with pytest.raises(ValidationError, match="owns machines"):
        teams.remove_team(team, rights=rights_of(owner), actor=actor_of(owner))
    assert Team.objects.exists()


def test_an_owner_adds_and_removes_members(owner: User, outsider: User, team: Team) -> None:
    grant_to(team, "reader")
    assert adding(owner, team, outsider).source == Membership.Source.MANUAL
    assert AuditEntry.objects.latest("number").target == "team:platform user:otto"
    removing(owner, team, outsider)
    assert not team.memberships.exists()
    assert AuditEntry.objects.latest("number").event == "member removed"
    removing(owner, team, outsider)  # who is gone already is no error


def test_nobody_adds_to_a_team_that_has_more_than_he(
    viewer: User, outsider: User, team: Team
) -> None:
    doorkeeper = Role.objects.create(
        name="doorkeeper", label="Doorkeeper", actions=["access manage", "content read"]
    )
    Grant.objects.create(user=viewer, role=doorkeeper)
    assert adding(viewer, team, outsider)  # the team has nothing yet
    grant_to(team, "pusher")
    for user in (outsider, viewer):
        with pytest.raises(PermissionDenied, match="content write"):
            adding(viewer, team, user, is_maintainer=True)
        with pytest.raises(PermissionDenied, match="content write"):
            removing(viewer, team, outsider) if user is outsider else adding(viewer, team, user)


def test_the_machines_of_a_team_count_as_well(viewer: User, outsider: User, team: Team) -> None:
    """Members make their secrets, and could so act as them."""
    role = Role.objects.create(name="doorkeeper", label="Doorkeeper", actions=["access manage"])
    Grant.objects.create(user=viewer, role=role)
    machine = ServicePrincipal.objects.create(name="robot", team=team)
    Grant.objects.create(service_principal=machine, role=Role.objects.get(name="owner"))
    with pytest.raises(PermissionDenied):
        adding(viewer, team, viewer)


def test_a_maintainer_adds_and_removes_members_of_his_team_only(
    viewer: User, outsider: User, owner: User, team: Team
) -> None:
    grant_to(team, "pusher")
    with pytest.raises(PermissionDenied):
        adding(viewer, team, outsider)
    Membership.objects.create(team=team, user=viewer, is_maintainer=True)
    adding(viewer, team, outsider)
    removing(viewer, team, outsider)
    with pytest.raises(PermissionDenied):
        adding(viewer, team, outsider, is_maintainer=True)
    with pytest.raises(PermissionDenied):
        adding(viewer, Team.objects.create(name="other"), outsider)
    Membership.objects.create(team=team, user=owner, is_maintainer=True)
    with pytest.raises(PermissionDenied):
        removing(viewer, team, owner)


def test_a_narrowed_token_of_a_maintainer_adds_nobody(
    viewer: User, outsider: User, team: Team
) -> None:
    Membership.objects.create(team=team, user=viewer, is_maintainer=True)
    with pytest.raises(PermissionDenied):
        teams.add_member(team=team, user=outsider, rights=rights_of(viewer), actor=actor_of(viewer))


def test_everybody_may_leave(outsider: User, team: Team) -> None:
    Membership.objects.create(team=team, user=outsider, is_maintainer=True)
    removing(outsider, team, outsider)
    assert not team.memberships.exists()


def test_the_last_owner_stays_in_his_team(outsider: User, team: Team) -> None:
    grant_to(team, "owner")
    Membership.objects.create(team=team, user=outsider)
    with pytest.raises(ValidationError, match="last owner"):
        removing(outsider, team, outsider)
    assert team.memberships.exists()
    with pytest.raises(ValidationError, match="last owner"):
        teams.remove_team(
            team,
            rights=rights_of(User.objects.get(pk=outsider.pk)),
            actor=actor_of(outsider),
        )
    assert Team.objects.exists()


def test_who_is_deactivated_is_not_added(owner: User, outsider: User, team: Team) -> None:
    outsider.is_active = False
    outsider.save()
    with pytest.raises(ValidationError, match="deactivated"):
        adding(owner, team, outsider)
