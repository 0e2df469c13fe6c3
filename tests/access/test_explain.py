"""Who has access and why, and why not, is told by the same grants that decide."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.db.models import Q
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from access import explain, holders
from access.actions import Action
from access.explain import Obstacle
from access.models import Grant, Membership, Role, ServicePrincipal, Team, User
from access.policy import rights_of
from access.reach import lying_in
from access.scopes import EVERYTHING, Scope
from tests import catalog
from tests.cast import give

pytestmark = pytest.mark.django_db
TEAM_A = Scope("harbour", "team-a/*")
APP = Scope("harbour", "team-a/app")
NOW = timezone.now()


@pytest.fixture(autouse=True)
def harbour(db: None) -> None:
    catalog.registry("harbour")
    catalog.registry("elsewhere")


def person(name: str) -> User:
    return User.objects.create_user(name)


def team(name: str, *members: User) -> Team:
    made = Team.objects.create(name=name)
    Membership.objects.bulk_create(Membership(team=made, user=user) for user in members)
    return made


def give_team(to: Team, role: str, scope: Scope) -> Grant:
    grant = give(person(f"for-{to.name}-{role}"), role, scope)
    grant.user, grant.team = None, to
    grant.save()
    return grant


def names(scope: Scope, action: Action | None = None) -> list[str]:
    found = holders.people(scope, action, at=NOW).order_by("username")
    return [user.username for user in found]


def explained(scope: Scope, *users: User) -> list[holders.Holder]:
    return holders.explain_people(list(users), scope, None, at=NOW)


# Who has access -------------------------------------------------------------------------------


def test_people_have_access_by_grants_teams_and_the_superusers_flag(owner: User) -> None:
    direct, member, above, elsewhere = (person(name) for name in ("dan", "mia", "abe", "eli"))
    give(direct, "pusher", APP)
    give_team(team("crew", member), "reader", TEAM_A)
    give(above, "reader", Scope("harbour"))
    give(elsewhere, "owner", Scope("harbour", "team-b/*"))
    give(elsewhere, "owner", Scope("elsewhere"))
    assert names(APP) == ["abe", "anna", "dan", "mia"]
    assert names(APP, Action.CONTENT_WRITE) == ["anna", "dan"]


def test_who_has_access_in_a_part_is_listed_and_told_apart(owner: User) -> None:
    dan = person("dan")
    give(dan, "reader", TEAM_A)
    give(dan, "pusher", APP)
    (holder,) = explained(TEAM_A, dan)
    assert Action.CONTENT_READ in holder.everywhere
    assert holder.in_part == (Action.CONTENT_WRITE,)


def test_each_way_names_its_grant_and_its_team() -> None:
    mia = person("mia")
    lent, own = give_team(team("crew", mia), "reader", TEAM_A), give(mia, "pusher", APP)
    (holder,) = explained(APP, mia)
    assert [(way.grant, way.team) for way in holder.ways] == [(own.pk, ""), (lent.pk, "crew")]


def test_switched_off_people_ended_grants_and_those_who_left_have_none() -> None:
    off, ended, left = person("off"), person("ended"), person("left")
    give(off, "reader", APP)
    User.objects.filter(pk=off.pk).update(is_active=False)
    Grant.objects.filter(pk=give(ended, "reader", APP).pk).update(until=NOW)
    give_team(team("crew", left), "reader", APP)
    Membership.objects.all().delete()
    assert names(APP) == []


def test_machines_and_the_public_are_told_with_their_grants() -> None:
    machine = ServicePrincipal.objects.create(name="ci")
    grant = give(person("x"), "pusher", TEAM_A)
    Grant.objects.filter(pk=grant.pk).update(user=None, service_principal=machine)
    public = give(person("y"), "puller", Scope("harbour"))
    Grant.objects.filter(pk=public.pk).update(user=None, is_public=True)
    (found,) = holders.machines(APP, Action.CONTENT_WRITE, at=NOW)
    (holder,) = holders.explain_machines([found], APP, None, at=NOW)
    assert str(holder.principal) == "sp:ci"
    everybody = holders.the_public(APP, None, at=NOW)
    assert everybody is not None
    assert Action.CONTENT_READ in everybody.everywhere
    assert holders.the_public(APP, Action.CONTENT_WRITE, at=NOW) is None
    ServicePrincipal.objects.update(disabled_at=NOW)
    assert not holders.machines(APP, None, at=NOW)


def test_explaining_many_takes_as_many_statements_as_few() -> None:
    def statements(rows: list[User]) -> int:
        with CaptureQueriesContext(connection) as captured:
            assert all(holder.ways for holder in explained(APP, *rows))
        return len(captured)

    few = [person("one")]
    many = [person(f"many-{number}") for number in range(20)]
    give_team(team("crew", *few, *many), "reader", TEAM_A)
    for user in many:
        give(user, "pusher", APP)
    assert statements(few) == statements(many) == 3


# May X do Y on Z ------------------------------------------------------------------------------


def asked(
    user: User | None, action: Action = Action.CONTENT_WRITE, scope: Scope = APP
) -> explain.Verdict:
    return explain.check(user and User.objects.get(pk=user.pk), action, scope, at=NOW)


def test_a_yes_names_every_grant_that_allows_it() -> None:
    mia = person("mia")
    give(mia, "pusher", APP)
    give_team(team("crew", mia), "contributor", Scope("harbour"))
    verdict = asked(mia)
    assert verdict.allowed
    assert [(one.role, one.team) for one in verdict.reasons] == [
        ("contributor", "crew"),
        ("pusher", None),
    ]


def test_the_answer_is_always_the_policys_own() -> None:
    mia = person("mia")
    give(mia, "reader", TEAM_A)
    give(mia, "deleter", APP)
    rights = rights_of(mia)
    for action in Action:
        for scope in (EVERYTHING, Scope("harbour"), TEAM_A, APP, Scope("harbour", "team-b/x")):
            assert asked(mia, action, scope).allowed == rights.may(action, scope)


def test_a_no_tells_what_comes_near() -> None:
    mia = person("mia")
    give(mia, "reader", TEAM_A)
    give(mia, "pusher", Scope("harbour", "team-b/*"))
    give(mia, "pusher", Scope("elsewhere"))
    ended = give(mia, "contributor", Scope("harbour"))
    Grant.objects.filter(pk=ended.pk).update(until=NOW)
    near = {(miss.obstacle, miss.role) for miss in asked(mia).misses}
    assert near == {
        (Obstacle.OTHER_ACTIONS, "reader"),
        (Obstacle.ELSEWHERE, "pusher"),
        (Obstacle.ENDED, "contributor"),
    }


def test_an_owner_of_a_namespace_is_not_told_of_grants_elsewhere(viewer: User) -> None:
    mia, asker = person("mia"), person("asker")
    give(mia, "pusher", Scope("harbour", "team-b/*"))
    give(asker, "owner", TEAM_A)
    told = explain.check(mia, Action.CONTENT_WRITE, APP, seen_by=rights_of(asker), at=NOW)
    assert told.misses == ()


def test_the_smallest_role_that_would_do_comes_first() -> None:
    names = [role.name for role in asked(person("mia")).roles]
    assert names == ["pusher", "contributor", "owner"]


def test_whom_to_ask_is_who_could_grant_it(owner: User, viewer: User) -> None:
    chief, doorkeeper, neighbour, member = (person(name) for name in ("cy", "dora", "ned", "mel"))
    give(chief, "owner", TEAM_A)
    role = Role.objects.create(name="doorkeeper", label="Doorkeeper", actions=["access manage"])
    Grant.objects.create(user=doorkeeper, role=role)
    give(neighbour, "owner", Scope("harbour", "team-b/*"))
    give_team(team("owners", member), "owner", Scope("harbour"))
    assert [user.username for user in asked(viewer).granters] == ["anna", "cy", "mel"]
    give(doorkeeper, "pusher", APP)
    assert "dora" in [user.username for user in asked(viewer).granters]


def test_a_switched_off_account_is_the_reason(viewer: User) -> None:
    User.objects.filter(pk=viewer.pk).update(is_active=False)
    verdict = asked(viewer, Action.CONTENT_READ)
    assert not verdict.allowed
    assert verdict.switched_off


def test_the_public_and_a_team_can_be_asked_about() -> None:
    give_team(crew := team("crew"), "pusher", TEAM_A)
    assert explain.check(crew, Action.CONTENT_WRITE, APP, at=NOW).allowed
    assert not asked(None).allowed


def test_a_grant_that_ends_later_still_holds() -> None:
    mia = person("mia")
    grant = give(mia, "pusher", APP)
    Grant.objects.filter(pk=grant.pk).update(until=NOW + timedelta(days=1))
    (reason,) = asked(mia).reasons
    assert reason.until == NOW + timedelta(days=1)


def test_everything_holds_for_every_row_also_beside_another_condition(viewer: User) -> None:
    give(person("mia"), "reader", APP)
    everywhere = Grant.objects.filter(lying_in([EVERYTHING]) | Q(user=viewer))
    assert everywhere.count() == Grant.objects.count() == 2
    assert Grant.objects.filter(lying_in([TEAM_A])).count() == 1
    assert not Grant.objects.filter(lying_in([])).exists()
