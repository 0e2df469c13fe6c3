"""Webhooks by API: made, changed, paused, and what they sent."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from access.models import AuditEntry, User
from access.scopes import Scope
from tests import catalog
from tests.cast import give
from tests.dashboard.api.client import Api
from tests.webhooks import outbox
from webhooks.catalog import Topic
from webhooks.models import Delivery, Subscription
from webhooks.subscription_settings import CHOOSABLE

pytestmark = pytest.mark.django_db
ADDRESS = "/webhooks"
BODY = {
    "name": "Deploys",
    "where": "harbour/team-a/*:v1.*",
    "topics": ["tag.moved", "tag.created"],
    "url": "https://ci.example.com/hook/s3cret",
    "headers": {"Authorization": "Bearer s3cret"},
}


@pytest.fixture(autouse=True)
def harbour(db: None) -> None:
    catalog.registry("harbour")


@pytest.fixture
def keeper(outsider: User) -> Api:
    """Who owns one prefix."""
    give(outsider, "owner", Scope("harbour", "team-a/*"))
    return Api.of(outsider)


def events() -> list[str]:
    found = AuditEntry.objects.exclude(event__startswith="secret").order_by("number")
    return [entry.event for entry in found]


def names(api: Api, **query: Any) -> list[str]:
    return [row["name"] for row in api.get(ADDRESS, **query).json()["items"]]


def test_a_webhook_is_made_and_its_secrets_are_told_nowhere_again(keeper: Api) -> None:
    made = keeper.post(ADDRESS, BODY)
    assert made.status_code == 201
    assert "no-store" in made.headers["Cache-Control"]
    body = made.json()
    assert body["secret"].startswith("whsec_")
    assert (body["where"], body["topics"]) == (BODY["where"], ["tag.created", "tag.moved"])
    assert (body["host"], body["has_headers"], body["state"]) == ("ci.example.com", True, "active")
    path = f"{ADDRESS}/{body['id']}"
    assert made.headers["Location"].endswith(path)
    for shown in (keeper.get(path), keeper.get(ADDRESS)):
        assert "s3cret" not in shown.content.decode()
        assert "whsec_" not in shown.content.decode()
    assert events() == ["subscription created"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", " "),
        ("where", "not a scope"),
        ("topics", []),
        ("topics", ["ping"]),
        ("url", "ftp://x"),
        ("headers", {"Host": "x"}),
        ("team", "nobody"),
        ("payload", "odd"),
    ],
)
def test_what_makes_no_sense_is_refused_by_field(keeper: Api, field: str, value: object) -> None:
    refused = keeper.post(ADDRESS, {**BODY, "where": "harbour/team-a/app", field: value})
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["field"].startswith(field)


def test_nobody_has_sent_out_what_he_may_not(keeper: Api) -> None:
    refused = keeper.post(ADDRESS, {**BODY, "where": "harbour"})
    assert (refused.status_code, refused.json()["scope"]) == (403, "harbour")


def test_only_what_is_given_changes(keeper: Api) -> None:
    webhook = outbox.webhook()
    path = f"{ADDRESS}/{webhook.pk}"
    etag = keeper.get(path).headers["ETag"]
    changed = keeper.patch(path, {"name": "New", "headers": {}}, headers={"If-Match": etag})
    assert changed.status_code == 200
    assert (changed.json()["name"], changed.json()["has_headers"]) == ("New", False)
    assert changed.json()["where"] == "harbour/team-a/*"
    webhook.refresh_from_db()
    assert webhook.url.reveal() == "https://ci.example.com/hook/s3cret"
    assert keeper.patch(path, {"name": "Late"}, headers={"If-Match": etag}).status_code == 412
    assert events() == ["subscription changed"]


def test_stored_headers_do_not_go_to_another_host(keeper: Api) -> None:
    path = f"{ADDRESS}/{outbox.webhook().pk}"
    refused = keeper.patch(path, {"url": "https://evil.example.com/"})
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "headers")


def test_it_is_paused_goes_on_and_is_removed(keeper: Api) -> None:
    webhook = outbox.webhook()
    path = f"{ADDRESS}/{webhook.pk}"
    outbox.delivery(webhook, Delivery.State.WAITING)
    assert keeper.post(f"{path}/pause", {"reason": "Moving"}).json()["state_reason"] == "Moving"
    resumed = keeper.post(f"{path}/resume", {"send_held": False}).json()
    assert (resumed["state"], resumed["held"]) == ("active", 1)
    assert keeper.delete(path).status_code == 204
    assert keeper.get(path).status_code == 404
    assert events() == ["subscription switched", "subscription switched", "subscription removed"]


def test_a_new_signing_secret_is_shown_once(keeper: Api) -> None:
    webhook = outbox.webhook()
    rotated = keeper.post(f"{ADDRESS}/{webhook.pk}/rotation", {"overlap_hours": 1})
    assert rotated.status_code == 201
    webhook.refresh_from_db()
    assert rotated.json()["secret"] == webhook.secret.reveal()
    assert "no-store" in rotated.headers["Cache-Control"]


def test_the_list_has_the_last_day_and_is_narrowed(keeper: Api, api_owner: Api) -> None:
    webhook = outbox.webhook()
    outbox.webhook("*", name="All", host="hooks.example.com")
    outbox.delivery(webhook)
    outbox.delivery(webhook, Delivery.State.GIVEN_UP)
    (row,) = keeper.get(ADDRESS).json()["items"]
    assert (row["delivered"], row["failed"], row["last_state"]) == (1, 1, "given up")
    assert names(api_owner) == ["All", "Deploy"]
    assert names(api_owner, q="HOOKS") == ["All"]
    assert names(api_owner, scope="harbour/team-a/app") == ["All", "Deploy"]
    assert names(api_owner, scope="harbour/team-b/app") == ["All"]
    Subscription.objects.filter(name="All").update(failing_since=timezone.now())
    assert names(api_owner, state="failing") == ["All"]


def test_a_delivery_has_its_event_and_every_attempt(keeper: Api) -> None:
    webhook = outbox.webhook()
    sent = outbox.delivery(webhook)
    outbox.attempt(sent, 500)
    outbox.attempt(sent)
    path = f"{ADDRESS}/{webhook.pk}/deliveries"
    (row,) = keeper.get(path).json()["items"]
    assert (row["event"]["topic"], row["last_attempt"]["status"]) == ("tag.moved", 200)
    whole = keeper.get(f"{path}/{sent.pk}").json()
    assert [attempt["status"] for attempt in whole["attempts"]] == [200, 500]
    assert whole["attempts"][0]["request_headers"]["Authorization"] == "•••"
    assert whole["attempts"][0]["request_body"] == outbox.BODY


def test_an_answer_out_of_a_private_network_is_for_who_manages_webhooks_everywhere(
    keeper: Api, api_owner: Api
) -> None:
    webhook = outbox.webhook()
    sent = outbox.delivery(webhook)
    outbox.attempt(sent, address="10.1.2.3")
    path = f"{ADDRESS}/{webhook.pk}/deliveries/{sent.pk}"
    (kept,), (shown,) = (api.get(path).json()["attempts"] for api in (keeper, api_owner))
    assert (kept["is_withheld"], kept["address"], kept["response_body"]) == (True, "", "")
    assert (shown["is_withheld"], shown["address"]) == (False, "10.1.2.3")
    assert kept["status"] == 200


def test_deliveries_are_narrowed_and_what_one_may_not_read_is_not_there(
    keeper: Api, api_owner: Api
) -> None:
    webhook = outbox.webhook()
    outbox.delivery(webhook, Delivery.State.GIVEN_UP)
    other = outbox.delivery(webhook, of=outbox.event(Topic.PUSH, "team-b/app"))
    path = f"{ADDRESS}/{webhook.pk}/deliveries"

    def count(api: Api, **query: Any) -> int:
        return len(api.get(path, **query).json()["items"])

    today = timezone.now().date().isoformat()
    assert (count(api_owner), count(keeper)) == (2, 1)
    assert keeper.get(f"{path}/{other.pk}").status_code == 404
    assert count(api_owner, state="given up") == count(api_owner, topic="push") == 1
    assert count(api_owner, repository="team-b/app") == 1
    assert count(api_owner, repository="team-b") == 0
    assert count(api_owner, since=today, until=today) == 2
    assert count(api_owner, until="2020-01-01") == 0


def test_what_failed_is_sent_again_one_by_one_or_all_since(keeper: Api) -> None:
    webhook = outbox.webhook()
    failed = outbox.delivery(webhook, Delivery.State.GIVEN_UP)
    hidden = outbox.delivery(
        webhook, Delivery.State.GIVEN_UP, of=outbox.event(repository="team-b/app")
    )
    path = f"{ADDRESS}/{webhook.pk}/redeliveries"
    one = keeper.post(path, {"deliveries": [failed.pk, hidden.pk]})
    assert (one.status_code, one.json()) == (202, {"count": 1})
    Delivery.objects.update(state=Delivery.State.GIVEN_UP, ended_at=timezone.now())
    since = (timezone.now() - timedelta(hours=1)).isoformat()
    assert keeper.post(path, {"since": since}).json() == {"count": 1}
    hidden.refresh_from_db()
    assert hidden.state == Delivery.State.GIVEN_UP
    far = (timezone.now() + timedelta(hours=1)).isoformat()
    both: dict[str, Any] = {"deliveries": [failed.pk], "since": since}
    for body in ({}, {"since": far}, both):
        assert keeper.post(path, body).status_code == 422
    assert events() == ["deliveries sent again", "deliveries sent again"]


def test_a_ping_leads_to_its_delivery(keeper: Api) -> None:
    webhook = outbox.webhook()
    sent = keeper.post(f"{ADDRESS}/{webhook.pk}/pings")
    assert sent.status_code == 202
    assert sent.json()["event"]["topic"] == "ping"
    path = sent.headers["Location"].removeprefix("/api/v1")
    assert keeper.get(path).json()["id"] == sent.json()["id"]


def test_a_preview_is_of_a_past_event_or_of_a_made_up_one(keeper: Api) -> None:
    webhook = outbox.webhook()
    path = f"{ADDRESS}/{webhook.pk}/preview"
    assert keeper.get(path).json()["is_made_up"] is True
    older, newer = outbox.event(), outbox.event(tag="2.0")
    shown = keeper.get(path).json()
    assert [event["number"] for event in shown["events"]] == [newer.pk, older.pk]
    assert shown["id"] == f"evt_{newer.uid.hex}"
    assert keeper.get(path, event=older.pk).json()["id"] == f"evt_{older.uid.hex}"
    assert "s3cret" not in keeper.get(path).content.decode()


def test_one_that_is_not_made_yet_is_previewed_too(keeper: Api, api_viewer: Api) -> None:
    path, place = f"{ADDRESS}/preview", "harbour/team-a/*"
    wanted: dict[str, Any] = {"where": place, "topics": ["tag.moved", "tag.created"]}
    made_up = keeper.get(path, **wanted).json()
    assert (made_up["is_made_up"], made_up["events"]) == (True, [])
    event = outbox.event()
    outbox.event(repository="team-b/app")
    shown = keeper.get(path, **wanted, payload="slack").json()
    assert [one["number"] for one in shown["events"]] == [event.pk]
    assert shown["body"] != keeper.get(path, **wanted, event=event.pk).json()["body"]
    assert not Subscription.objects.exists()
    changes: list[dict[str, Any]] = [
        {"topics": []},
        {"where": "a b"},
        {"payload": "fax"},
        {"url": "https://ci.example.com"},
    ]
    for change in changes:
        assert keeper.get(path, **wanted | change).status_code == 400, change
    refused = keeper.get(path, **wanted | {"where": "harbour"})
    assert (refused.status_code, refused.json()["action"]) == (403, "webhook manage")
    assert api_viewer.get(path, **wanted).status_code == 403


def test_the_words_are_all_there(keeper: Api) -> None:
    said = keeper.get(f"{ADDRESS}/topics").json()
    assert [row["topic"] for row in said["topics"]] == [topic.value for topic in CHOOSABLE]
    takes = {row["topic"]: row["takes"] for row in said["topics"]}
    assert (takes["push"], takes["access.granted"]) == ("content read", "access manage")
    assert [row["payload"] for row in said["payloads"]] == Subscription.Form.values


def test_lists_take_as_many_statements_for_many_as_for_one(keeper: Api) -> None:
    webhook = outbox.webhook()
    counts: dict[str, list[int]] = {}
    for more in (1, 20):
        for number in range(more):
            outbox.attempt(outbox.delivery(webhook))
            outbox.webhook(name=f"w{more}{number}")
        for path in (ADDRESS, f"{ADDRESS}/{webhook.pk}/deliveries"):
            with CaptureQueriesContext(connection) as captured:
                keeper.get(path)
            counts.setdefault(path, []).append(len(captured))
    assert [one == many for one, many in counts.values()] == [True, True]
