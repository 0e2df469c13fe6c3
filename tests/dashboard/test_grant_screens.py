"""Grants on screen: who sees which, granting, revoking, and the bulk of both."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from access.models import Grant, Membership, Role, Team, User
from access.scopes import EVERYTHING, Scope
from tests import catalog
from tests.cast import PASSWORD, give, signed_in
from tests.reassured import reassured

pytestmark = pytest.mark.django_db
TEAM_A, TEAM_B = Scope("harbour", "team-a/*"), Scope("harbour", "team-b/*")
NEW, REVOKE = "/access/grants/new/", "/access/grants/revoke/"


@pytest.fixture(autouse=True)
def harbour(db: None) -> None:
    catalog.repository(catalog.registry("harbour"), "team-a/app")
    catalog.registry("hidden")


@pytest.fixture
def as_owner_of_b(db: None) -> Client:
    """Somebody who may manage access, elsewhere."""
    user = User.objects.create_user("berta")
    give(user, "owner", TEAM_B)
    return signed_in(user)


def page(client: Client, address: str, status: int = 200) -> str:
    response = client.get(address)
    assert response.status_code == status, response.content.decode()[:2000]
    return response.content.decode()


def post_grant(client: Client, **changes: str) -> Any:
    fields = {"principal": "user:otto", "role": "pusher", "scope": "harbour/team-a/*"}
    return client.post(NEW, fields | changes)


# Seeing ---------------------------------------------------------------------------------------


def test_an_owner_sees_every_grant_with_its_reason_and_end(
    as_owner: Client, outsider: User
) -> None:
    grant = give(outsider, "pusher", TEAM_A)
    soon = timezone.now() + timedelta(days=3)
    Grant.objects.filter(pk=grant.pk).update(until=soon, reason="for the release")
    shown = page(as_owner, "/access/grants/")
    assert "otto" in shown
    assert "harbour/team-a/*" in shown
    assert "for the release" in shown
    assert "soon" in shown


@pytest.mark.parametrize("address", ["/access/grants/", NEW, "/access/of/user:otto/"])
def test_who_manages_no_access_has_no_such_screens(
    as_viewer: Client, outsider: User, address: str
) -> None:
    assert "grant and revoke roles" in page(as_viewer, address, 403)


def test_who_manages_access_elsewhere_sees_only_what_lies_there(
    as_owner_of_b: Client, outsider: User
) -> None:
    give(outsider, "pusher", TEAM_A)
    give(outsider, "reader", Scope("harbour", "team-b/app"))
    for address in ("/access/grants/", "/access/of/user:otto/"):
        shown = page(as_owner_of_b, address)
        assert "harbour/team-b/app" in shown
        assert "harbour/team-a/*" not in shown


def test_everybody_sees_what_he_has_himself_and_nothing_of_others(
    as_viewer: Client, viewer: User, outsider: User
) -> None:
    team = Team.objects.create(name="crew")
    Membership.objects.create(team=team, user=viewer)
    Grant.objects.create(team=team, role=Role.objects.get(name="pusher"))
    give(outsider, "deleter", TEAM_A)
    shown = page(as_viewer, "/access/mine/")
    assert "Reader" in shown
    assert "through the team crew" in shown
    assert "Deleter" not in shown


def test_who_has_nothing_is_told_so(as_outsider: Client) -> None:
    assert "Nothing was granted to you yet" in page(as_outsider, "/access/mine/")


@pytest.mark.parametrize("who", ["user:nobody", "team:nobody", "sp:nobody", "nonsense", "user:"])
def test_somebody_who_is_not_there_is_not_found(as_owner: Client, who: str) -> None:
    page(as_owner, f"/access/of/{who}/", 404)


def test_the_filters_narrow_the_list(as_owner: Client, outsider: User) -> None:
    grant = give(outsider, "pusher", TEAM_A)
    give(User.objects.create_user("xaver"), "reader", TEAM_B)
    Grant.objects.filter(pk=grant.pk).update(until=timezone.now() + timedelta(days=20))
    for query in ("q=ott", "q=user:otto", "scope=harbour/team-a/app", "role=pusher", "ending=30"):
        expected = query != "scope=harbour/team-a/app"  # the pattern is not inside that repository
        shown = page(as_owner, f"/access/grants/?{query}")
        assert ("otto" in shown.partition('id="results"')[2].partition("<datalist")[0]) == expected
        assert "xaver" not in shown.partition('id="results"')[2].partition("<datalist")[0]
    assert "No grant fits" in page(as_owner, "/access/grants/?ending=7")
    assert "is not a scope" in page(as_owner, "/access/grants/?scope=No Scope")


def test_a_long_list_has_pages_and_always_as_many_statements(as_owner: Client) -> None:
    def statements() -> int:
        page(as_owner, "/access/grants/")
        with CaptureQueriesContext(connection) as captured:
            page(as_owner, "/access/grants/")
        return len(captured)

    role = Role.objects.get(name="reader")
    users = User.objects.bulk_create(User(username=f"u{number:03}") for number in range(120))
    Grant.objects.create(user=users[0], role=role)
    few = statements()
    Grant.objects.bulk_create(Grant(user=user, role=role) for user in users[1:])
    assert statements() == few == 5
    first = as_owner.get("/access/grants/?sort=principal")
    assert '50 of <span class="num">120</span> grants' in first.content.decode()
    second = page(as_owner, f"/access/grants/?{first.context['page'].next}")
    assert "u050" in second
    assert "u049" not in second


# Granting -------------------------------------------------------------------------------------


def test_an_owner_grants_a_role(as_owner: Client, outsider: User) -> None:
    response = post_grant(as_owner, last_day="2099-12-31", reason="joined")
    assert response.status_code == 302
    assert response.headers["Location"] == "/access/of/user:otto/"
    grant = Grant.objects.get(user=outsider)
    assert (grant.role.name, str(grant.scope), grant.reason) == (
        "pusher",
        "harbour/team-a/*",
        "joined",
    )
    assert grant.until is not None
    assert grant.until.isoformat() == "2100-01-01T00:00:00+00:00"


def test_who_manages_no_access_grants_nothing(as_viewer: Client, outsider: User) -> None:
    assert post_grant(as_viewer).status_code == 403
    assert not Grant.objects.filter(user=outsider).exists()


def test_who_manages_access_elsewhere_grants_nothing_here(
    as_owner_of_b: Client, outsider: User
) -> None:
    response = post_grant(as_owner_of_b)
    assert response.status_code == 403
    assert "access manage" in response.content.decode()
    assert post_grant(as_owner_of_b, scope="harbour/team-b/app").status_code == 302


def test_a_registry_that_one_may_not_know_of_is_refused_as_one_that_is_not_there(
    as_owner_of_b: Client, outsider: User
) -> None:
    hidden = post_grant(as_owner_of_b, scope="hidden").content.decode()
    nowhere = post_grant(as_owner_of_b, scope="nowhere").content.decode()
    assert "on hidden." in hidden
    assert "on nowhere." in nowhere


def test_several_get_a_role_on_several_scopes_at_once(as_owner: Client, outsider: User) -> None:
    Team.objects.create(name="crew")
    response = post_grant(
        as_owner,
        more_principals="team:crew\n\nanonymous",
        more_scopes="harbour/team-b/*",
        role="reader",
    )
    assert response.status_code == 302
    assert Grant.objects.filter(role__name="reader").count() == 6


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"principal": "nonsense"}, "is nobody"),
        ({"principal": "user:nobody"}, "There is no user:nobody"),
        ({"more_principals": "user:nobody"}, "There is no user:nobody"),
        ({"more_principals": "x y"}, "is nobody"),
        ({"scope": "Not A Scope"}, "is not a scope"),
        ({"scope": "harbour/*/x"}, "may only stand alone"),
        ({"scope": ""}, "required"),
        ({"scope": "nowhere/x"}, "There is no registry"),
        ({"role": "emperor"}, "not one of the available choices"),
        ({"last_day": "2001-01-01"}, "lies in the future"),
        ({"last_day": "soon"}, "valid date"),
        ({"reason": "x" * 256}, "at most 255"),
        ({"more_scopes": "\n".join(f"harbour/a{n}" for n in range(501))}, "more than 500"),
    ],
)
def test_what_cannot_be_granted_is_said_in_the_form(
    as_owner: Client, outsider: User, changes: dict[str, str], said: str
) -> None:
    response = post_grant(as_owner, **changes)
    assert response.status_code == 422
    assert said in response.content.decode()
    assert not Grant.objects.exists()


def test_only_roles_that_one_could_grant_are_offered(db: None) -> None:
    user = User.objects.create_user("dora")
    role = Role.objects.create(
        name="doorkeeper", label="Doorkeeper", actions=["access manage", "content read"]
    )
    Grant.objects.create(user=user, role=role)
    shown = page(signed_in(user), NEW)
    assert 'value="doorkeeper"' in shown
    assert 'value="pusher"' not in shown


def test_fields_that_the_form_does_not_have_change_nothing(
    as_owner: Client, outsider: User
) -> None:
    post_grant(as_owner, granted_by="mallory", is_public="on", service_principal="1")
    grant = Grant.objects.get(user=outsider)
    assert (grant.granted_by, grant.is_public) == ("anna", False)


def test_a_grant_that_is_changed_fills_the_form(
    as_owner: Client, as_owner_of_b: Client, outsider: User
) -> None:
    grant = give(outsider, "pusher", TEAM_A)
    until = datetime(2099, 5, 2, tzinfo=UTC)
    Grant.objects.filter(pk=grant.pk).update(until=until, reason="why")
    shown = page(as_owner, f"{NEW}?grant={grant.pk}")
    for value in ("user:otto", "harbour/team-a/*", "2099-05-01", "why"):
        assert f'value="{value}"' in shown
    page(as_owner_of_b, f"{NEW}?grant={grant.pk}", 404)
    page(as_owner, f"{NEW}?grant=99999999999999999999999", 404)


# Revoking -------------------------------------------------------------------------------------


def test_what_is_chosen_is_shown_and_then_revoked(as_owner: Client, outsider: User) -> None:
    grants = [give(outsider, "pusher", TEAM_A), give(outsider, "reader", TEAM_B)]
    ids = [grant.pk for grant in grants]
    query = "&".join(f"grant={pk}" for pk in ids)
    shown = page(as_owner, f"{REVOKE}?{query}")
    assert "Revoke these 2 grants?" in shown
    assert Grant.objects.filter(user=outsider).count() == 2
    response = as_owner.post(REVOKE, {"grant": ids, "reason": "left"})
    assert response.status_code == 302
    assert not Grant.objects.filter(user=outsider).exists()


def test_who_manages_no_access_revokes_nothing(as_viewer: Client, outsider: User) -> None:
    grant = give(outsider, "pusher", TEAM_A)
    assert as_viewer.get(f"{REVOKE}?grant={grant.pk}").status_code == 403
    assert as_viewer.post(REVOKE, {"grant": grant.pk}).status_code == 403
    assert Grant.objects.filter(pk=grant.pk).exists()


def test_a_grant_elsewhere_is_not_there_for_an_owner_of_another_place(
    as_owner_of_b: Client, outsider: User
) -> None:
    here, there = give(outsider, "pusher", TEAM_A), give(outsider, "pusher", TEAM_B)
    assert as_owner_of_b.get(f"{REVOKE}?grant={here.pk}").status_code == 404
    assert as_owner_of_b.post(REVOKE, {"grant": [here.pk, there.pk]}).status_code == 404
    assert Grant.objects.filter(user=outsider).count() == 2
    assert as_owner_of_b.post(REVOKE, {"grant": there.pk}).status_code == 302


@pytest.mark.parametrize("query", ["", "grant=x", "grant=999999", "grant=9" + "9" * 30, "grant=٣"])
def test_grants_that_are_not_there_are_not_found(as_owner: Client, query: str) -> None:
    assert as_owner.get(f"{REVOKE}?{query}").status_code == 404


def test_the_last_owner_is_told_why_he_stays(outsider: User) -> None:
    grant = give(outsider, "owner")
    response = signed_in(outsider).post(REVOKE, {"grant": grant.pk})
    assert response.status_code == 422
    assert "This would remove the last owner" in response.content.decode()
    assert Grant.objects.filter(pk=grant.pk).exists()


@pytest.mark.parametrize("address", [NEW, REVOKE])
def test_no_form_works_without_its_token(owner: User, address: str) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(owner)
    assert client.post(address, {"grant": 1}).status_code == 403


# The pickers ----------------------------------------------------------------------------------


def test_scopes_are_suggested_as_far_as_one_may_know(
    as_owner: Client, as_owner_of_b: Client
) -> None:
    catalog.repository(catalog.registry("port"), "team-b/deep/app")
    assert 'value="hidden"' in page(as_owner, "/access/suggest/scopes/")
    assert 'value="*"' in page(as_owner, "/access/suggest/scopes/")
    below = page(as_owner, "/access/suggest/scopes/?scope=harbour/te")
    assert 'value="harbour/team-a/*"' in below
    assert 'value="harbour/team-a/app"' in below
    others = page(as_owner_of_b, "/access/suggest/scopes/")
    assert 'value="harbour"' in others
    assert "hidden" not in others
    assert "team-a" not in page(as_owner_of_b, "/access/suggest/scopes/?scope=harbour/te")
    assert page(as_owner, "/access/suggest/scopes/?scope=%00").count("option")


def test_people_are_suggested_to_who_manages_access(
    as_owner: Client, as_viewer: Client, as_owner_of_b: Client, outsider: User
) -> None:
    Team.objects.create(name="otters")
    shown = page(as_owner, "/access/suggest/principals/?principal=ot")
    assert 'value="user:otto"' in shown
    assert 'value="team:otters"' in shown
    assert "team:" not in page(as_owner, "/access/suggest/principals/?who=user:ot")
    assert "user:otto" in page(as_owner_of_b, "/access/suggest/principals/?principal=ot")
    page(as_viewer, "/access/suggest/principals/?principal=ot", 403)


def test_the_overview_leads_to_what_one_can_use(
    as_owner: Client, as_outsider: Client, viewer: User
) -> None:
    give(viewer, "owner", EVERYTHING)
    Grant.objects.filter(user=viewer).update(until=timezone.now() + timedelta(days=5))
    shown = page(as_owner, "/access/")
    assert 'href="/access/unused/"' in shown
    assert '<span class="num">2</span> grants end within 30 days' in shown
    theirs = page(as_outsider, "/access/")
    assert 'href="/access/mine/"' in theirs
    assert "/access/unused/" not in theirs


# A session that somebody took over --------------------------------------------------------------


def test_nobody_makes_an_owner_who_did_not_just_say_who_he_is(
    owner: User, viewer: User, outsider: User
) -> None:
    stale = signed_in(owner)
    asked = post_grant(stale, role="owner", scope="*", reason="to stay")
    assert asked.headers["Location"].startswith("/accounts/reauthenticate/?next=")
    assert not Grant.objects.filter(user=outsider).exists()
    # Who may not do it anyway is told that, and nothing else.
    assert post_grant(signed_in(viewer), role="owner").status_code == 403
    done = stale.post(asked.headers["Location"], {"password": PASSWORD})
    assert done.headers["Location"] == "/access/of/user:otto/"  # what was asked for is done now
    assert Grant.objects.get(user=outsider).reason == "to stay"


def test_a_role_of_ones_own_that_lets_grant_is_asked_for_as_well(
    owner: User, outsider: User
) -> None:
    Role.objects.create(name="granter", label="Granter", actions=["access manage"])
    assert "/reauthenticate/" in post_grant(signed_in(owner), role="granter").headers["Location"]
    assert "/reauthenticate/" not in post_grant(signed_in(owner)).headers["Location"]
    assert [grant.role.name for grant in Grant.objects.filter(user=outsider)] == ["pusher"]
    assert post_grant(reassured(owner), role="granter").status_code == 302
    assert Grant.objects.filter(user=outsider).count() == 2


def test_no_role_is_chosen_before_somebody_chooses(as_owner: Client, outsider: User) -> None:
    shown = page(as_owner, NEW)
    assert '<option value="" selected>Choose a role</option>' in shown
    assert '<option value="owner">' in shown
    assert post_grant(as_owner, role="").status_code == 422
    linked = page(as_owner, f"{NEW}?principal=user:otto&role=pusher&scope=harbour")
    assert '<option value="pusher" selected>' in linked


@pytest.mark.parametrize("where", ["harbour/team-a/*", "harbour", "*"])
def test_no_card_of_the_overview_leads_to_a_closed_door(where: str) -> None:
    user = User.objects.create_user("greta")
    give(user, "owner", Scope.parse(where))
    client = signed_in(user)
    cards = re.findall(r'href="(/(?:access|audit)/[^"]*)"', page(client, "/access/"))
    assert {"/access/grants/", "/access/machines/"} <= set(cards)
    for card in set(cards):
        page(client, card.replace("&amp;", "&"))
    assert ("/audit/" in cards, "/access/people/" in cards) == ("/*" not in where, where == "*")
