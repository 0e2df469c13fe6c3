"""Teams, their members and their claims, by API."""

from __future__ import annotations

from typing import Any

import pytest
from pytest_django.fixtures import Settings

from access.models import (
    AuditEntry,
    ClaimRule,
    Grant,
    Membership,
    Role,
    ServicePrincipal,
    Team,
    User,
)
from dashboard import sign_on
from tests import catalog
from tests.cast import give, signed_in
from tests.dashboard.api.client import Api
from tests.dashboard.api.statements import statements
from tests.reassured import reassured

pytestmark = pytest.mark.django_db
PLATFORM = "/teams/platform"
RULE = {"provider": "keycloak", "value": "devs"}


@pytest.fixture
def team(db: None) -> Team:
    registry = catalog.registry("harbour")
    team = Team.objects.create(name="platform", description="Keeps the ships sailing")
    Grant.objects.create(team=team, role=Role.objects.get(name="pusher"), registry=registry)
    return team


@pytest.fixture
def maintainer(team: Team) -> User:
    user = User.objects.create_user("mona")
    Membership.objects.create(team=team, user=user, is_maintainer=True)
    return user


@pytest.fixture
def keycloak(settings: Settings) -> None:
    provider = sign_on.Provider(
        id="keycloak",
        name="Keycloak",
        issuer="https://sso.example.com",
        client_id="portolan",
        client_secret="a secret",
        groups_claim="roles",
        scopes=(),
        vouches_for_email=False,
    )
    settings.SOCIALACCOUNT_PROVIDERS = sign_on.allauth_providers([provider], None)


def in_person(user: User) -> Api:
    """Signed in himself, in a browser."""
    return Api(client=signed_in(user))


def listed(api: Api, path: str = "/teams", key: str = "name", **query: Any) -> list[str]:
    return [row[key] for row in api.get(path, **query).json()["items"]]


def events() -> list[str]:
    found = AuditEntry.objects.exclude(event="secret created").order_by("number")
    return [f"{entry.event}: {entry.target}" for entry in found]


# Teams ----------------------------------------------------------------------------------------


def test_a_team_is_made_changed_and_removed(api_owner: Api) -> None:
    made = api_owner.post("/teams", {"name": "shop", "description": "Sells."})
    assert (made.status_code, made.headers["Location"]) == (201, "/api/v1/teams/shop")
    assert made.json() == api_owner.get("/teams/shop").json()
    etag = api_owner.get("/teams/shop").headers["ETag"]
    changed = api_owner.patch(
        "/teams/shop", {"description": "Sells more."}, headers={"If-Match": etag}
    )
    assert changed.json()["description"] == "Sells more."
    assert api_owner.delete("/teams/shop", headers={"If-Match": etag}).status_code == 412
    assert api_owner.delete("/teams/shop").status_code == 204
    assert events() == [f"team {what}: team:shop" for what in ("created", "changed", "removed")]


@pytest.mark.parametrize("name", ["platform", "two words", "", "x" * 64])
def test_a_name_that_cannot_be_one_is_refused(api_owner: Api, team: Team, name: str) -> None:
    refused = api_owner.post("/teams", {"name": name})
    assert refused.status_code == 422
    assert [error["field"] for error in refused.json()["errors"]] == ["name"]


def test_the_list_counts_each_thing_once_and_is_filtered(
    api_owner: Api, team: Team, maintainer: User
) -> None:
    Team.objects.create(name="shop", description="Sells.")
    ServicePrincipal.objects.create(name="ci", team=team)
    ServicePrincipal.objects.create(name="cd", team=team)
    (row,) = api_owner.get("/teams", q="ships").json()["items"]
    assert (row["name"], row["people"], row["grants"], row["machines"]) == ("platform", 1, 1, 2)
    assert listed(api_owner, sort="-name") == ["shop", "platform"]
    assert listed(api_owner, q="sell") == ["shop"]
    assert api_owner.get("/teams", q="\x00").status_code == 400


def test_members_signed_in_themselves_see_their_team_and_no_other(
    team: Team, maintainer: User
) -> None:
    Team.objects.create(name="shop")
    assert listed(in_person(maintainer)) == ["platform"]
    assert in_person(maintainer).get("/teams/shop").status_code == 404


def test_a_secret_shows_nothing_by_membership(team: Team, maintainer: User) -> None:
    api = Api.of(maintainer)
    assert listed(api) == []
    for path in (PLATFORM, f"{PLATFORM}/members", f"{PLATFORM}/claim-rules"):
        refused = api.get(path)
        assert refused.status_code == 404
        assert "platform" not in refused.content.decode()
    assert api.put(f"{PLATFORM}/members/mona", {}).status_code == 404


def test_a_machine_sees_no_team_not_even_its_own(team: Team) -> None:
    api = Api.of(ServicePrincipal.objects.create(name="ci", team=team))
    assert listed(api) == []
    assert api.get(PLATFORM).status_code == 404


def test_more_teams_and_members_take_no_more_statements(
    api_owner: Api, team: Team, maintainer: User
) -> None:
    teams = statements(api_owner, "/teams", rows=1)
    members = statements(api_owner, f"{PLATFORM}/members", rows=1)
    for number in range(29):
        Team.objects.create(name=f"team-{number}")
        user = User.objects.create_user(f"user-{number}")
        Membership.objects.create(team=team, user=user)
    assert statements(api_owner, "/teams", rows=30) == teams
    assert statements(api_owner, f"{PLATFORM}/members", rows=30) == members


def test_a_team_with_machines_is_not_removed(api_owner: Api, team: Team) -> None:
    ServicePrincipal.objects.create(name="ci", team=team)
    refused = api_owner.delete(PLATFORM)
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid")
    assert "owns machines" in refused.json()["detail"]
    assert Grant.objects.filter(team=team).exists()


# Members --------------------------------------------------------------------------------------


def test_an_owner_puts_people_in_and_takes_them_out(
    api_owner: Api, team: Team, viewer: User
) -> None:
    put = api_owner.put(f"{PLATFORM}/members/viktor", {"is_maintainer": True})
    assert (put.status_code, put.json()["user"], put.json()["is_maintainer"]) == (
        200,
        "viktor",
        True,
    )
    assert api_owner.get(f"{PLATFORM}/members").json()["items"] == [put.json()]
    assert api_owner.put(f"{PLATFORM}/members/viktor", {}).json()["is_maintainer"] is False
    stale = {"If-Match": '"of before"'}
    assert api_owner.put(f"{PLATFORM}/members/viktor", {}, headers=stale).status_code == 412
    assert api_owner.delete(f"{PLATFORM}/members/viktor", headers=stale).status_code == 412
    assert api_owner.delete(f"{PLATFORM}/members/viktor").status_code == 204
    assert api_owner.delete(f"{PLATFORM}/members/viktor").status_code == 404
    assert events()[-1] == "member removed: team:platform user:viktor"


def test_a_maintainer_adds_members_and_makes_no_maintainers(
    team: Team, maintainer: User, viewer: User, outsider: User
) -> None:
    api = in_person(maintainer)
    assert api.put(f"{PLATFORM}/members/viktor", {}).status_code == 200
    assert api.put(f"{PLATFORM}/members/viktor", {"is_maintainer": True}).status_code == 403
    assert api.put(f"{PLATFORM}/members/otto", {"is_maintainer": True}).status_code == 403
    assert api.put(f"{PLATFORM}/members/nobody", {}).status_code == 404
    assert api.delete(f"{PLATFORM}/members/viktor").status_code == 204
    assert listed(api, f"{PLATFORM}/members", "user") == ["mona"]


def test_a_member_is_not_told_who_there_is_and_may_leave(
    team: Team, viewer: User, outsider: User
) -> None:
    Membership.objects.create(team=team, user=viewer)
    api = in_person(viewer)
    there, not_there = (api.put(f"{PLATFORM}/members/{name}", {}) for name in ("otto", "nobody"))
    assert there.status_code == not_there.status_code == 403
    assert there.json() == not_there.json()
    assert api.delete(f"{PLATFORM}/members/viktor").status_code == 204
    assert api.get(PLATFORM).status_code == 404


def test_who_is_switched_off_is_put_nowhere(api_owner: Api, team: Team, viewer: User) -> None:
    User.objects.filter(pk=viewer.pk).update(is_active=False)
    refused = api_owner.put(f"{PLATFORM}/members/viktor", {})
    assert refused.status_code == 422
    assert "deactivated" in refused.json()["detail"]


# Claims ---------------------------------------------------------------------------------------


@pytest.mark.usefixtures("keycloak")
def test_a_group_is_mapped_by_the_claim_that_the_operator_named(api_owner: Api, team: Team) -> None:
    made = api_owner.post(f"{PLATFORM}/claim-rules", RULE)
    assert (made.status_code, made.json()["claim"]) == (201, "roles")
    assert api_owner.get(f"{PLATFORM}/claim-rules").json()["items"] == [made.json()]
    again = api_owner.post(f"{PLATFORM}/claim-rules", RULE)
    assert again.status_code == 422
    address = made.headers["Location"].removeprefix("/api/v1")
    assert api_owner.delete(address).status_code == 204
    assert not ClaimRule.objects.exists()
    assert [event.partition(":")[0] for event in events()] == ["team changed"] * 2


def test_a_provider_that_there_is_not_is_refused(api_owner: Api, team: Team) -> None:
    refused = api_owner.post(f"{PLATFORM}/claim-rules", RULE | {"provider": "nobody"})
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "provider")


@pytest.mark.usefixtures("keycloak")
def test_mapping_a_group_takes_who_could_grant_what_the_team_has(team: Team, viewer: User) -> None:
    Role.objects.create(name="doorkeeper", label="Doorkeeper", actions=["access manage"])
    give(viewer, "doorkeeper")
    api = Api.of(viewer)
    assert api.post(f"{PLATFORM}/claim-rules", RULE).status_code == 403
    assert not ClaimRule.objects.exists()


def test_a_session_says_once_more_who_it_is_before_a_team_lets_somebody_grant(
    owner: User, team: Team, viewer: User, keycloak: None
) -> None:
    team.grants.update(role=Role.objects.get(name="owner"))
    asked: tuple[tuple[str, str, dict[str, str], int], ...] = (
        ("PUT", f"{PLATFORM}/members/viktor", {}, 200),
        ("POST", f"{PLATFORM}/claim-rules", RULE, 201),
    )
    for how, path, body, status in asked:
        refused = in_person(owner).ask(how, path, body)
        assert refused.status_code == 403
        assert "/accounts/reauthenticate/" in refused.json()["detail"]
        assert not Membership.objects.filter(user=viewer).exists() or how == "POST"
        assert Api(client=reassured(owner)).ask(how, path, body).status_code == status
    assert ClaimRule.objects.count() == 1
