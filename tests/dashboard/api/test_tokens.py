"""Personal tokens by API: one's own, made by oneself alone."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from access.models import AuditEntry, Secret, ServicePrincipal, User
from tests import catalog
from tests.cast import signed_in
from tests.dashboard.api.client import Api, token_of
from tests.reassured import reassured

pytestmark = pytest.mark.django_db
ADDRESS = "/tokens"


@pytest.fixture
def viktor(viewer: User) -> Api:
    """Signed in himself, and just asked who he is."""
    catalog.registry("prod")
    return Api(client=reassured(viewer))


def labels(api: Api, **query: Any) -> list[str]:
    return [row["label"] for row in api.get(ADDRESS, **query).json()["items"]]


def key_of(token: str) -> str:
    return token.split("_")[2]


def test_a_token_is_made_narrower_than_its_owner_and_shown_once(viktor: Api) -> None:
    body = {"label": "laptop", "actions": ["content read"], "scopes": ["prod/team-a/*"]}
    made = viktor.post(ADDRESS, body)
    assert made.status_code == 201
    assert "no-store" in made.headers["Cache-Control"]
    token = made.json()
    assert (token["owner"], token["actions"], token["scopes"]) == (
        "viktor",
        ["content read"],
        ["prod/team-a/*"],
    )
    days = (datetime.fromisoformat(token["expires_at"]) - timezone.now()).days
    assert 29 <= days <= 31
    with_it = Api(token["secret"])
    (entitlement,) = with_it.get("/").json()["entitlements"]
    assert (entitlement["scope"], entitlement["actions"]) == ("prod/team-a/*", ["content read"])
    for path in (ADDRESS, f"{ADDRESS}/{token['key_id']}"):
        assert token["secret"] not in viktor.get(path).content.decode()
    assert AuditEntry.objects.get(event="secret created").target.startswith("user:viktor")


def test_a_token_makes_no_token_and_neither_does_a_machine(
    viewer: User, machine: ServicePrincipal
) -> None:
    refused = Api.of(viewer).post(ADDRESS, {"label": "x"})
    assert refused.status_code == 403
    assert "not for a token" in refused.json()["detail"]
    ci = Api.of(machine)
    for answer in (ci.post(ADDRESS, {"label": "x"}), ci.get(ADDRESS)):
        assert answer.status_code == 403
        assert "secrets of their own" in answer.json()["detail"]


def test_a_session_has_to_say_once_more_who_it_is(viewer: User) -> None:
    refused = Api(client=signed_in(viewer)).post(ADDRESS, {"label": "x"})
    assert refused.status_code == 403
    assert "/accounts/reauthenticate/" in refused.json()["detail"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("label", " "),
        ("actions", ["content pull"]),
        ("actions", ["access manage"]),
        ("scopes", ["nowhere"]),
        ("scopes", ["not a scope"]),
        ("expires_at", "2020-01-01T00:00:00Z"),
    ],
)
def test_what_makes_no_sense_is_refused_by_field(viktor: Api, field: str, value: object) -> None:
    refused = viktor.post(ADDRESS, {"label": "x", field: value})
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["field"].startswith(field)


def test_a_token_that_lives_too_long_is_refused(viktor: Api) -> None:
    far = timezone.now() + timedelta(days=settings.PERSONAL_TOKEN_MAX_DAYS + 1)
    refused = viktor.post(ADDRESS, {"label": "x", "expires_at": far.isoformat()})
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "expires_at")


def test_one_lists_and_revokes_ones_own(viewer: User, owner: User) -> None:
    token_of(owner)
    text = token_of(viewer)
    key_id = viewer.personal_tokens.get().key_id
    api = Api(client=signed_in(viewer))
    assert labels(api) == ["a tool"]
    assert api.get(f"{ADDRESS}/{owner.personal_tokens.get().key_id}").status_code == 404
    assert api.delete(f"{ADDRESS}/{key_id}").status_code == 204
    assert Api(text).get("/").status_code == 401
    assert labels(api, state="ended") == ["a tool"]
    assert AuditEntry.objects.filter(event="secret revoked").count() == 1


def test_a_token_sees_and_ends_itself_and_none_of_its_owners_others(
    viewer: User, owner: User
) -> None:
    catalog.registry("prod")
    others = f"{ADDRESS}/{key_of(token_of(viewer))}"
    strangers = f"{ADDRESS}/{key_of(token_of(owner))}"
    text = token_of(viewer, actions=["content read"], scopes=["prod"])
    itself, api = f"{ADDRESS}/{key_of(text)}", Api(text)
    assert (api.get(itself).json()["scopes"], api.get(ADDRESS).status_code) == (["prod"], 403)
    for ask in (api.get, api.delete):
        assert ask(others).status_code == 403
        assert ask(strangers).status_code == 404
    assert not Secret.objects.filter(revoked_at__isnull=False).exists()
    assert api.delete(itself).status_code == 204
    assert api.get("/").status_code == 401


def test_a_token_manages_others_only_where_it_may_manage_access_everywhere(owner: User) -> None:
    other = f"{ADDRESS}/{key_of(token_of(owner))}"
    narrow = Api(token_of(owner, actions=["content read", "access manage"], scopes=["prod"]))
    assert narrow.delete(other).status_code == 403
    assert Api(token_of(owner, actions=["access manage"])).delete(other).status_code == 204


def test_who_manages_access_everywhere_revokes_anybodys(
    api_owner: Api, viewer: User, machine: ServicePrincipal
) -> None:
    text = token_of(viewer)
    path = f"{ADDRESS}/{viewer.personal_tokens.get().key_id}"
    assert api_owner.get(path).json()["owner"] == "viktor"
    assert Api.of(machine).delete(path).status_code == 404
    assert api_owner.delete(path, headers={"If-Match": '"x"'}).status_code == 412
    assert api_owner.delete(path).status_code == 204
    assert Api(text).get("/").status_code == 401
    assert labels(Api(client=signed_in(User.objects.get(username="anna"))), state="ended") == []


def test_a_list_takes_as_many_statements_for_many_as_for_one(viewer: User) -> None:
    api, _text = Api(client=signed_in(viewer)), token_of(viewer)
    (one,) = Secret.objects.filter(user=viewer)
    counts = []
    for more in (0, 29):
        for number in range(more):
            one.pk, one.key_id = None, f"k{number}"
            one.save(force_insert=True)
        with CaptureQueriesContext(connection) as captured:
            assert len(labels(api)) == more + 1
        counts.append(len(captured))
    assert counts[0] == counts[1]
