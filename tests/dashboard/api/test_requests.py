"""Requests for access by API: asking, following, withdrawing, answering."""

from __future__ import annotations

from typing import Any

import pytest

from access.models import AccessRequest, AuditEntry, Grant, Role, ServicePrincipal, User
from access.scopes import Scope
from registries.models import Registry
from tests import catalog
from tests.cast import give, signed_in
from tests.dashboard.api.client import Api, token_of
from tests.dashboard.api.statements import statements
from tests.reassured import reassured

pytestmark = pytest.mark.django_db
REQUESTS = "/access-requests"
ASKING = {"role": "pusher", "scope": "harbour/team-a/*", "reason": "on call"}


@pytest.fixture(autouse=True)
def harbour(db: None) -> Registry:
    catalog.registry("hidden")
    return catalog.registry("harbour")


@pytest.fixture
def asked(viewer: User, harbour: Registry) -> AccessRequest:
    return AccessRequest.objects.create(
        user=viewer,
        role=Role.objects.get(name="pusher"),
        registry=harbour,
        path="team-a/*",
        reason="on call",
    )


def listed(api: Api, **query: Any) -> list[str]:
    rows = api.get(REQUESTS, **query).json()["items"]
    return [f"{row['user']} {row['role']} {row['scope']} {row['state']}" for row in rows]


def test_a_request_is_made_followed_and_withdrawn(api_viewer: Api) -> None:
    made = api_viewer.post(REQUESTS, ASKING)
    assert made.status_code == 201
    address = made.headers["Location"].removeprefix("/api/v1")
    assert api_viewer.get(address).json() == made.json()
    assert listed(api_viewer) == ["viktor pusher harbour/team-a/* open"]
    assert api_viewer.post(f"{address}/withdraw").json()["state"] == "withdrawn"
    again = api_viewer.post(f"{address}/withdraw")
    assert (again.status_code, again.json()["code"]) == (422, "invalid")
    assert not Grant.objects.filter(role__name="pusher").exists()
    events = AuditEntry.objects.filter(event__contains="request").order_by("number")
    assert [entry.event for entry in events] == ["access requested", "request answered"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"role": "reader"}, "may do all of that already"),
        ({"role": "emperor"}, "no role “emperor”"),
        ({"scope": "nowhere"}, "no registry of this name that you may know of"),
        ({"scope": "*"}, "no registry of this name that you may know of"),
        ({"reason": ""}, "reason"),
    ],
)
def test_what_cannot_be_asked_for_is_refused(
    api_viewer: Api, change: dict[str, Any], said: str
) -> None:
    refused = api_viewer.post(REQUESTS, ASKING | change)
    assert refused.status_code == 422
    assert said in refused.json()["detail"]


def test_a_registry_that_one_may_not_know_of_is_as_one_that_there_is_not(outsider: User) -> None:
    give(outsider, "reader", Scope("harbour"))
    api = Api.of(outsider)
    hidden, absent = (api.post(REQUESTS, ASKING | {"scope": it}) for it in ("hidden", "nowhere"))
    assert hidden.json() == absent.json()


def test_machines_do_not_ask(machine: ServicePrincipal, asked: AccessRequest) -> None:
    Grant.objects.create(service_principal=machine, role=Role.objects.get(name="owner"))
    api = Api.of(machine)
    refused = api.post(REQUESTS, ASKING)
    assert refused.status_code == 403
    assert "People ask" in refused.json()["detail"]
    assert api.post(f"{REQUESTS}/{asked.pk}/withdraw").status_code == 403
    assert listed(api, show="answer") == ["viktor pusher harbour/team-a/* open"]
    assert listed(api, show="mine") == []


def test_an_owner_grants_for_a_while(api_owner: Api, asked: AccessRequest, viewer: User) -> None:
    answer = {"decision": "grant", "until": "2099-01-01T00:00:00Z", "answer": "Welcome."}
    answered = api_owner.post(f"{REQUESTS}/{asked.pk}/decision", answer).json()
    assert (answered["state"], answered["answered_by"]) == ("granted", "anna")
    assert answered["answer"] == "Welcome."
    grant = Grant.objects.get(user=viewer, role__name="pusher")
    assert (str(grant.scope), grant.until is not None) == ("harbour/team-a/*", True)
    again = api_owner.post(f"{REQUESTS}/{asked.pk}/decision", answer)
    assert again.status_code == 422


def test_a_no_says_why(api_owner: Api, asked: AccessRequest) -> None:
    address = f"{REQUESTS}/{asked.pk}/decision"
    assert api_owner.post(address, {"decision": "refuse"}).status_code == 422
    answered = api_owner.post(address, {"decision": "refuse", "answer": "Not now."}).json()
    assert (answered["state"], answered["answer"]) == ("refused", "Not now.")
    assert api_owner.post(address, {"decision": "shrug"}).status_code == 422


def test_who_manages_access_without_the_role_refuses_and_does_not_grant(
    asked: AccessRequest, outsider: User
) -> None:
    Role.objects.create(name="doorkeeper", label="Doorkeeper", actions=["access manage"])
    give(outsider, "doorkeeper", Scope("harbour"))
    api, address = Api.of(outsider), f"{REQUESTS}/{asked.pk}/decision"
    assert api.post(address, {"decision": "grant"}).status_code == 403
    assert api.post(address, {"decision": "refuse", "answer": "No."}).status_code == 200


def test_nobody_decides_on_his_own_without_the_right(api_viewer: Api, asked: AccessRequest) -> None:
    address = f"{REQUESTS}/{asked.pk}/decision"
    assert api_viewer.post(address, {"decision": "grant"}).status_code == 403


def test_the_list_is_filtered_as_on_screen(
    api_owner: Api, api_viewer: Api, asked: AccessRequest, owner: User, harbour: Registry
) -> None:
    role = Role.objects.get(name="signer")
    AccessRequest.objects.create(
        user=owner, role=role, registry=harbour, reason="x", state=AccessRequest.State.REFUSED
    )
    assert listed(api_owner, show="answer") == ["viktor pusher harbour/team-a/* open"]
    assert listed(api_owner, show="mine") == ["anna signer harbour refused"]
    assert len(listed(api_owner)) == 2
    assert listed(api_owner, state="refused") == ["anna signer harbour refused"]
    assert listed(api_viewer, show="answer") == []
    assert listed(api_viewer) == ["viktor pusher harbour/team-a/* open"]


def test_others_requests_are_not_there(asked: AccessRequest, outsider: User) -> None:
    give(outsider, "owner", Scope("hidden"))
    api = Api.of(outsider)
    assert listed(api) == []
    for path in ("", "/withdraw", "/decision"):
        answer = api.ask("POST" if path else "GET", f"{REQUESTS}/{asked.pk}{path}", {})
        assert answer.status_code == 404
        assert "viktor" not in answer.content.decode()


def test_a_token_names_none_of_another_registry(viewer: User, asked: AccessRequest) -> None:
    api = Api(token_of(viewer, scopes=["hidden"]))
    assert listed(api) == []
    assert api.get(f"{REQUESTS}/{asked.pk}").status_code == 404


def test_more_requests_take_no_more_statements(
    api_owner: Api, asked: AccessRequest, viewer: User, harbour: Registry
) -> None:
    few = statements(api_owner, REQUESTS, rows=1)
    for number in range(29):
        AccessRequest.objects.create(
            user=viewer, role=asked.role, registry=harbour, path=f"a/{number}", reason="x"
        )
    assert statements(api_owner, REQUESTS, rows=30) == few


def test_a_session_says_once_more_who_it_is_before_its_answer_makes_an_owner(
    owner: User, asked: AccessRequest
) -> None:
    AccessRequest.objects.update(role=Role.objects.get(name="owner"))
    path, yes = f"{REQUESTS}/{asked.pk}/decision", {"decision": "grant"}
    refused = Api(client=signed_in(owner)).post(path, yes)
    assert refused.status_code == 403
    assert "/accounts/reauthenticate/" in refused.json()["detail"]
    assert not Grant.objects.filter(role__name="owner").exists()
    assert Api(client=reassured(owner)).post(path, yes).status_code == 200
