"""Who may make machines, keep them running, switch them off, and give them away."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError

from access.machines import (
    change_machine,
    create_machine,
    disable_machine,
    enable_machine,
    remove_machine,
    visible_machines,
)
from access.models import AuditEntry, Grant, Membership, Role, ServicePrincipal, Team, User
from access.policy import NO_RIGHTS, rights_of
from access.scopes import Scope
from access.shortcuts import actor_of
from tests import catalog
from tests.cast import give

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def team(db: None) -> Team:
    return Team.objects.create(name="platform")


@pytest.fixture
def machine(team: Team) -> ServicePrincipal:
    made = ServicePrincipal.objects.create(name="ci", team=team)
    Grant.objects.create(service_principal=made, role=Role.objects.get(name="pusher"))
    return made


@pytest.fixture
def maintainer(outsider: User, team: Team) -> User:
    Membership.objects.create(team=team, user=outsider, is_maintainer=True)
    return outsider


def doorkeeper(user: User) -> User:
    """Manages access everywhere, and may do nothing else."""
    role = Role.objects.create(name="doorkeeper", label="Doorkeeper", actions=["access manage"])
    Grant.objects.create(user=user, role=role)
    return User.objects.get(pk=user.pk)


def asking(user: User) -> dict[str, Any]:
    return {"rights": rights_of(user), "maintainer": user, "actor": actor_of(user)}


def last_entry() -> AuditEntry:
    return AuditEntry.objects.latest("number")


def test_an_owner_makes_a_machine_and_the_log_remembers(owner: User, team: Team) -> None:
    made = create_machine(name="ci", description="Builds", team=team, **asking(owner))
    assert (made.team, made.disabled_at) == (team, None)
    entry = last_entry()
    assert (entry.event, entry.target, entry.actor_label) == ("machine created", "sp:ci", "anna")


def test_who_manages_access_nowhere_makes_none(viewer: User, team: Team) -> None:
    with pytest.raises(PermissionDenied):
        create_machine(name="ci", team=team, **asking(viewer))
    assert not ServicePrincipal.objects.exists()


def test_a_maintainer_makes_machines_of_his_team_and_of_no_other(
    maintainer: User, team: Team
) -> None:
    assert create_machine(name="ci", team=team, **asking(maintainer))
    for elsewhere in (None, Team.objects.create(name="other")):
        with pytest.raises(PermissionDenied):
            create_machine(name="cd", team=elsewhere, **asking(maintainer))


@pytest.mark.parametrize("name", ["", "CI", "a_b", "a:b", "-a", "a" * 64, "a/b", "a\n"])
def test_a_name_is_one_that_a_machine_can_sign_in_with(owner: User, name: str) -> None:
    with pytest.raises(ValidationError) as refused:
        create_machine(name=name, **asking(owner))
    assert "name" in refused.value.message_dict


def test_a_maintainer_switches_it_off_and_on(maintainer: User, machine: ServicePrincipal) -> None:
    assert rights_of(machine).entitlements
    disable_machine(machine, **asking(maintainer))
    off = ServicePrincipal.objects.get(pk=machine.pk)
    assert rights_of(off).entitlements == ()
    assert last_entry().new == {"machine": "ci", "state": "disabled"}
    enable_machine(machine, **asking(maintainer))
    assert ServicePrincipal.objects.get(pk=machine.pk).disabled_at is None


def test_a_member_who_maintains_nothing_does_not(
    viewer: User, team: Team, machine: ServicePrincipal
) -> None:
    Membership.objects.create(team=team, user=viewer)
    for act in (disable_machine, enable_machine):
        with pytest.raises(PermissionDenied):
            act(machine, **asking(viewer))


def test_a_token_of_a_maintainer_has_only_the_rights_it_carries(
    maintainer: User, machine: ServicePrincipal
) -> None:
    with pytest.raises(PermissionDenied):
        disable_machine(machine, rights=NO_RIGHTS, actor=actor_of(maintainer))


def test_a_maintainer_gives_it_to_nobody_and_removes_nothing(
    maintainer: User, machine: ServicePrincipal
) -> None:
    other = Team.objects.create(name="other")
    with pytest.raises(PermissionDenied):
        change_machine(machine, description="", team=other, **asking(maintainer))
    with pytest.raises(PermissionDenied):
        remove_machine(machine, rights=rights_of(maintainer), actor=actor_of(maintainer))
    assert ServicePrincipal.objects.get(pk=machine.pk).team == machine.team


def test_who_only_manages_access_stops_a_machine_and_cannot_make_it_his(
    outsider: User, machine: ServicePrincipal
) -> None:
    keeper = doorkeeper(outsider)
    assert disable_machine(machine, **asking(keeper)).disabled_at
    with pytest.raises(PermissionDenied, match="content write"):
        enable_machine(machine, **asking(keeper))
    mine = Team.objects.create(name="mine")
    with pytest.raises(PermissionDenied, match="content write"):
        change_machine(machine, description="", team=mine, **asking(keeper))


def test_removing_one_takes_its_grants_away_and_says_so(
    owner: User, machine: ServicePrincipal
) -> None:
    remove_machine(machine, rights=rights_of(owner), actor=actor_of(owner))
    assert not Grant.objects.filter(service_principal=machine.pk).exists()
    events = list(AuditEntry.objects.order_by("number").values_list("event", flat=True))[-2:]
    assert events == ["access revoked", "machine removed"]


def test_one_sees_the_machines_of_ones_teams(
    owner: User, viewer: User, maintainer: User, machine: ServicePrincipal
) -> None:
    ServicePrincipal.objects.create(name="lone")
    seen = {user: visible_machines(user, rights_of(user)) for user in (owner, viewer, maintainer)}
    assert [one.name for one in seen[owner]] == ["ci", "lone"]
    assert not seen[viewer].exists()
    assert [one.name for one in seen[maintainer]] == ["ci"]


def test_who_manages_a_part_manages_no_machine(viewer: User, machine: ServicePrincipal) -> None:
    catalog.registry("harbour")
    give(viewer, "owner", Scope("harbour"))
    viewer = User.objects.get(pk=viewer.pk)
    with pytest.raises(PermissionDenied):
        disable_machine(machine, **asking(viewer))
