"""One's own account by API: name, address, sessions, and how one signs in; never by a secret."""

from __future__ import annotations

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from allauth.usersessions.models import UserSession
from django.test import Client

from access.models import AuditEntry, Membership, ServicePrincipal, Team, User
from tests.cast import PASSWORD, signed_in
from tests.dashboard.api.client import Api, token_of
from tests.reassured import reassured

pytestmark = pytest.mark.django_db
OWN = ("/profile", "/profile/ways-in", "/sessions", "/sessions/1")


def come_in(name: str = "viktor", agent: str = "a browser") -> Client:
    client = Client(headers={"user-agent": agent}, raise_request_exception=False)
    client.post("/accounts/login/", {"login": name, "password": PASSWORD})
    return client


def himself(user: User) -> Api:
    return Api(client=signed_in(user))


def test_a_secret_tells_nothing_of_its_owners_account_and_changes_nothing(
    owner: User, machine: ServicePrincipal
) -> None:
    for api in (Api.of(owner), Api.of(machine)):
        answers = [api.get(path) for path in OWN]
        answers += [api.patch("/profile", {"first_name": "A"})]
        answers += [api.delete("/sessions"), api.delete("/sessions/1")]
        assert {answer.status_code for answer in answers} == {403}
        assert not any("anna" in answer.content.decode() for answer in answers)
    owner.refresh_from_db()
    assert owner.first_name == ""


def test_a_name_is_changed_and_what_is_left_out_stays(viewer: User) -> None:
    Membership.objects.create(team=Team.objects.create(name="platform"), user=viewer)
    api = himself(viewer)
    etag = api.get("/profile").headers["ETag"]
    changed = api.patch("/profile", {"last_name": "Frei"}, headers={"If-Match": etag}).json()
    assert (changed["username"], changed["last_name"]) == ("viktor", "Frei")
    assert (changed["email"], changed["teams"]) == ("viktor@example.com", ["platform"])
    assert AuditEntry.objects.latest("number").new == {"user": "viktor", "last name": "Frei"}
    stale = api.patch("/profile", {"last_name": "X"}, headers={"If-Match": etag})
    assert stale.status_code == 412
    assert api.patch("/profile", {"is_superuser": True}).status_code == 422


def test_another_address_asks_once_more_who_one_is(owner: User, viewer: User) -> None:
    new = {"email": "new@example.com"}
    refused = himself(viewer).patch("/profile", new)
    assert refused.status_code == 403
    assert "/accounts/reauthenticate/" in refused.json()["detail"]
    api = Api(client=reassured(viewer))
    assert api.patch("/profile", new).json()["email"] == "new@example.com"
    assert "email" in api.patch("/profile", {"email": "anna@example.com"}).json()["detail"]


@pytest.mark.django_db(transaction=True)
def test_sessions_are_listed_and_ended_one_by_one_or_all_others(viewer: User, owner: User) -> None:
    here, there, third = come_in(agent="here"), come_in(agent="there"), come_in(agent="third")
    annas, api = come_in("anna"), Api(client=here)
    rows = api.get("/sessions").json()["items"]
    assert [(row["agent"], row["is_current"]) for row in rows] == [
        ("third", False),
        ("there", False),
        ("here", True),
    ]
    assert str(here.session.session_key) not in api.get("/sessions").content.decode()
    path = f"/sessions/{rows[1]['id']}"
    etag = api.get(path).headers["ETag"]
    assert api.delete(path, headers={"If-Match": '"other"'}).status_code == 412
    assert api.delete("/sessions", headers={"If-Match": '"other"'}).status_code == 412
    assert api.delete(path, headers={"If-Match": etag}).status_code == 204
    assert there.get("/").status_code == 302
    assert AuditEntry.objects.latest("number").new == {"user": "viktor", "sessions": "ended"}
    assert api.delete(path).status_code == 404
    assert api.delete(f"/sessions/{UserSession.objects.get(user=owner).pk}").status_code == 404
    assert third.get("/").status_code == 200
    assert api.delete("/sessions").status_code == 204
    assert third.get("/").status_code == 302
    assert here.get("/").status_code == annas.get("/").status_code == 200
    count = AuditEntry.objects.count()
    assert api.delete("/sessions").status_code == 204  # there are no others
    assert AuditEntry.objects.count() == count


def test_ways_in_are_told_to_oneself_and_to_who_manages_access(
    viewer: User, api_owner: Api, api_viewer: Api
) -> None:
    api = Api(client=come_in())
    bare = api.get("/profile/ways-in").json()
    assert (bare["has_password"], bare["second_factors"]) == (True, [])
    assert (bare["recovery_codes_left"], bare["sessions"]) == (None, 1)
    TOTP.activate(viewer, generate_totp_secret())
    RecoveryCodes.activate(viewer)
    said = {"clientExtensionResults": {"credProps": {"rk": True}}}
    key = {"name": "On my ring", "credential": said}
    Authenticator.objects.create(user=viewer, type="webauthn", data=key)
    token_of(viewer)
    mine = api.get("/profile/ways-in").json()
    assert [(one["type"], one["name"], one["is_passkey"]) for one in mine["second_factors"]] == [
        ("totp", "", False),
        ("webauthn", "On my ring", True),
    ]
    assert (mine["recovery_codes_left"], mine["live_tokens"]) == (10, 2)
    assert api_owner.get("/people/viktor/ways-in").json() == mine | {"recovery_codes_left": None}
    assert api_owner.get("/people/nobody/ways-in").status_code == 404
    for path in ("/people/viktor/ways-in", "/people/nobody/ways-in"):
        assert api_viewer.get(path).status_code == 403
