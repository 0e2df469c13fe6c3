"""Webhooks on screen: what is listed and what is not shown, what happened and what came back."""

from __future__ import annotations

import html
import re
from datetime import timedelta
from urllib.parse import urlencode

import pytest
from django.test import Client
from django.utils import timezone

from access.models import Role, Team, User
from access.scopes import Scope
from tests import catalog
from tests.cast import give, signed_in
from tests.webhooks import outbox
from webhooks.catalog import Topic
from webhooks.models import Attempt, Delivery, Subscription

pytestmark = pytest.mark.django_db(transaction=True)
SECRETS = ("s3cret", "whsec_")
FIELDS = {
    "name": "Deploy",
    "scope": "harbour/team-a/*",
    "topics": ["push", "delete"],
    "form": "structured",
    "url": "https://ci.example.com/hook/s3cret",
    "headers": "Authorization: Bearer s3cret",
}


@pytest.fixture(autouse=True)
def harbour(db: None) -> None:
    catalog.registry("harbour")
    catalog.registry("elsewhere")


@pytest.fixture
def as_keeper(db: None) -> Client:
    """He manages webhooks of team-a, and may pull there and nothing else."""
    user = User.objects.create_user("kim")
    Role.objects.create(name="keeper", label="Keeper", actions=["webhook manage", "content read"])
    give(user, "keeper", Scope.parse("harbour/team-a/*"))
    return signed_in(user)


def text_of(client: Client, address: str) -> str:
    response = client.get(address)
    assert response.status_code == 200, response.content.decode()[:2000]
    return words(response.content.decode())


def words(page: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page)).split())


def address_of(webhook: Subscription, rest: str = "") -> str:
    return f"/webhooks/{webhook.pk}/{rest}"


# The list -------------------------------------------------------------------------------------


def test_one_sees_what_one_may_manage(as_keeper: Client, as_owner: Client) -> None:
    outbox.webhook("harbour/team-a/*", name="Mine")
    outbox.webhook("harbour/team-a/app", name="Inside")
    outbox.webhook("harbour", name="Wider")
    outbox.webhook("harbour/team-a/*", name="Grants", topics=["access.granted"])
    seen = text_of(as_keeper, "/webhooks/")
    assert all(name in seen for name in ("Mine", "Inside"))
    assert not any(name in seen for name in ("Wider", "Grants"))
    assert all(name in text_of(as_owner, "/webhooks/") for name in ("Wider", "Grants"))


def test_who_manages_none_is_told_what_it_takes(as_viewer: Client) -> None:
    response = as_viewer.get("/webhooks/")
    assert response.status_code == 403
    assert "manage webhooks" in response.content.decode()
    assert "/webhooks/" not in as_viewer.get("/").content.decode()


def test_nothing_and_nothing_that_fits_are_told_apart(as_owner: Client) -> None:
    assert "Nothing is sent out yet" in text_of(as_owner, "/webhooks/")
    assert "No webhook fits" in text_of(as_owner, "/webhooks/?q=nothing")


@pytest.mark.parametrize(
    ("scope", "found"),
    [
        ("harbour/team-a/app", {"All", "Registry", "Team", "App"}),
        ("harbour/team-a/*", {"All", "Registry", "Team", "App"}),
        ("harbour/team-b/*", {"All", "Registry"}),
        ("elsewhere", {"All"}),
        ("*", {"All", "Registry", "Team", "App"}),
    ],
)
def test_a_scope_finds_all_that_send_anything_of_it(
    as_owner: Client, scope: str, found: set[str]
) -> None:
    scopes = {
        "All": "*",
        "Registry": "harbour",
        "Team": "harbour/team-a/*",
        "App": "harbour/team-a/app",
    }
    for name, where in scopes.items():
        outbox.webhook(where, name=name)
    page = as_owner.get("/webhooks/", {"scope": scope})
    assert {row.webhook.name for row in page.context["rows"]} == found


def test_the_list_tells_the_state_and_how_the_last_day_went(as_owner: Client) -> None:
    webhook = outbox.webhook(failing_since=timezone.now())
    for state in ("delivered", "delivered", "given up"):
        outbox.delivery(webhook, Delivery.State(state))
    outbox.delivery(webhook, at=timezone.now() - timedelta(days=2))
    seen = text_of(as_owner, "/webhooks/")
    assert "66 %" in seen
    assert "2 delivered" in seen
    assert "1 failed" in seen
    assert "failing" in seen


def test_a_page_of_webhooks_follows_another(as_owner: Client) -> None:
    for number in range(53):
        outbox.webhook(name=f"Hook {number:02}")
    first = as_owner.get("/webhooks/")
    second = as_owner.get(f"/webhooks/?{first.context['page'].next}")
    assert [row.webhook.name for row in second.context["rows"]] == ["Hook 50", "Hook 51", "Hook 52"]


def test_pages_of_the_catalog_lead_to_their_webhooks(as_owner: Client, as_viewer: Client) -> None:
    app = catalog.repository(catalog.registry("quay"), "team/app")
    catalog.tag(app, "1.0", catalog.image(app))
    for address, scope in (("/r/quay/", "quay"), ("/r/quay/team/app", "quay%2Fteam%2Fapp")):
        assert f"/webhooks/?scope={scope}" in as_owner.get(address).content.decode()
        assert "/webhooks/" not in as_viewer.get(address).content.decode()


# Making and changing --------------------------------------------------------------------------


def test_a_new_webhook_shows_its_secret_once(as_keeper: Client) -> None:
    response = as_keeper.post("/webhooks/new/", FIELDS)
    assert response.status_code == 201
    assert "no-store" in response.headers["Cache-Control"]
    made = Subscription.objects.get()
    assert made.secret.reveal() in html.unescape(response.content.decode())
    assert (str(made.scope), made.topics) == ("harbour/team-a/*", ["push", "delete"])
    for rest in ("", "change/", "secret/", "remove/"):
        page = as_keeper.get(address_of(made, rest)).content.decode()
        assert not any(secret in page for secret in SECRETS), rest


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"scope": "harbour"}, "webhook manage"),
        ({"scope": "harbour/a:b:c"}, "filters no tags"),
        ({"topics": []}, "required"),
        ({"topics": ["access.granted"]}, "access manage"),
        ({"url": "http://ci.example.com/"}, "Plain http"),
        ({"url": ""}, "required"),
        ({"headers": "Host: evil.example"}, "Portolan’s own"),
        ({"scope": "nowhere"}, "webhook manage"),
        ({"team": "others"}, "not one of the available choices"),
    ],
)
def test_what_is_refused_is_said_on_the_form(
    as_keeper: Client, change: dict[str, object], said: str
) -> None:
    Team.objects.create(name="others")
    response = as_keeper.post("/webhooks/new/", FIELDS | change)
    assert response.status_code in (403, 422)
    assert said in words(response.content.decode())
    assert not Subscription.objects.exists()


def test_changing_it_keeps_what_is_not_typed(as_keeper: Client) -> None:
    webhook = outbox.webhook()
    form = FIELDS | {"name": "Release", "scope": "harbour/team-a/app:v1.*", "topics": ["push"]}
    response = as_keeper.post(address_of(webhook, "change/"), form | {"url": "", "headers": ""})
    assert response.status_code == 302
    webhook = Subscription.objects.get()
    assert (webhook.name, str(webhook.scope), webhook.tag) == (
        "Release",
        "harbour/team-a/app",
        "v1.*",
    )
    assert "s3cret" in webhook.url.reveal()
    assert "s3cret" in webhook.headers.reveal()


def test_another_host_asks_for_the_headers_again(as_keeper: Client) -> None:
    webhook = outbox.webhook()
    form = FIELDS | {"url": "https://evil.example/", "headers": ""}
    response = as_keeper.post(address_of(webhook, "change/"), form)
    assert response.status_code == 422
    assert "not sent there" in words(response.content.decode())
    response = as_keeper.post(address_of(webhook, "change/"), form | {"drop_headers": "on"})
    assert response.status_code == 302
    assert Subscription.objects.get().headers.reveal() == ""


def test_rotating_shows_the_new_secret_once(as_keeper: Client) -> None:
    webhook = outbox.webhook()
    response = as_keeper.post(address_of(webhook, "secret/"), {"overlap": "24"})
    assert response.status_code == 201
    assert "no-store" in response.headers["Cache-Control"]
    new, old = Subscription.objects.get().signing_secrets(timezone.now())
    page = html.unescape(response.content.decode())
    assert new in page
    assert old not in page
    assert "two sign, until" in text_of(as_keeper, address_of(webhook))


def test_removing_says_what_goes_with_it(as_keeper: Client) -> None:
    webhook = outbox.webhook()
    outbox.delivery(webhook, Delivery.State.HELD)
    assert "1 message that is still to be sent" in text_of(
        as_keeper, address_of(webhook, "remove/")
    )
    assert as_keeper.post(address_of(webhook, "remove/")).status_code == 302
    assert not Subscription.objects.exists()


# One webhook ----------------------------------------------------------------------------------


def test_it_pauses_and_goes_on(as_keeper: Client) -> None:
    webhook = outbox.webhook()
    as_keeper.post(address_of(webhook, "switch/"), {"state": "pause"})
    seen = text_of(as_keeper, address_of(webhook))
    assert "It is paused since" in seen
    assert "Paused by kim." in seen
    outbox.delivery(webhook, Delivery.State.HELD)
    assert "Go on, and send the 1 held one" in text_of(as_keeper, address_of(webhook))
    as_keeper.post(address_of(webhook, "switch/"), {"state": "resume"})
    assert Delivery.objects.get().state == "waiting"
    assert Subscription.objects.get().state == "active"


def test_it_goes_on_without_what_is_held(as_keeper: Client) -> None:
    webhook = outbox.webhook(state="stopped", state_reason="The receiver answered 410.")
    outbox.delivery(webhook, Delivery.State.HELD)
    seen = text_of(as_keeper, address_of(webhook))
    assert "Portolan stopped it" in seen
    assert "The receiver answered 410." in seen
    as_keeper.post(address_of(webhook, "switch/"), {"state": "resume-without"})
    assert Delivery.objects.get().state == "given up"


def test_an_unknown_state_switches_nothing(as_keeper: Client) -> None:
    webhook = outbox.webhook()
    as_keeper.post(address_of(webhook, "switch/"), {"state": "stopped"})
    assert Subscription.objects.get().state == "active"


def test_the_log_tells_the_last_answer(as_keeper: Client) -> None:
    webhook = outbox.webhook()
    outbox.attempt(outbox.delivery(webhook), 200)
    failed = outbox.delivery(webhook, Delivery.State.WAITING, tries=2)
    outbox.attempt(failed, 503)
    outbox.attempt(failed, None, error="The connection was refused.")
    seen = text_of(as_keeper, address_of(webhook))
    assert "The connection was refused." in seen
    assert "503" not in seen
    assert "to be tried again" in seen
    assert "2 of 2 deliveries" in seen


@pytest.mark.parametrize(
    ("query", "number"),
    [
        ("", 3),
        ("state=delivered", 2),
        ("topic=push", 1),
        ("repository=team-a/o", 1),
        ("until=2020-01-01", 0),
        ("since=2020-01-01", 3),
        ("state=nonsense", 3),
    ],
)
def test_the_log_is_filtered(as_keeper: Client, query: str, number: int) -> None:
    webhook = outbox.webhook()
    outbox.delivery(webhook, of=outbox.event(Topic.PUSH))
    outbox.delivery(webhook, of=outbox.event(repository="team-a/other"))
    outbox.delivery(webhook, Delivery.State.HELD)
    page = as_keeper.get(f"{address_of(webhook)}?{query}")
    assert len(page.context["rows"]) == number


def test_a_log_shows_what_one_may_know_of_now(as_keeper: Client, as_owner: Client) -> None:
    """It was wider, and told of access, before somebody narrowed it."""
    webhook = outbox.webhook()
    mine = outbox.delivery(webhook)
    foreign = [
        outbox.delivery(webhook, of=outbox.event(repository="team-b/app")),
        outbox.delivery(webhook, of=outbox.event(repository="team-a")),
        outbox.delivery(webhook, of=outbox.event(registry="elsewhere")),
        outbox.delivery(webhook, of=outbox.event(Topic.ACCESS_GRANTED)),
        outbox.delivery(webhook, of=outbox.event(Topic.SYNC_FAILED, "")),
    ]
    page = as_keeper.get(address_of(webhook))
    assert [delivery.pk for delivery, _ in page.context["rows"]] == [mine.pk]
    for delivery in foreign:
        rest = f"deliveries/{delivery.pk}/"
        assert as_keeper.get(address_of(webhook, rest)).status_code == 404
        assert as_owner.get(address_of(webhook, rest)).status_code == 200


def test_a_delivery_of_another_webhook_is_not_found_here(as_owner: Client) -> None:
    one, other = outbox.webhook(), outbox.webhook(name="Other")
    delivery = outbox.delivery(other)
    assert as_owner.get(address_of(one, f"deliveries/{delivery.pk}/")).status_code == 404


def test_a_delivery_shows_every_attempt_with_what_was_sent_and_came_back(as_keeper: Client) -> None:
    webhook = outbox.webhook()
    delivery = outbox.delivery(webhook, Delivery.State.GIVEN_UP, reason="It failed for a day.")
    outbox.attempt(delivery, None, error="The connection was refused.")
    outbox.attempt(delivery, 500, response_cut=True)
    response = as_keeper.get(address_of(webhook, f"deliveries/{delivery.pk}/"))
    page = response.content.decode()
    assert [shown.number for shown in response.context["attempts"]] == [2, 1]
    assert "&lt;b&gt;thanks" in page
    assert "<b>thanks" not in page
    seen = words(page)
    for said in (
        "It failed for a day.",
        "The connection was refused.",
        "198.35.26.96",
        "it was cut",
    ):
        assert said in seen
    assert '  "type": "tag.moved"' in response.context["attempts"][0].request_body
    assert "•••" in seen


@pytest.mark.parametrize("address", ["10.1.2.3", "127.0.0.1", "fd00::7", "::ffff:192.168.0.1"])
def test_what_a_private_network_answered_is_for_who_manages_webhooks_everywhere(
    as_keeper: Client, as_owner: Client, address: str
) -> None:
    webhook = outbox.webhook()
    delivery = outbox.delivery(webhook)
    outbox.attempt(delivery, 200, address=address, response_headers={"Server": "vault"})
    page = address_of(webhook, f"deliveries/{delivery.pk}/")
    kept, shown = text_of(as_keeper, page), text_of(as_owner, page)
    for what in (address, "vault", "thanks"):
        assert what not in kept
        assert what in shown
    assert "is of a private network" in kept
    assert "is of a private network" not in shown


def test_a_body_that_is_no_json_is_shown_as_it_came(as_keeper: Client) -> None:
    webhook = outbox.webhook()
    delivery = outbox.delivery(webhook)
    Attempt.objects.create(delivery=delivery, seconds=1, request_body="[" * 9000, status=200)
    response = as_keeper.get(address_of(webhook, f"deliveries/{delivery.pk}/"))
    assert response.context["attempts"][0].request_body == "[" * 9000


# Ping, and sending again ----------------------------------------------------------------------


@pytest.fixture(autouse=True)
def woken(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody delivers meanwhile."""
    monkeypatch.setattr("webhooks.wake.after_commit", lambda _task: None)


def test_a_ping_leads_to_what_comes_of_it(as_keeper: Client) -> None:
    webhook = outbox.webhook()
    response = as_keeper.post(address_of(webhook, "ping/"), follow=True)
    sent = Delivery.objects.get()
    assert sent.event.topic == "ping"
    result = address_of(webhook, f"deliveries/{sent.pk}/result/")
    assert f'hx-get="{result}"' in response.content.decode()
    assert "on its way" in words(response.content.decode())
    outbox.attempt(sent, 404, error="The receiver answered 404.")
    answer = as_keeper.get(result).content.decode()
    assert "answered the ping with 404" in words(answer)
    assert "hx-get" not in answer
    outbox.attempt(sent, 204)
    assert "answered 204" in text_of(as_keeper, f"{address_of(webhook)}?ping={sent.pk}")


def test_an_address_cannot_have_another_delivery_shown_as_a_ping(as_keeper: Client) -> None:
    webhook, other = outbox.webhook(), outbox.webhook("elsewhere", name="Other")
    foreign = outbox.delivery(other, of=outbox.event(Topic.PING, ""))
    for number in (foreign.pk, outbox.delivery(webhook).pk, "x", 10**30):
        seen = text_of(as_keeper, f"{address_of(webhook)}?ping={number}")
        assert "on its way" not in seen


def test_one_delivery_is_sent_again(as_keeper: Client) -> None:
    webhook = outbox.webhook()
    delivery = outbox.delivery(webhook, Delivery.State.GIVEN_UP, tries=9)
    as_keeper.post(address_of(webhook, f"deliveries/{delivery.pk}/again/"))
    delivery.refresh_from_db()
    assert (delivery.state, delivery.tries) == ("waiting", 0)


def test_all_that_failed_since_a_time_is_sent_again_as_far_as_one_may_read_it(
    as_keeper: Client,
) -> None:
    webhook, now = outbox.webhook(), timezone.now()
    failed = Delivery.State.GIVEN_UP
    again = outbox.delivery(webhook, failed, at=now - timedelta(hours=1))
    others = [
        outbox.delivery(webhook, failed, at=now - timedelta(hours=3)),
        outbox.delivery(webhook, at=now - timedelta(hours=1)),
        outbox.delivery(webhook, failed, of=outbox.event(repository="team-b/app")),
    ]
    since = (now - timedelta(hours=2)).strftime("%Y-%m-%dT%H:%M")
    response = as_keeper.post(address_of(webhook, "again/"), {"since": since}, follow=True)
    assert "1 message is sent again." in words(response.content.decode())
    waiting = Delivery.objects.filter(state="waiting")
    assert [delivery.pk for delivery in waiting] == [again.pk]
    assert Delivery.objects.filter(pk__in=[other.pk for other in others]).count() == 3


@pytest.mark.parametrize("since", ["", "yesterday", "2999-01-01T00:00"])
def test_without_a_past_time_nothing_is_sent_again(as_keeper: Client, since: str) -> None:
    webhook = outbox.webhook()
    outbox.delivery(webhook, Delivery.State.GIVEN_UP)
    response = as_keeper.post(address_of(webhook, "again/"), {"since": since}, follow=True)
    assert "Say since when" in words(response.content.decode())
    assert Delivery.objects.get().state == "given up"


# The preview ----------------------------------------------------------------------------------

ASKED = {"scope": "harbour/team-a/*", "topics": ["tag.moved", "push"], "form": "structured"}


def preview(client: Client, **change: object) -> str:
    return text_of(client, f"/webhooks/preview/?{urlencode(ASKED | change, doseq=True)}")


def test_a_preview_shows_the_last_event_that_one_may_read_there(as_keeper: Client) -> None:
    older = outbox.event(tag="0.9")
    outbox.event(tag="1.0")
    outbox.event(Topic.PULL, tag="pulled")
    outbox.event(repository="team-b/app", tag="foreign")
    seen = preview(as_keeper)
    assert '"tag": "1.0"' in seen
    assert "made up" not in seen
    assert "0.9" in seen
    assert not any(tag in seen for tag in ("pulled", "foreign"))
    assert '"tag": "0.9"' in preview(as_keeper, event=older.pk)
    assert '"tag": "0.9"' in preview(as_keeper, scope="harbour/team-a/app:0.*")


def test_a_preview_says_that_its_event_is_made_up(as_keeper: Client) -> None:
    seen = preview(as_keeper)
    assert "made up" in seen
    assert '"repository": "team-a/example"' in seen


@pytest.mark.parametrize("form", Subscription.Form.values)
def test_a_preview_has_the_chosen_form(as_keeper: Client, form: str) -> None:
    outbox.event(tag="1.0")
    mark = {
        "structured": '"specversion"',
        "binary": "ce-id",
        "acr": '"action": "push"',
        "slack": '"blocks"',
        "teams": "AdaptiveCard",
    }[form]
    assert mark in preview(as_keeper, form=form, topics=["push"])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"scope": "harbour"}, "You do not manage webhooks on all of this."),
        ({"scope": ""}, "Say where it happens."),
        ({"scope": "No!"}, "is not a scope"),
        ({"topics": []}, "Choose what is sent"),
        ({"form": "xml"}, "Choose what is sent"),
        ({"event": "x"}, "made up"),
    ],
)
def test_a_preview_that_cannot_be_made_says_why(
    as_keeper: Client, change: dict[str, object], said: str
) -> None:
    assert said in preview(as_keeper, **change)


def test_without_a_script_the_button_shows_it_and_saves_nothing(as_keeper: Client) -> None:
    response = as_keeper.post("/webhooks/new/", FIELDS | {"do": "preview"})
    assert response.status_code == 200
    assert '"specversion"' in words(response.content.decode())
    assert not Subscription.objects.exists()
    webhook = outbox.webhook()
    as_keeper.post(address_of(webhook, "change/"), FIELDS | {"name": "Else", "do": "preview"})
    assert Subscription.objects.get().name == "Deploy"
