"""People by API: for who manages access on everything, as far as he could grant what they have."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import pytest
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.test import Client

from access.models import AuditEntry, Membership, Role, Secret, Team, User
from access.scopes import Scope
from tests import catalog
from tests.cast import PASSWORD, give, signed_in
from tests.dashboard.api.client import Api, token_of
from tests.dashboard.api.statements import statements
from tests.reassured import reassured

pytestmark = pytest.mark.django_db
NINA = {"username": "nina", "email": "nina@example.com", "first_name": "Nina"}
VIKTOR = "/people/viktor"
# Every way to change somebody.
CHANGES: list[tuple[str, str, Any]] = [
    ("PATCH", "", {"email": "mine@example.com"}),
    ("PATCH", "", {"is_active": False}),
    ("PATCH", "", {"is_superuser": False}),
    ("POST", "/link", None),
    ("DELETE", "/sessions", None),
    ("DELETE", "/second-factors", None),
]


def listed(api: Api, **query: Any) -> list[str]:
    return [row["username"] for row in api.get("/people", **query).json()["items"]]


def told(person: str) -> list[Any]:
    """What the audit log says was changed of somebody."""
    found = AuditEntry.objects.filter(event="person changed", target__contains=person)
    return [entry.new for entry in found.order_by("number")]


# Seeing ---------------------------------------------------------------------------------------


def test_an_owner_sees_everybody_and_looks_for_one(
    api_owner: Api, viewer: User, outsider: User
) -> None:
    Membership.objects.create(team=Team.objects.create(name="platform"), user=viewer)
    User.objects.filter(pk=outsider.pk).update(is_active=False)
    invited = User.objects.create_user("nina")
    assert listed(api_owner) == ["anna", "nina", "otto", "viktor"]
    assert listed(api_owner, sort="-name", limit=1) == ["viktor"]
    assert listed(api_owner, q="vik EXAMPLE.com") == ["viktor"]
    assert listed(api_owner, state="off") == ["otto"]
    assert listed(api_owner, state="invited") == [invited.username]
    rows = {row["username"]: row for row in api_owner.get("/people").json()["items"]}
    assert (rows["anna"]["is_owner"], rows["viktor"]["is_owner"]) == (True, False)
    assert rows["viktor"]["teams"] == ["platform"]
    assert [rows[name]["state"] for name in ("anna", "nina", "otto")] == [
        "active",
        "invited",
        "off",
    ]
    assert rows["viktor"] == api_owner.get(VIKTOR).json()


def test_more_people_take_no_more_statements(api_owner: Api) -> None:
    few = statements(api_owner, "/people", rows=1)
    team = Team.objects.create(name="platform")
    for number in range(29):
        user = User.objects.create_user(f"user-{number}")
        Membership.objects.create(team=team, user=user)
    assert statements(api_owner, "/people", rows=30) == few


def test_who_does_not_manage_access_everywhere_learns_of_nobody(
    viewer: User, outsider: User
) -> None:
    catalog.registry("harbour")
    give(outsider, "owner", Scope("harbour"))
    for api in (Api.of(viewer), Api.of(outsider)):
        answers = [api.get("/people"), api.post("/people", NINA)]
        for name in ("viktor", "nobody"):  # the same for who is and who is not there
            answers += [api.get(f"/people/{name}")]
            answers += [api.ask(how, f"/people/{name}{path}", body) for how, path, body in CHANGES]
        assert {answer.status_code for answer in answers} == {403}
        assert not any("viktor" in answer.content.decode() for answer in answers)


def test_a_doorkeeper_reads_and_reaches_for_nobody_who_has_more(
    outsider: User, viewer: User
) -> None:
    Role.objects.create(name="doorkeeper", label="Doorkeeper", actions=["access manage"])
    give(outsider, "doorkeeper")
    api = Api.of(outsider)
    assert api.get(VIKTOR).status_code == 200
    for how, path, body in CHANGES:
        assert api.ask(how, f"{VIKTOR}{path}", body).status_code == 403, (how, path)
    viewer.refresh_from_db()
    assert (viewer.email, viewer.is_active) == ("viktor@example.com", True)


# Inviting -------------------------------------------------------------------------------------


def test_who_is_invited_comes_in_by_the_link_that_is_shown_once(api_owner: Api) -> None:
    made = api_owner.post("/people", NINA)
    assert (made.status_code, made.headers["Location"]) == (201, "/api/v1/people/nina")
    assert "no-store" in made.headers["Cache-Control"]
    assert (made.json()["state"], made.json()["mailed"]) == ("invited", False)
    assert "secret" not in api_owner.get("/people/nina").json()
    welcome = Client().get(urlsplit(made.json()["secret"]).path)
    assert (welcome.status_code, "nina" in welcome.content.decode()) == (200, True)
    assert AuditEntry.objects.filter(event="person invited").count() == 1
    assert made.json()["secret"] not in str(list(AuditEntry.objects.values()))


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"username": "ANNA"}, "username"),
        ({"username": "two words"}, "username"),
        ({"email": "anna@example.com"}, "email"),
        ({"email": "nowhere"}, "email"),
        ({"is_superuser": True}, "is_superuser"),
    ],
)
def test_who_cannot_be_invited_is_refused_with_the_field(
    api_owner: Api, change: dict[str, Any], field: str
) -> None:
    refused = api_owner.post("/people", NINA | change)
    assert refused.status_code == 422
    assert [error["field"] for error in refused.json()["errors"]] == [field]
    assert not User.objects.filter(first_name="Nina").exists()


def test_a_new_link_ends_the_one_before(api_owner: Api) -> None:
    old = urlsplit(api_owner.post("/people", NINA).json()["secret"]).path
    made = api_owner.post("/people/nina/link")
    assert made.status_code == 201
    assert "no-store" in made.headers["Cache-Control"]
    assert Client().get(old).status_code == 410
    assert Client().get(urlsplit(made.json()["secret"]).path).status_code == 200


# Changing -------------------------------------------------------------------------------------


def test_names_and_address_are_changed_one_by_one(api_owner: Api, viewer: User) -> None:
    etag = api_owner.get(VIKTOR).headers["ETag"]
    changed = api_owner.patch(VIKTOR, {"last_name": "Frei"}, headers={"If-Match": etag}).json()
    assert (changed["last_name"], changed["email"]) == ("Frei", "viktor@example.com")
    assert api_owner.patch(VIKTOR, {"email": "v@example.com"}).json()["email"] == "v@example.com"
    who = {"user": "viktor"}
    assert told("viktor") == [who | {"last name": "Frei"}, who | {"email": "v@example.com"}]
    stale = api_owner.patch(VIKTOR, {"last_name": "X"}, headers={"If-Match": etag})
    assert stale.status_code == 412
    assert "email" in api_owner.patch(VIKTOR, {"email": "anna@example.com"}).json()["detail"]


def test_who_is_switched_off_loses_his_tokens_and_comes_back_without(
    api_owner: Api, viewer: User
) -> None:
    token_of(viewer)
    assert api_owner.patch(VIKTOR, {"is_active": False}).json()["state"] == "off"
    assert Secret.objects.get(user=viewer).revoked_at is not None
    assert api_owner.post(f"{VIKTOR}/link").status_code == 422
    assert api_owner.patch(VIKTOR, {"is_active": True, "is_superuser": True}).json()["is_owner"]
    off = api_owner.patch(VIKTOR, {"is_active": False, "is_superuser": False}).json()
    assert (off["is_active"], off["is_superuser"]) == (False, False)


def test_the_last_owner_stays(api_owner: Api) -> None:
    for change in ({"is_active": False}, {"is_superuser": False}):
        refused = api_owner.patch("/people/anna", change | {"first_name": "A"})
        assert refused.status_code == 422
        assert "last owner" in refused.json()["detail"]
    anna = User.objects.get(username="anna")  # all of it, or nothing
    assert (anna.is_active, anna.is_superuser, anna.first_name) == (True, True, "")


def test_second_factors_are_removed(api_owner: Api, viewer: User) -> None:
    Authenticator.objects.create(user=viewer, type=Authenticator.Type.TOTP, data={})
    etag = api_owner.get(VIKTOR).headers["ETag"]
    assert api_owner.get(VIKTOR).json()["has_second_factor"] is True
    address, known = f"{VIKTOR}/second-factors", {"If-Match": etag}
    assert api_owner.delete(address, headers=known).status_code == 204
    assert api_owner.delete(address, headers=known).status_code == 412
    assert not Authenticator.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_somebody_is_signed_out_everywhere(api_owner: Api, viewer: User) -> None:
    client = Client()
    client.post("/accounts/login/", {"login": "viktor", "password": PASSWORD})
    assert client.get("/profile/").status_code == 200
    assert UserSession.objects.filter(user=viewer).exists()
    assert api_owner.delete(f"{VIKTOR}/sessions").status_code == 204
    assert client.get("/profile/").status_code == 302


@pytest.mark.parametrize(
    ("how", "path", "body", "status"),
    [
        ("PATCH", "", {"email": "mine@example.com"}, 200),
        ("PATCH", "", {"is_superuser": True}, 200),
        ("POST", "/link", None, 201),
        ("DELETE", "/second-factors", None, 204),
    ],
)
def test_a_session_says_once_more_who_it_is_before_what_would_keep_a_stolen_one(
    owner: User, viewer: User, how: str, path: str, body: Any, status: int
) -> None:
    refused = Api(client=signed_in(owner)).ask(how, f"{VIKTOR}{path}", body)
    assert refused.status_code == 403
    assert "/accounts/reauthenticate/" in refused.json()["detail"]
    assert Api(client=reassured(owner)).ask(how, f"{VIKTOR}{path}", body).status_code == status


def test_a_session_says_once_more_who_it_is_before_it_invites(owner: User, viewer: User) -> None:
    refused = Api(client=signed_in(owner)).post("/people", NINA)
    assert refused.status_code == 403
    assert "/accounts/reauthenticate/" in refused.json()["detail"]
    assert not User.objects.filter(username="nina").exists()
    # Who may not invite anyway is told that, and nothing else.
    unallowed = Api(client=signed_in(viewer)).post("/people", NINA)
    assert "/accounts/" not in unallowed.json()["detail"]
    assert Api(client=reassured(owner)).post("/people", NINA).status_code == 201
