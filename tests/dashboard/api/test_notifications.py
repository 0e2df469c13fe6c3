"""What a registry told, by API, and what one follows."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from access.models import AuditEntry, ServicePrincipal, User
from access.scopes import Scope
from registries.models import Registry
from tests import catalog
from tests.cast import give, signed_in
from tests.dashboard.api.client import Api
from tests.reassured import reassured
from webhooks.models import Follow, InboundSecret, Notification

pytestmark = pytest.mark.django_db
ADDRESS = "/registries/harbour/notifications"


@pytest.fixture(autouse=True)
def harbour(db: None) -> Registry:
    return catalog.registry("harbour")


def tell(harbour: Registry, number: int = 1, **fields: str) -> Notification:
    said = {"body": "its words", "address": "192.0.2.9", "state": "done"} | fields
    return Notification.objects.create(
        registry=harbour, event_id=f"e{number}", verb="push", repository="team-a/app", **said
    )


def test_its_words_are_for_who_manages_the_registry(
    api_owner: Api, outsider: User, harbour: Registry
) -> None:
    tell(harbour)
    tell(harbour, 2, state="junk", reason="no JSON")
    (newest, oldest) = api_owner.get(ADDRESS).json()["items"]
    assert (newest["state"], newest["reason"], oldest["verb"]) == ("junk", "no JSON", "push")
    assert (oldest["body"], oldest["address"]) == ("its words", "192.0.2.9")
    assert len(api_owner.get(ADDRESS, state="junk").json()["items"]) == 1
    give(outsider, "reader", Scope("harbour"))
    for row in Api.of(outsider).get(ADDRESS).json()["items"]:
        assert (row["body"], row["address"]) == (None, None)


def test_a_list_takes_as_many_statements_for_many_as_for_one(
    api_owner: Api, outsider: User, harbour: Registry
) -> None:
    give(outsider, "reader", Scope("harbour"))
    for api in (api_owner, Api.of(outsider)):
        counts = []
        for more in (1, 29):
            for _number in range(more):
                tell(harbour, Notification.objects.count())
            with CaptureQueriesContext(connection) as captured:
                api.get(ADDRESS)
            counts.append(len(captured))
        assert counts[0] == counts[1]


def test_a_secret_is_shown_once_with_what_to_paste(api_owner: Api) -> None:
    made = api_owner.post(f"{ADDRESS}/secrets")
    assert made.status_code == 201
    assert "no-store" in made.headers["Cache-Control"]
    secret = made.json()["secret"]
    assert all(secret in guide["text"] for guide in made.json()["guides"])
    setup = api_owner.get(f"{ADDRESS}/setup")
    assert setup.json()["url"].endswith("/hooks/in/harbour")
    listed = api_owner.get(f"{ADDRESS}/secrets")
    assert [row["id"] for row in listed.json()["items"]] == [made.json()["id"]]
    for shown in (setup, listed):
        assert secret not in shown.content.decode()


def test_two_secrets_are_live_and_one_is_removed(api_owner: Api) -> None:
    made = [api_owner.post(f"{ADDRESS}/secrets") for _ in range(3)]
    assert [one.status_code for one in made] == [201, 201, 422]
    path = made[0].headers["Location"].removeprefix("/api/v1")
    shown = api_owner.get(path)
    assert shown.json() == api_owner.get(f"{ADDRESS}/secrets").json()["items"][0]
    assert api_owner.delete(path, headers={"If-Match": '"x"'}).status_code == 412
    read = {"If-Match": shown.headers["ETag"]}
    assert api_owner.delete(path, headers=read).status_code == 204
    assert api_owner.delete(path).status_code == 404
    assert InboundSecret.objects.count() == 1
    told = AuditEntry.objects.filter(event__startswith="inbound").order_by("number")
    assert [entry.event for entry in told] == [
        "inbound secret created",
        "inbound secret created",
        "inbound secret removed",
    ]


def test_one_follows_what_one_sees(viewer: User, outsider: User) -> None:
    api, api_outsider = Api(client=signed_in(viewer)), Api(client=signed_in(outsider))
    made = api.post("/following", {"scope": "harbour/team-a/*", "mail": "each"})
    assert (made.status_code, made.json()["mail"]) == (201, "each")
    path = made.headers["Location"].removeprefix("/api/v1")
    assert api.patch(path, {"mail": "none"}).json()["mail"] == "none"
    assert api.delete(path, headers={"If-Match": '"x"'}).status_code == 412
    api.post("/following", {"scope": "harbour"})
    scopes = [row["scope"] for row in api.get("/following").json()["items"]]
    assert scopes == ["harbour", "harbour/team-a/*"]
    assert api_outsider.get("/following").json()["items"] == []
    for scope in ("harbour", "*"):
        assert api_outsider.post("/following", {"scope": scope}).status_code == 422
    assert api.delete(path).status_code == 204
    assert Follow.objects.count() == 1


def test_the_feeds_address_is_shown_once_and_made_by_no_token(viewer: User) -> None:
    path, by_token, api = "/following/feed", Api.of(viewer), Api(client=reassured(viewer))
    stale = Api(client=signed_in(viewer)).post(path)
    assert (stale.status_code, "/accounts/reauthenticate/" in stale.json()["detail"]) == (403, True)
    assert (by_token.post(path).status_code, api.get(path).json()) == (403, {"has_feed": False})
    made = api.post(path)
    address = urlsplit(made.json()["secret"]).path
    assert (made.status_code, "no-store" in made.headers["Cache-Control"]) == (201, True)
    assert Client().get(address).status_code == 200
    assert api.get(path).json() == {"has_feed": True}
    other = urlsplit(api.post(path).json()["secret"]).path
    assert Client().get(address).status_code == 404
    assert api.delete(path, headers={"If-Match": '"x"'}).status_code == 412
    assert api.delete(path).status_code == 204
    assert Client().get(other).status_code == 404


def test_a_token_neither_tells_nor_changes_what_its_owner_follows(viewer: User) -> None:
    himself, api = Api(client=signed_in(viewer)), Api.of(viewer)
    path = f"/following/{himself.post('/following', {'scope': 'harbour'}).json()['id']}"
    for answer in (
        api.get("/following"),
        api.post("/following", {"scope": "harbour"}),
        api.get(path),
        api.patch(path, {"mail": "each"}),
        api.delete(path),
        api.get("/following/feed"),
        api.delete("/following/feed"),
    ):
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    assert Follow.objects.get().mail == "daily"


def test_a_machine_follows_nothing(machine: ServicePrincipal) -> None:
    api = Api.of(machine)
    for refused in (api.get("/following"), api.get("/following/feed"), api.post("/following/feed")):
        assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")


def test_a_session_says_once_more_who_it_is_before_it_makes_a_secret(owner: User) -> None:
    refused = Api(client=signed_in(owner)).post(f"{ADDRESS}/secrets")
    assert refused.status_code == 403
    assert "/accounts/reauthenticate/" in refused.json()["detail"]
    assert not InboundSecret.objects.exists()
    assert Api(client=reassured(owner)).post(f"{ADDRESS}/secrets").status_code == 201
