"""Teams on screen: their members see them, who manages access everywhere makes and changes them."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django.fixtures import Settings

from access.models import ClaimRule, Grant, Membership, Role, ServicePrincipal, Team, User
from access.scopes import Scope
from dashboard import sign_on
from tests import catalog
from tests.cast import PASSWORD, give, signed_in
from tests.reassured import reassured

pytestmark = pytest.mark.django_db(transaction=True)
TEAMS = "/access/teams/"
PLATFORM = f"{TEAMS}platform/"
STATEMENTS = 9
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
def as_owner_of_harbour(team: Team) -> Client:
    """Somebody who may manage access, but not everywhere."""
    user = User.objects.create_user("harald")
    give(user, "owner", Scope("harbour"))
    return signed_in(user)


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


def names_in(team: Team) -> set[str]:
    return set(team.memberships.values_list("user__username", flat=True))


def test_a_team_is_made_changed_and_removed(as_owner: Client) -> None:
    made = as_owner.post(f"{TEAMS}-/new/", {"name": "platform", "description": "Ships"})
    assert made.headers["Location"] == PLATFORM
    as_owner.post(PLATFORM, {"description": "Sails", "name": "other", "created_at": "2001-01-01"})
    team = Team.objects.get()
    assert (team.name, team.description, team.created_at.year > 2001) == ("platform", "Sails", True)
    assert as_owner.post(f"{PLATFORM}remove/").headers["Location"] == TEAMS
    assert not Team.objects.exists()


def test_a_team_may_be_called_new(as_owner: Client) -> None:
    made = as_owner.post(f"{TEAMS}-/new/", {"name": "new"})
    assert "Team new" in as_owner.get(made.headers["Location"]).content.decode()


@pytest.mark.parametrize("name", ["", "two words", "platform", "a/b", "x" * 64])
def test_a_bad_name_is_sent_back(as_owner: Client, team: Team, name: str) -> None:
    assert as_owner.post(f"{TEAMS}-/new/", {"name": name}).status_code == 422
    assert Team.objects.count() == 1


def test_owners_see_all_teams_and_others_their_own(
    as_owner: Client, as_outsider: Client, outsider: User, team: Team
) -> None:
    Membership.objects.create(team=Team.objects.create(name="crew"), user=outsider)
    assert [it.name for it in as_owner.get(TEAMS).context["page"].rows] == ["crew", "platform"]
    assert [it.name for it in as_outsider.get(TEAMS).context["page"].rows] == ["crew"]
    found = as_owner.get(TEAMS, {"q": "sailing"}).context["page"].rows
    assert [it.name for it in found] == ["platform"]
    assert as_owner.get(f"{TEAMS}?q=%00").status_code == 200


@pytest.mark.parametrize("size", [2, 12])
def test_a_teams_page_takes_as_many_statements_for_few_as_for_many(
    as_owner: Client, team: Team, size: int
) -> None:
    for number in range(size):
        Membership.objects.create(team=team, user=User.objects.create_user(f"person-{number}"))
        ServicePrincipal.objects.create(name=f"machine-{number}", team=team)
        ClaimRule.objects.create(team=team, provider="p", claim="groups", value=f"{number}")
    as_owner.get(PLATFORM)
    with CaptureQueriesContext(connection) as captured:
        assert len(as_owner.get(PLATFORM).context["memberships"]) == size
    assert len(captured) == STATEMENTS


def test_the_list_counts_each_thing_once(as_owner: Client, team: Team, maintainer: User) -> None:
    Membership.objects.create(team=team, user=User.objects.create_user("ines"))
    for name in ("one", "two", "three"):
        ServicePrincipal.objects.create(name=name, team=team)
    (row,) = as_owner.get(TEAMS).context["page"].rows
    assert (row.people_count, row.grant_count, row.machine_count) == (2, 1, 3)


def test_a_teams_page_tells_who_is_in_it_and_what_it_has(
    as_owner: Client, team: Team, maintainer: User
) -> None:
    ServicePrincipal.objects.create(name="ci-builder", team=team)
    ClaimRule.objects.create(team=team, provider="keycloak", claim="roles", value="devs")
    shown = as_owner.get(PLATFORM).content.decode()
    for text in ("mona", "maintainer", "Pusher", "ci-builder", "in the claim roles of keycloak"):
        assert text in shown


@pytest.mark.parametrize("client", ["as_viewer", "as_outsider", "as_owner_of_harbour"])
def test_a_team_of_others_is_not_there(
    request: pytest.FixtureRequest, client: str, team: Team, maintainer: User
) -> None:
    asking: Client = request.getfixturevalue(client)
    member = team.memberships.get()
    rule = ClaimRule.objects.create(team=team, provider="keycloak", claim="roles", value="devs")
    assert asking.get(TEAMS).context["page"].rows == []
    for address in (PLATFORM, f"{PLATFORM}remove/", f"{TEAMS}nobodys/"):
        assert asking.get(address).status_code == 404
        assert asking.post(address, {"description": "mine"}).status_code == 404
    for button in (
        "members/add/",
        f"members/{member.pk}/remove/",
        "rules/add/",
        f"rules/{rule.pk}/remove/",
    ):
        assert asking.post(PLATFORM + button, {"username": "otto", **RULE}).status_code == 404
    assert asking.get(f"{TEAMS}-/new/").status_code == 403
    assert asking.post(f"{TEAMS}-/new/", {"name": "mine"}).status_code == 403
    assert Team.objects.get() == team
    assert names_in(team) == {"mona"}


@pytest.mark.usefixtures("keycloak")
def test_a_member_sees_his_team_and_changes_nothing_but_leaves(
    as_outsider: Client, outsider: User, team: Team, maintainer: User, viewer: User
) -> None:
    own = Membership.objects.create(team=team, user=outsider)
    shown = as_outsider.get(PLATFORM).content.decode()
    assert "mona" in shown
    assert "Add by user name" not in shown
    assert "Grant a role" not in shown
    assert as_outsider.post(PLATFORM, {"description": "mine"}).status_code == 403
    assert as_outsider.post(f"{PLATFORM}remove/").status_code == 403
    other = team.memberships.get(user=maintainer)
    assert as_outsider.post(f"{PLATFORM}members/{other.pk}/remove/").status_code == 403
    assert as_outsider.post(f"{PLATFORM}members/add/", {"username": "viktor"}).status_code == 403
    assert as_outsider.post(f"{PLATFORM}rules/add/", RULE).status_code == 403
    left = as_outsider.post(f"{PLATFORM}members/{own.pk}/remove/")
    assert left.headers["Location"] == "/profile/"
    assert names_in(team) == {"mona"}
    assert as_outsider.get(PLATFORM).status_code == 404


def test_a_maintainer_adds_and_removes_members_of_his_team(
    team: Team, maintainer: User, outsider: User
) -> None:
    client = signed_in(maintainer)
    assert "as maintainer" not in client.get(PLATFORM).content.decode()
    client.post(f"{PLATFORM}members/add/", {"username": "otto", "is_maintainer": "on"})
    membership = team.memberships.get(user=outsider)
    assert not membership.is_maintainer  # that takes who could grant what the team has
    client.post(f"{PLATFORM}members/{membership.pk}/remove/")
    assert names_in(team) == {"mona"}
    other = Team.objects.create(name="crew")
    assert client.post(f"{TEAMS}crew/members/add/", {"username": "otto"}).status_code == 404
    assert not other.memberships.exists()


def test_an_owner_makes_maintainers_and_says_whom_there_is_not(
    as_owner: Client, team: Team, outsider: User
) -> None:
    as_owner.post(f"{PLATFORM}members/add/", {"username": "otto", "is_maintainer": "on"})
    assert team.memberships.get().is_maintainer
    as_owner.post(f"{PLATFORM}members/add/", {"username": "otto"})
    assert not team.memberships.get().is_maintainer
    answer = as_owner.post(f"{PLATFORM}members/add/", {"username": "ghost"}, follow=True)
    assert "nobody of the name" in answer.content.decode()
    outsider.is_active = False
    outsider.save()
    team.memberships.all().delete()
    answer = as_owner.post(f"{PLATFORM}members/add/", {"username": "otto"}, follow=True)
    assert "deactivated" in answer.content.decode()
    assert not team.memberships.exists()


def test_a_membership_of_another_team_is_not_removed_here(
    as_owner: Client, team: Team, outsider: User
) -> None:
    other = Team.objects.create(name="crew")
    membership = Membership.objects.create(team=other, user=outsider)
    rule = ClaimRule.objects.create(team=other, provider="keycloak", claim="roles", value="x")
    assert as_owner.post(f"{PLATFORM}members/{membership.pk}/remove/").status_code == 404
    assert as_owner.post(f"{PLATFORM}rules/{rule.pk}/remove/").status_code == 404
    assert names_in(other) == {"otto"}


def test_the_last_owner_stays_in_his_team(outsider: User) -> None:
    team = Team.objects.create(name="captains")
    Grant.objects.create(team=team, role=Role.objects.get(name="owner"))
    membership = Membership.objects.create(team=team, user=outsider)
    client = signed_in(outsider)
    answer = client.post(f"{TEAMS}captains/members/{membership.pk}/remove/", follow=True)
    assert "last owner" in answer.content.decode()
    client.post(f"{TEAMS}captains/remove/")
    assert names_in(team) == {"otto"}


def test_what_goes_with_a_team_is_told_before(
    as_owner: Client, team: Team, maintainer: User
) -> None:
    ClaimRule.objects.create(team=team, provider="keycloak", claim="roles", value="devs")
    shown = as_owner.get(f"{PLATFORM}remove/").content.decode()
    assert "the membership of 1 person" in shown
    assert "the grant of Pusher on harbour" in shown
    assert "1 rule of single sign-on" in shown


def test_a_team_with_machines_is_not_removed(as_owner: Client, team: Team) -> None:
    ServicePrincipal.objects.create(name="ci-builder", team=team)
    shown = as_owner.get(f"{PLATFORM}remove/").content.decode()
    assert "ci-builder" in shown
    assert "Remove it" not in shown
    answer = as_owner.post(f"{PLATFORM}remove/", follow=True)
    assert "owns machines" in answer.content.decode()
    assert Team.objects.exists()


@pytest.mark.usefixtures("keycloak")
def test_a_group_of_a_provider_is_mapped_by_the_claim_that_the_operator_named(
    as_owner: Client, team: Team
) -> None:
    as_owner.post(f"{PLATFORM}rules/add/", RULE | {"claim": "email"})
    rule = team.claim_rules.get()
    assert (rule.provider, rule.claim, rule.value) == ("keycloak", "roles", "devs")
    answer = as_owner.post(f"{PLATFORM}rules/add/", RULE, follow=True)
    assert "already exists" in answer.content.decode()
    as_owner.post(f"{PLATFORM}rules/add/", RULE | {"provider": "unknown"})
    assert team.claim_rules.count() == 1
    as_owner.post(f"{PLATFORM}rules/{rule.pk}/remove/")
    assert not team.claim_rules.exists()


@pytest.mark.usefixtures("keycloak")
def test_mapping_a_group_takes_who_could_grant_what_the_team_has(
    team: Team, maintainer: User
) -> None:
    client = signed_in(maintainer)
    assert client.post(f"{PLATFORM}rules/add/", RULE).status_code == 403
    give(maintainer, "owner", Scope("harbour"))  # elsewhere than everywhere
    assert client.post(f"{PLATFORM}rules/add/", RULE).status_code == 403
    assert not team.claim_rules.exists()


def test_buttons_are_pressed_from_here_and_not_followed(
    owner: User, team: Team, outsider: User
) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(owner)
    membership = Membership.objects.create(team=team, user=outsider)
    buttons = ["members/add/", f"members/{membership.pk}/remove/", "rules/add/"]
    for button in buttons:
        assert strict.get(PLATFORM + button).status_code == 405
    for address in [*buttons, "remove/", ""]:
        assert strict.post(PLATFORM + address, {"description": "x"}).status_code == 403
    assert names_in(team) == {"otto"}


def test_nobody_comes_into_a_team_that_lets_grant_by_a_stale_session(
    owner: User, team: Team, maintainer: User, viewer: User, keycloak: None
) -> None:
    stale, person = signed_in(owner), {"username": "viktor"}
    assert stale.post(f"{PLATFORM}members/add/", person).headers["Location"] == PLATFORM
    Membership.objects.filter(user=viewer).delete()
    team.grants.update(role=Role.objects.get(name="owner"))
    maintainer.set_password(PASSWORD)
    maintainer.save()
    for client, what, form in (
        (stale, "members", person),
        (signed_in(maintainer), "members", person),
        (stale, "rules", RULE),
    ):
        told = client.post(f"{PLATFORM}{what}/add/", form)
        assert told.headers["Location"].startswith("/accounts/reauthenticate/?next=")
    assert (names_in(team), ClaimRule.objects.count()) == ({"mona"}, 0)
    sure = reassured(owner)
    assert sure.post(f"{PLATFORM}members/add/", person).headers["Location"] == PLATFORM
    assert sure.post(f"{PLATFORM}rules/add/", RULE).headers["Location"] == PLATFORM
    assert (names_in(team), ClaimRule.objects.count()) == ({"mona", "viktor"}, 1)
