"""What somebody may do and why, and who may, by API."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from access.models import Grant, Membership, Role, ServicePrincipal, Team, User
from access.scopes import Scope
from tests import catalog
from tests.cast import give
from tests.dashboard.api.client import Api, token_of
from tests.dashboard.api.statements import statements

pytestmark = pytest.mark.django_db
APP = "harbour/team-a/app"
PULLING = ["content read", "metadata read"]


@pytest.fixture(autouse=True)
def harbour(db: None) -> None:
    catalog.registry("harbour")
    catalog.registry("hidden")


@pytest.fixture
def crew(outsider: User) -> Grant:
    """What reaches otto by his team."""
    team = Team.objects.create(name="crew")
    Membership.objects.create(team=team, user=outsider)
    grant = give(outsider, "puller", Scope("harbour", "team-a/*"))
    Grant.objects.filter(pk=grant.pk).update(user=None, team=team)
    return grant


def effect(api: Api, **query: Any) -> Any:
    return api.get("/effective-access", **query).json()


# Effective access -----------------------------------------------------------------------------


def test_what_a_team_gives_is_told_with_the_way(api_owner: Api, crew: Grant) -> None:
    found = effect(api_owner, principal="user:otto", scope=APP)
    assert (found["everywhere"], found["in_part"]) == (PULLING, [])
    (reason,) = found["reasons"]
    assert (reason["team"], reason["grant"]) == ("crew", crew.pk)
    assert (reason["scope"], reason["is_public"]) == ("harbour/team-a/*", False)


def test_what_holds_in_a_part_is_told_apart(api_owner: Api, crew: Grant, outsider: User) -> None:
    give(outsider, "catalog-lister", Scope("harbour"))
    give(outsider, "owner", Scope("hidden"))
    found = effect(api_owner, principal="user:otto", scope="harbour")
    assert (found["everywhere"], found["in_part"]) == (["catalog list"], PULLING)
    assert [one["role"] for one in found["reasons"]] == ["catalog-lister", "puller"]


def test_machines_teams_and_the_public_can_be_asked_about(api_owner: Api, crew: Grant) -> None:
    puller = Role.objects.get(name="puller")
    machine = ServicePrincipal.objects.create(name="ci", disabled_at=timezone.now())
    Grant.objects.create(service_principal=machine, role=puller)
    Grant.objects.create(is_public=True, role=Role.objects.get(name="catalog-lister"))
    assert effect(api_owner, principal="team:crew", scope=APP)["everywhere"] == [
        "catalog list",
        *PULLING,
    ]
    public = effect(api_owner, principal="anonymous", scope=APP)
    assert public["reasons"][0]["is_public"] is True
    off = effect(api_owner, principal="sp:ci", scope=APP)
    assert (off["switched_off"], off["everywhere"], off["reasons"]) == (True, [], [])


def test_oneself_is_meant_if_nobody_is_named_and_a_token_counts_as_it_is(
    owner: User, crew: Grant, api_outsider: Api
) -> None:
    assert effect(api_outsider, scope=APP)["principal"] == "user:otto"
    narrow = Api(token_of(owner, actions=["content read"], scopes=["harbour"]))
    assert effect(narrow, scope=APP)["everywhere"] == ["content read"]


@pytest.mark.parametrize("path", ["/effective-access", "/check-access"])
def test_about_others_asks_who_manages_access_there(
    api_owner: Api, api_outsider: Api, crew: Grant, viewer: User, path: str
) -> None:
    more: dict[str, Any] = {"action": "content read"} if path == "/check-access" else {}
    about = {"principal": "user:viktor", **more}
    assert api_outsider.get(path, scope=APP, **more).status_code == 200
    refused = api_outsider.get(path, scope=APP, **about)
    assert (refused.status_code, refused.json()["action"]) == (403, "access manage")
    # Whether there is somebody of a name is told to nobody who may not ask.
    nobody = about | {"principal": "user:nobody"}
    assert api_outsider.get(path, scope=APP, **nobody).json() == refused.json()
    assert api_owner.get(path, scope=APP, **nobody).status_code == 404


@pytest.mark.parametrize("path", ["/effective-access", "/check-access", "/who-can"])
@pytest.mark.parametrize("registry", ["hidden", "nowhere"])
def test_a_registry_that_one_may_not_know_of_is_not_there(
    outsider: User, path: str, registry: str
) -> None:
    give(outsider, "owner", Scope("harbour"))
    more: dict[str, Any] = {} if path == "/effective-access" else {"action": "content read"}
    answer = Api.of(outsider).get(path, scope=registry, **more)
    assert answer.status_code == 404
    assert answer.json()["detail"] == "There is no registry of this name."


# Check access ---------------------------------------------------------------------------------


def test_a_yes_has_every_reason(api_owner: Api, crew: Grant, outsider: User) -> None:
    give(outsider, "reader")
    found = api_owner.get(
        "/check-access", principal="user:otto", action="content read", scope=APP
    ).json()
    assert found["allowed"] is True
    assert [(one["role"], one["scope"]) for one in found["reasons"]] == [
        ("reader", "*"),
        ("puller", "harbour/team-a/*"),
    ]
    assert (found["misses"], found["roles"], found["granters"]) == ([], [], [])


def test_a_no_says_what_comes_near_and_who_could_help(
    api_outsider: Api, crew: Grant, owner: User, outsider: User
) -> None:
    past = timezone.now() - timedelta(minutes=1)
    ended = give(outsider, "pusher", Scope("harbour"))
    Grant.objects.filter(pk=ended.pk).update(until=past)
    give(outsider, "pusher", Scope("harbour", "team-b/*"))
    found = api_outsider.get("/check-access", action="content write", scope=APP).json()
    assert (found["allowed"], found["reasons"]) == (False, [])
    assert sorted((one["obstacle"], one["scope"]) for one in found["misses"]) == [
        ("elsewhere", "harbour/team-b/*"),
        ("ended", "harbour"),
        ("other actions", "harbour/team-a/*"),
    ]
    assert found["roles"][0] == "pusher"
    assert found["granters"] == ["anna"]


def test_what_somebody_has_elsewhere_is_told_to_who_manages_access_there(
    crew: Grant, outsider: User
) -> None:
    give(outsider, "pusher", Scope("harbour", "team-b/*"))
    manager = User.objects.create_user("berta")
    give(manager, "owner", Scope("harbour", "team-a/*"))
    found = (
        Api.of(manager)
        .get("/check-access", principal="user:otto", action="content write", scope=APP)
        .json()
    )
    assert [one["scope"] for one in found["misses"]] == ["harbour/team-a/*"]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"action": "content read"}, "scope"),
        ({"scope": APP}, "action"),
        ({"scope": APP, "action": "content admire"}, "action"),
        ({"scope": APP, "action": "content read", "principal": "otto"}, "principal"),
        ({"scope": APP, "action": "content read", "principal": f"user:{'x' * 200}"}, "principal"),
    ],
)
def test_half_a_question_is_refused(api_owner: Api, query: dict[str, Any], field: str) -> None:
    refused = api_owner.get("/check-access", **query)
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (400, field)


# Who can --------------------------------------------------------------------------------------


def test_people_are_told_with_every_way(api_owner: Api, crew: Grant, viewer: User) -> None:
    rows = api_owner.get("/who-can", scope=APP, action="content read").json()["items"]
    assert [row["principal"] for row in rows] == ["user:anna", "user:otto", "user:viktor"]
    assert (rows[0]["reasons"][0]["grant"], rows[0]["reasons"][0]["role"]) == (None, "owner")
    assert (rows[1]["reasons"][0]["team"], rows[1]["everywhere"]) == ("crew", PULLING)
    writers = api_owner.get("/who-can", scope=APP, action="content write").json()["items"]
    assert [row["principal"] for row in writers] == ["user:anna"]


def test_machines_and_the_public_are_lists_of_their_own(api_owner: Api, crew: Grant) -> None:
    puller = Role.objects.get(name="puller")
    assert api_owner.get("/who-can", scope=APP, kind="public").json()["items"] == []
    machine = ServicePrincipal.objects.create(name="ci")
    Grant.objects.create(service_principal=machine, role=puller)
    Grant.objects.create(is_public=True, role=puller)
    (row,) = api_owner.get("/who-can", scope=APP, kind="machines").json()["items"]
    assert (row["principal"], row["everywhere"]) == ("sp:ci", PULLING)
    (public,) = api_owner.get("/who-can", scope=APP, kind="public").json()["items"]
    assert (public["principal"], public["reasons"][0]["is_public"]) == ("anonymous", True)


def test_who_may_is_paged_and_takes_no_statement_a_row(api_owner: Api, viewer: User) -> None:
    few = statements(api_owner, "/who-can", rows=2, scope=APP)
    for number in range(28):
        give(User.objects.create_user(f"user-{number:02}"), "reader")
    assert statements(api_owner, "/who-can", rows=30, scope=APP) == few
    page = api_owner.get("/who-can", scope=APP, sort="-name", limit=1).json()
    assert page["items"][0]["principal"] == "user:viktor"
    after = api_owner.get("/who-can", scope=APP, sort="-name", limit=1, after=page["next"]).json()
    assert after["items"][0]["principal"] == "user:user-27"


def test_a_page_of_who_may_has_fifty_at_most_and_the_next_the_others(api_owner: Api) -> None:
    for number in range(60):
        give(User.objects.create_user(f"user-{number:02}"), "reader")
    page = api_owner.get("/who-can", scope=APP, limit=200).json()
    assert len(page["items"]) == 50
    others = api_owner.get("/who-can", scope=APP, limit=200, after=page["next"]).json()
    assert others["items"][-1]["principal"] == "user:user-59"
    names = [row["principal"] for row in (*page["items"], *others["items"])]
    assert len(set(names)) == len(names) >= 60


def test_who_manages_no_access_is_not_told_who_may(api_viewer: Api) -> None:
    refused = api_viewer.get("/who-can", scope=APP)
    assert refused.status_code == 403
    assert "user:" not in refused.content.decode()
