"""Somebody meets a closed door, asks, and reads the answer."""

from __future__ import annotations

import pytest
from django.test import Client

from access.models import AccessRequest, Grant, Role, User
from access.scopes import Scope
from registries.models import Registry
from tests import catalog
from tests.cast import give, signed_in
from tests.reassured import reassured

pytestmark = pytest.mark.django_db
NEW = "/access/requests/new/"
FIELDS = {"role": "pusher", "scope": "harbour/team-a/*", "reason": "to ship"}


@pytest.fixture(autouse=True)
def harbour(db: None) -> None:
    catalog.repository(catalog.registry("harbour"), "team-a/app")


@pytest.fixture
def asked(viewer: User) -> AccessRequest:
    return AccessRequest.objects.create(
        user=viewer,
        role=Role.objects.get(name="pusher"),
        registry=Registry.objects.get(name="harbour"),
        path="team-a/*",
        reason="to ship",
    )


@pytest.fixture
def as_owner_of_b(db: None) -> Client:
    user = User.objects.create_user("berta")
    give(user, "owner", Scope("harbour", "team-b/*"))
    return signed_in(user)


def test_a_closed_door_says_who_could_open_it_and_leads_to_the_request(
    owner: User, outsider: User
) -> None:
    give(outsider, "catalog-lister", Scope("harbour", "team-a/*"))
    client = signed_in(outsider)
    response = client.get("/r/harbour/team-a/app")
    shown = response.content.decode()
    assert response.status_code == 403
    assert "anna" in shown
    address = "/access/requests/new/?action=content%20read&amp;scope=harbour%2Fteam-a%2Fapp"
    assert address in shown
    form = client.get(address.replace("&amp;", "&")).content.decode()
    assert 'value="harbour/team-a/app"' in form
    assert '<option value="puller" selected>' in form
    assert 'value="auditor"' not in form


def test_what_was_asked_waits_for_an_answer(as_viewer: Client) -> None:
    assert as_viewer.post(NEW, FIELDS).status_code == 302
    request = AccessRequest.objects.get()
    assert (request.user.username, request.path, request.state) == ("viktor", "team-a/*", "open")
    assert "to ship" in as_viewer.get("/access/requests/").content.decode()


def test_nobody_asks_in_anothers_name(as_viewer: Client, outsider: User) -> None:
    as_viewer.post(NEW, FIELDS | {"user": outsider.pk, "state": "granted", "answered_by": "anna"})
    request = AccessRequest.objects.get()
    assert (request.user.username, request.state, request.answered_by) == ("viktor", "open", "")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"role": "reader"}, "You may do all of that already"),
        ({"reason": ""}, "required"),
        ({"scope": "nowhere"}, "There is no registry of this name"),
        ({"scope": "*"}, "There is no registry of this name"),
        ({"role": "emperor"}, "not one of the available choices"),
    ],
)
def test_what_cannot_be_asked_is_said_in_the_form(
    as_viewer: Client, changes: dict[str, str], said: str
) -> None:
    response = as_viewer.post(NEW, FIELDS | changes)
    assert response.status_code == 422
    assert said in response.content.decode()
    assert not AccessRequest.objects.exists()


def test_a_registry_that_one_may_not_know_of_is_not_there(as_outsider: Client) -> None:
    assert as_outsider.get(f"{NEW}?scope=harbour").status_code == 404
    assert as_outsider.post(NEW, FIELDS).status_code == 422


def test_an_owner_sees_it_and_grants_it(
    as_owner: Client, asked: AccessRequest, viewer: User
) -> None:
    assert "viktor" in as_owner.get("/access/requests/").content.decode()
    shown = as_owner.get(f"/access/requests/{asked.pk}/").content.decode()
    assert "Grant it" in shown
    assert "What viktor has there" in shown
    form = {"action": "grant", "last_day": "2099-01-01", "answer": "Go."}
    assert as_owner.post(f"/access/requests/{asked.pk}/", form).status_code == 302
    grant = Grant.objects.get(user=viewer, role__name="pusher")
    assert grant.until is not None
    theirs = signed_in(viewer).get("/access/requests/?state=closed&show=mine").content.decode()
    assert "Go." in theirs


def test_an_owner_refuses_with_a_reason(as_owner: Client, asked: AccessRequest) -> None:
    address = f"/access/requests/{asked.pk}/"
    without = as_owner.post(address, {"action": "refuse"})
    assert without.status_code == 422
    assert "Say why" in without.content.decode()
    as_owner.post(address, {"action": "refuse", "answer": "Ask your team."})
    asked.refresh_from_db()
    assert (asked.state, asked.answer) == ("refused", "Ask your team.")


def test_who_asked_sees_it_and_cannot_answer_it(asked: AccessRequest, viewer: User) -> None:
    client = signed_in(viewer)
    shown = client.get(f"/access/requests/{asked.pk}/").content.decode()
    assert "Withdraw" in shown
    assert "Grant it" not in shown
    assert client.post(f"/access/requests/{asked.pk}/", {"action": "grant"}).status_code == 403
    asked.refresh_from_db()
    assert asked.state == "open"


@pytest.mark.parametrize("client_name", ["as_outsider", "as_owner_of_b"])
def test_others_and_owners_of_another_place_do_not_see_it(
    request: pytest.FixtureRequest, asked: AccessRequest, client_name: str
) -> None:
    client: Client = request.getfixturevalue(client_name)
    assert "viktor" not in client.get("/access/requests/").content.decode()
    address = f"/access/requests/{asked.pk}/"
    assert client.get(address).status_code == 404
    assert client.post(address, {"action": "grant"}).status_code == 404
    assert client.post(f"{address}withdraw/").status_code == 404
    asked.refresh_from_db()
    assert asked.state == "open"


def test_only_whoever_asked_withdraws_it(
    as_owner: Client, asked: AccessRequest, viewer: User
) -> None:
    address = f"/access/requests/{asked.pk}/withdraw/"
    assert as_owner.post(address).status_code == 403
    assert signed_in(viewer).get(address).status_code == 405
    assert signed_in(viewer).post(address).status_code == 302
    asked.refresh_from_db()
    assert asked.state == "withdrawn"


def test_an_answered_request_is_not_answered_again(as_owner: Client, asked: AccessRequest) -> None:
    AccessRequest.objects.update(state="withdrawn")
    response = as_owner.post(f"/access/requests/{asked.pk}/", {"action": "grant"})
    assert response.status_code == 422
    assert "already" in response.content.decode()


def test_a_request_that_is_not_there_is_not_found(as_owner: Client) -> None:
    for pk in ("1", "9" * 30):
        assert as_owner.get(f"/access/requests/{pk}/").status_code == 404


def test_nobody_is_made_an_owner_by_an_answer_of_a_stale_session(
    owner: User, asked: AccessRequest
) -> None:
    AccessRequest.objects.update(role=Role.objects.get(name="owner"))
    stale, address = signed_in(owner), f"/access/requests/{asked.pk}/"
    told = stale.post(address, {"action": "grant", "answer": "Go."})
    assert told.headers["Location"].startswith("/accounts/reauthenticate/?next=")
    assert not Grant.objects.filter(role__name="owner").exists()
    assert stale.post(address, {"action": "refuse", "answer": "No."}).headers["Location"] == address
    AccessRequest.objects.update(state="open")
    assert reassured(owner).post(address, {"action": "grant"}).headers["Location"] == address
    assert Grant.objects.filter(role__name="owner").exists()
