"""Webhooks in a real browser: made with a live preview, pinged, paused; and what one follows."""

from __future__ import annotations

import re

import pytest
from django.db import transaction
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from access.models import User
from registries.models import Registry
from tests import catalog
from tests.browser.judging import AXE, faults_of
from tests.browser.test_manage_screens import CHROMIUM, browsing
from tests.browser.test_secret_screens import session_of
from tests.cast import PASSWORD
from tests.webhooks import outbox
from webhooks.models import Delivery, Follow, Subscription

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium here"),
    pytest.mark.skipif(not AXE.exists(), reason="the front-end packages are not installed"),
]


@pytest.fixture
def harbour(db: None) -> Registry:
    registry = catalog.registry("harbour")
    app = catalog.repository(registry, "team-a/app")
    catalog.tag(app, "1.0", catalog.image(app))
    catalog.recount(registry)
    return registry


@pytest.fixture
def anna(harbour: Registry) -> User:
    return User.objects.create_superuser("anna", "anna@example.com", PASSWORD)


@pytest.fixture(autouse=True)
def receiver(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is sent is answered at once, as a worker would enter it."""

    def answer() -> None:
        for delivery in Delivery.objects.filter(state="waiting"):
            outbox.attempt(delivery, 202)
        Delivery.objects.filter(state="waiting").update(state="delivered", tries=1)

    monkeypatch.setattr("webhooks.wake.after_commit", lambda _task: transaction.on_commit(answer))


def make(page: Page) -> None:
    page.goto("/webhooks/new/?scope=harbour/team-a/*")
    page.get_by_label("Name", exact=True).fill("Deploys")
    page.get_by_label("Address", exact=True).fill("https://ci.example.com/hook/s3cret")


def test_one_is_made_with_a_live_preview_pinged_and_paused(
    live_server: LiveServer, anna: User
) -> None:
    outbox.event(tag="1.0")
    session = session_of(anna)
    with browsing(live_server, session) as context:
        page = context.new_page()
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        make(page)
        shown = page.locator("#preview")
        expect(shown).to_contain_text("made up")
        page.get_by_label(re.compile("^tag moved")).check()
        expect(shown).to_contain_text('"tag": "1.0"')
        page.get_by_label("Payload").select_option("slack")
        expect(shown).to_contain_text('"blocks"')
        assert not any("s3cret" in url for url in asked), "the address stands in no address"
        page.get_by_role("button", name="Create").click()
        expect(page.locator("#secret")).to_contain_text("whsec_")
        page.get_by_role("link", name="I have it").click()
        page.get_by_role("button", name="Ping").click()
        expect(page.locator("#ping")).to_contain_text("the receiver answered 202")
        page.get_by_role("button", name="Pause").click()
        expect(page.get_by_text("It is paused since")).to_be_visible()
        page.get_by_role("button", name="Go on").click()
        expect(page.get_by_text("The webhook sends again.")).to_be_visible()
        page.get_by_label("Topic").select_option("push")
        expect(page.locator("#results")).to_contain_text("No delivery passes the filter")
        assert "topic=push" in page.url
    assert Subscription.objects.get().form == "slack"


def test_all_of_it_works_without_scripts(live_server: LiveServer, anna: User) -> None:
    with browsing(live_server, session_of(anna), java_script_enabled=False) as context:
        page = context.new_page()
        make(page)
        page.get_by_role("button", name="Preview").click()
        expect(page.locator("#preview")).to_contain_text('"specversion"')
        assert page.get_by_label("Name", exact=True).input_value() == "Deploys"
        page.get_by_role("button", name="Create").click()
        page.get_by_role("link", name="I have it").click()
        page.get_by_role("button", name="Ping").click()
        expect(page.locator("#ping")).to_contain_text("the receiver answered 202")
        page.goto("/r/harbour/team-a/app")
        page.get_by_role("button", name="Follow").click()
        page.get_by_role("link", name="Following").click()
        page.get_by_role("button", name="Make its address").click()
        expect(page.locator("#secret")).to_contain_text("/feeds/")
    assert Follow.objects.get().path == "team-a/app"


def test_every_page_is_fit_for_everybody(
    live_server: LiveServer, anna: User, harbour: Registry
) -> None:
    webhook = outbox.webhook(failing_since=catalog.NOON)
    stopped = outbox.webhook(name="Chat", state="stopped", state_reason="The receiver is gone.")
    delivery = outbox.delivery(webhook, Delivery.State.GIVEN_UP, reason="It failed for a day.")
    outbox.attempt(delivery, None)
    outbox.attempt(delivery, 500, response_cut=True)
    Follow.objects.create(user=anna, registry=harbour, path="team-a/*")
    pages = [
        "/webhooks/",
        "/webhooks/new/?scope=harbour",
        f"/webhooks/{webhook.pk}/",
        f"/webhooks/{stopped.pk}/",
        f"/webhooks/{webhook.pk}/change/",
        f"/webhooks/{webhook.pk}/secret/",
        f"/webhooks/{webhook.pk}/remove/",
        f"/webhooks/{webhook.pk}/deliveries/{delivery.pk}/",
        "/profile/following/",
    ]
    with browsing(
        live_server, session_of(anna), has_touch=True, reduced_motion="reduce"
    ) as context:
        assert faults_of(context.new_page(), pages) == {}
