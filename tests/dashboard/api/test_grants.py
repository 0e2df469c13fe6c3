"""Grants by API: who sees which, granting, changing, revoking, one and many."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from access.models import AuditEntry, Grant, Membership, Role, ServicePrincipal, Team, User
from access.scopes import EVERYTHING, Scope
from tests import catalog
from tests.cast import give, signed_in
from tests.dashboard.api.client import Api, token_of
from tests.dashboard.api.statements import statements
from tests.reassured import reassured

pytestmark = pytest.mark.django_db
TEAM_A, TEAM_B = Scope("harbour", "team-a/*"), Scope("harbour", "team-b/*")
PUSHING = {"principals": ["user:otto"], "roles": ["pusher"], "scopes": ["harbour/team-a/*"]}


@pytest.fixture(autouse=True)
def harbour(db: None) -> None:
    catalog.registry("harbour")
    catalog.registry("hidden")


@pytest.fixture
def api_of_b(db: None) -> Api:
    """Somebody who may manage access, elsewhere."""
    user = User.objects.create_user("berta")
    give(user, "owner", TEAM_B)
    return Api.of(user)


def listed(api: Api, path: str = "/grants", **query: Any) -> list[str]:
    rows = api.get(path, **query).json()["items"]
    return sorted(f"{row['principal']} {row['role']} {row['scope']}" for row in rows)


def events(name: str) -> list[Any]:
    return list(AuditEntry.objects.filter(event=name).order_by("number"))


# Seeing ---------------------------------------------------------------------------------------


def test_a_grant_is_shown_with_its_reason_and_end(api_owner: Api, outsider: User) -> None:
    grant = give(outsider, "pusher", TEAM_A)
    Grant.objects.filter(pk=grant.pk).update(
        until=timezone.now() + timedelta(days=3), reason="for the release"
    )
    shown = api_owner.get(f"/grants/{grant.pk}").json()
    assert (shown["principal"], shown["role"]) == ("user:otto", "pusher")
    assert (shown["scope"], shown["reason"]) == ("harbour/team-a/*", "for the release")
    assert shown["until"].endswith("Z")
    assert api_owner.get("/grants").json()["items"] == [shown]


def test_who_manages_no_access_sees_none(api_viewer: Api, outsider: User) -> None:
    grant = give(outsider, "pusher", TEAM_A)
    for path in ("/grants", f"/grants/{grant.pk}", "/principals/user:otto/grants"):
        refused = api_viewer.get(path)
        assert refused.status_code == 403
        assert "grant and revoke roles" in refused.json()["detail"]


def test_who_manages_access_elsewhere_sees_only_what_lies_there(
    api_of_b: Api, outsider: User
) -> None:
    hidden = give(outsider, "pusher", TEAM_A)
    give(outsider, "reader", Scope("harbour", "team-b/app"))
    assert "user:otto reader harbour/team-b/app" in listed(api_of_b)
    assert listed(api_of_b, "/principals/user:otto/grants") == [
        "user:otto reader harbour/team-b/app"
    ]
    assert "team-a" not in api_of_b.get("/grants").content.decode()
    assert api_of_b.get(f"/grants/{hidden.pk}").status_code == 404
    assert api_of_b.patch(f"/grants/{hidden.pk}", {"reason": "x"}).status_code == 404
    assert api_of_b.delete(f"/grants/{hidden.pk}").status_code == 404
    assert api_of_b.post("/grants/revocations", {"grants": [hidden.pk]}).status_code == 404
    assert Grant.objects.filter(pk=hidden.pk).exists()


def test_a_token_for_one_place_shows_what_lies_there(owner: User, outsider: User) -> None:
    give(outsider, "pusher", TEAM_A)
    give(outsider, "pusher", TEAM_B)
    api = Api(token_of(owner, scopes=["harbour/team-b/*"]))
    assert listed(api) == ["user:otto pusher harbour/team-b/*"]


def test_the_list_is_filtered_as_on_screen(api_owner: Api, outsider: User, viewer: User) -> None:
    crew = Team.objects.create(name="crew")
    role = Role.objects.get(name="puller")
    soon = timezone.now() + timedelta(days=6)
    Grant.objects.create(team=crew, role=role, until=soon)
    Grant.objects.create(is_public=True, role=role)
    give(outsider, "pusher", TEAM_A)
    assert listed(api_owner, principal="ott") == ["user:otto pusher harbour/team-a/*"]
    assert listed(api_owner, principal="team:") == ["team:crew puller *"]
    assert listed(api_owner, principal="anonymous") == ["anonymous puller *"]
    assert listed(api_owner, principal="sp:otto") == []
    assert listed(api_owner, scope="harbour") == ["user:otto pusher harbour/team-a/*"]
    assert listed(api_owner, role="reader") == ["user:viktor reader *"]
    assert listed(api_owner, ending=7) == ["team:crew puller *"]
    assert listed(api_owner, ending=5) == []
    refused = api_owner.get("/grants", scope="No Scope")
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (400, "scope")


def test_the_list_is_sorted_and_paged(api_owner: Api, outsider: User, viewer: User) -> None:
    give(outsider, "pusher", TEAM_A)
    first = api_owner.get("/grants", sort="-principal", limit=1, fields="principal").json()
    assert first["items"] == [{"principal": "user:viktor"}]
    rest = api_owner.get("/grants", sort="-principal", limit=1, after=first["next"]).json()
    assert [row["principal"] for row in rest["items"]] == ["user:otto"]


def test_more_rows_take_no_more_statements(api_owner: Api, outsider: User) -> None:
    give(outsider, "reader", Scope("harbour", "a/x"))
    few = statements(api_owner, "/grants", rows=1)
    for number in range(29):
        give(outsider, "reader", Scope("harbour", f"a/{number}"))
    assert statements(api_owner, "/grants", rows=30) == few
    assert statements(api_owner, "/principals/user:otto/grants", rows=30) <= few + 1


def test_who_is_signed_in_himself_sees_all_that_reaches_him(viewer: User) -> None:
    crew = Team.objects.create(name="crew")
    Membership.objects.create(team=crew, user=viewer)
    role = Role.objects.get(name="puller")
    Grant.objects.create(team=crew, role=role)
    Grant.objects.create(is_public=True, role=role)
    api = Api(client=signed_in(viewer))
    assert listed(api, "/principals/user:viktor/grants") == [
        "anonymous puller *",
        "team:crew puller *",
        "user:viktor reader *",
    ]
    assert api.get("/principals/user:anna/grants").status_code == 403


@pytest.mark.parametrize("name", ["user:nobody", "team:viktor", "sp:", "viktor", "user:a b"])
def test_nobody_has_no_grants(api_owner: Api, viewer: User, name: str) -> None:
    assert api_owner.get(f"/principals/{name}/grants").status_code == 404


# Granting -------------------------------------------------------------------------------------


def test_one_grant_is_made_and_told(api_owner: Api, outsider: User) -> None:
    made = api_owner.post("/grants", PUSHING | {"reason": "on call"})
    assert made.status_code == 201
    (row,) = made.json()["items"]
    assert made.headers["Location"] == f"/api/v1/grants/{row['id']}"
    assert (row["reason"], row["granted_by"], row["until"]) == ("on call", "anna", None)
    (entry,) = events("access granted")
    assert (entry.actor_label, entry.new["reason"]) == ("anna", "on call")


def test_the_same_again_changes_end_and_reason(api_owner: Api, outsider: User) -> None:
    first = api_owner.post("/grants", PUSHING).json()["items"]
    until = "2099-01-01T00:00:00Z"
    again = api_owner.post("/grants", PUSHING | {"until": until, "reason": "longer"}).json()
    (row,) = again["items"]
    assert (row["id"], row["until"], row["reason"]) == (first[0]["id"], until, "longer")


def test_several_roles_for_several_in_several_places_are_made_at_once(
    api_owner: Api, outsider: User
) -> None:
    ServicePrincipal.objects.create(name="ci")
    made = api_owner.post(
        "/grants",
        {
            "principals": ["user:otto", "sp:ci", "anonymous", "user:otto"],
            "roles": ["puller", "signer"],
            "scopes": ["harbour/team-a/*", "hidden"],
        },
    )
    assert len(made.json()["items"]) == 12
    assert "Location" not in made.headers


@pytest.mark.parametrize(
    ("change", "field", "said"),
    [
        ({"principals": ["user:nobody"]}, "principals", "There is no user:nobody."),
        ({"principals": ["nobody"]}, "principals.0", "write user:NAME"),
        ({"principals": []}, "principals", ""),
        ({"roles": ["emperor"]}, "roles", "no role “emperor”"),
        ({"scopes": ["Not a scope"]}, "scopes.0", "is not a scope"),
        ({"scopes": ["nowhere"]}, "", "no registry “nowhere”"),
        ({"until": "2020-01-01T00:00:00Z"}, "", "lies in the future"),
        ({"until": "9999-12-31T23:59:59Z"}, "until", "too far away"),
        ({"until": "soon"}, "until", ""),
        ({"reason": "x" * 256}, "reason", ""),
        ({"scopes": [f"harbour/{n}" for n in range(251)], "roles": ["a", "b"]}, "", "500 grants"),
    ],
)
def test_what_cannot_be_granted_is_refused_with_a_sentence(
    api_owner: Api, outsider: User, change: dict[str, Any], field: str, said: str
) -> None:
    refused = api_owner.post("/grants", PUSHING | change)
    assert refused.status_code == 422
    assert [one["field"] for one in refused.json().get("errors", [])] == ([field] if field else [])
    assert said in refused.json()["detail"]
    assert not Grant.objects.exists()


def test_nobody_gives_what_he_could_not_use_himself(outsider: User, viewer: User) -> None:
    Role.objects.create(name="granter", label="Granter", actions=["access manage"])
    give(viewer, "granter", TEAM_A)
    api = Api.of(viewer)
    assert api.post("/grants", PUSHING).status_code == 403
    elsewhere = PUSHING | {"roles": ["puller"], "scopes": ["harbour/team-a/*", "hidden"]}
    refused = api.post("/grants", elsewhere)
    assert (refused.status_code, refused.json()["scope"]) == (403, "hidden")
    assert not outsider.grants.exists()  # all, or nothing


# Changing and revoking ------------------------------------------------------------------------


def test_end_and_reason_are_changed_one_by_one(api_owner: Api, outsider: User) -> None:
    grant = give(outsider, "pusher", TEAM_A)
    etag = api_owner.get(f"/grants/{grant.pk}").headers["ETag"]
    changed = api_owner.patch(
        f"/grants/{grant.pk}", {"reason": "on call"}, headers={"If-Match": etag}
    ).json()
    assert (changed["id"], changed["reason"], changed["until"]) == (grant.pk, "on call", None)
    api_owner.patch(f"/grants/{grant.pk}", {"until": "2099-01-01T00:00:00Z"})
    grant.refresh_from_db()
    assert (grant.reason, grant.until is None) == ("on call", False)
    stale = api_owner.patch(f"/grants/{grant.pk}", {"reason": "x"}, headers={"If-Match": etag})
    assert stale.status_code == 412
    assert api_owner.delete(f"/grants/{grant.pk}", headers={"If-Match": etag}).status_code == 412


def test_a_grant_is_revoked_with_a_reason(api_owner: Api, outsider: User) -> None:
    grant = give(outsider, "pusher", TEAM_A)
    assert api_owner.delete(f"/grants/{grant.pk}?reason=left").status_code == 204
    assert not Grant.objects.exists()
    (entry,) = events("access revoked")
    assert "left" in str(entry.old) + str(entry.new)


def test_many_are_revoked_together_or_none(api_owner: Api, outsider: User) -> None:
    ids = [give(outsider, role, TEAM_A).pk for role in ("pusher", "reader")]
    refused = api_owner.post("/grants/revocations", {"grants": [*ids, 10**9]})
    assert refused.status_code == 404
    assert Grant.objects.count() == 2
    done = api_owner.post("/grants/revocations", {"grants": ids, "reason": "left"})
    assert [row["id"] for row in done.json()["items"]] == ids
    assert not Grant.objects.exists()
    assert len(events("access revoked")) == 2


def test_the_last_owner_stays(outsider: User) -> None:
    grant = give(outsider, "owner", EVERYTHING)
    api = Api.of(outsider)
    for refused in (
        api.delete(f"/grants/{grant.pk}"),
        api.post("/grants/revocations", {"grants": [grant.pk]}),
        api.patch(f"/grants/{grant.pk}", {"until": "2099-01-01T00:00:00Z"}),
    ):
        assert refused.status_code == 422
        assert "last owner" in refused.json()["detail"]


# A session that somebody took over --------------------------------------------------------------


def test_a_session_says_once_more_who_it_is_before_it_makes_an_owner(
    owner: User, viewer: User, outsider: User
) -> None:
    stale, owning = Api(client=signed_in(owner)), PUSHING | {"roles": ["pusher", "owner"]}
    refused = stale.post("/grants", owning)
    assert refused.status_code == 403
    assert "/accounts/reauthenticate/" in refused.json()["detail"]
    assert not Grant.objects.filter(user=outsider).exists()
    assert stale.post("/grants", PUSHING).status_code == 201
    # Who may not do it anyway is told that, and nothing else.
    unallowed = Api(client=signed_in(viewer)).post("/grants", owning)
    assert "/accounts/" not in unallowed.json()["detail"]
    assert Api(client=reassured(owner)).post("/grants", owning).status_code == 201
    assert Api.of(owner).post("/grants", owning).status_code == 201  # a secret is no session


def test_a_session_says_once_more_who_it_is_before_an_owner_stays_longer(
    owner: User, outsider: User
) -> None:
    grant = give(outsider, "owner", TEAM_A)
    Grant.objects.filter(pk=grant.pk).update(until=timezone.now() + timedelta(days=3))
    path, longer = f"/grants/{grant.pk}", {"until": None}
    refused = Api(client=signed_in(owner)).patch(path, longer)
    assert refused.status_code == 403
    assert "/accounts/reauthenticate/" in refused.json()["detail"]
    assert Grant.objects.get(pk=grant.pk).until is not None
    assert Api(client=reassured(owner)).patch(path, longer).status_code == 200
