"""The managing screens in a real browser: with and without scripts, by keyboard, for everybody.

Playwright keeps an event loop in its thread, in which Django's ORM refuses to work: each test does
what it needs of the database before its browser opens, or after it has closed.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.conf import settings
from django.db import connections
from django.test import Client
from playwright.sync_api import BrowserContext, ConsoleMessage, Page, expect
from pytest_django.live_server_helper import LiveServer

from access.models import User
from registries.models import Registry, SyncProblem, SyncRun
from registries.tasks import sync_registry
from tests import catalog
from tests.browser import chromium
from tests.browser.judging import AXE, DESKTOP, faults_of, look_at
from tests.fakes import content
from tests.fakes.registry import FakeRegistry

CHROMIUM = chromium.PROGRAM

PASSWORD = "a passphrase of some length"

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium here"),
    pytest.mark.skipif(not AXE.exists(), reason="the front-end packages are not installed"),
]


@pytest.fixture
def owner(db: None) -> User:
    return User.objects.create_superuser("anna", "anna@example.com", PASSWORD)


@pytest.fixture
def session(owner: User) -> str:
    client = Client()
    client.force_login(owner)
    return client.cookies[settings.SESSION_COOKIE_NAME].value


@pytest.fixture
def workers(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Tasks are carried out by a thread of this process, as a worker would."""
    threads: list[threading.Thread] = []

    def carry_out(pk: int) -> None:
        try:
            sync_registry(pk)
        finally:
            connections.close_all()

    def hand_over(pk: int) -> None:
        threads.append(threading.Thread(target=carry_out, args=(pk,)))
        threads[-1].start()

    monkeypatch.setattr("registries.tasks.sync_registry.delay", hand_over)
    yield
    for thread in threads:
        thread.join(timeout=30)


@contextmanager
def browsing(server: LiveServer, session: str = "", **options: Any) -> Iterator[BrowserContext]:
    """A browser with addresses relative to the product, signed in if there is a session."""
    with chromium.lent() as browser:
        context = browser.new_context(base_url=server.url, **({"viewport": DESKTOP} | options))
        try:
            if session:
                cookie = {"name": settings.SESSION_COOKIE_NAME, "value": session, "url": server.url}
                context.add_cookies([cookie])  # type: ignore[list-item]  # a plain dict is one
            yield context
        finally:
            context.close()


def fill_in(page: Page, fake: FakeRegistry) -> None:
    page.goto("/registries/connect/")
    page.get_by_label("Name", exact=True).fill("harbour")
    page.get_by_label("Address", exact=True).fill(fake.url)
    page.get_by_label("Allow private addresses").check()


def test_a_registry_is_tried_out_connected_and_watched_to_its_end(
    live_server: LiveServer, session: str, workers: None
) -> None:
    with FakeRegistry() as fake, browsing(live_server, session) as context:
        fake.push("team-a/api", content.image(), "1.0", "latest")
        page = context.new_page()
        complaints: list[str] = []

        def hear(said: ConsoleMessage) -> None:
            # Chromium's advice to who builds forms, as for more passwords than one; of a level that
            # Playwright does not list.
            if str(said.type) != "verbose":
                complaints.append(said.text)

        page.on("console", hear)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        fill_in(page, fake)
        page.get_by_label("Name", exact=True).fill("No Slug")
        page.get_by_role("button", name="Test connection").click()
        expect(page.locator("#check")).to_contain_text("Use lower-case letters")
        page.get_by_label("Name", exact=True).fill("harbour")
        page.get_by_role("button", name="Test connection").click()
        expect(page.locator("#check")).to_contain_text("This connection works.")
        assert page.get_by_label("Address", exact=True).input_value() == fake.url
        page.get_by_role("button", name="Connect", exact=True).click()
        page.wait_for_url(re.compile("/registries/harbour/runs/"))
        expect(page.locator("#state")).to_contain_text("succeeded", timeout=20_000)
        expect(page.locator("#run-poll")).to_have_count(0)
        page.goto("/")
        expect(page.get_by_role("link", name="harbour")).to_be_visible()
        assert complaints == []
    assert Registry.objects.get().tag_count == 2


def test_all_of_it_works_without_scripts(
    live_server: LiveServer, session: str, workers: None
) -> None:
    with (
        FakeRegistry() as fake,
        browsing(live_server, session, java_script_enabled=False) as context,
    ):
        fake.push("team-a/api", content.image(), "1.0")
        page = context.new_page()
        fill_in(page, fake)
        page.get_by_role("button", name="Test connection").click()
        expect(page.locator("#check")).to_contain_text("This connection works.")
        assert page.get_by_label("Name", exact=True).input_value() == "harbour"
        page.get_by_role("button", name="Connect", exact=True).click()
        for _ in range(20):
            if "succeeded" in page.locator("#state").inner_text():
                break
            page.wait_for_timeout(250)
            page.reload()
        expect(page.locator("#state")).to_contain_text("succeeded")
        page.goto("/registries/harbour/remove/")
        page.get_by_label("Type harbour to confirm").fill("harbour")
        page.get_by_role("button", name="Remove it").click()
        expect(page.locator(".banner-ok")).to_contain_text("harbour was removed")
    assert not Registry.objects.exists()


def test_signing_in_takes_nothing_but_a_keyboard(live_server: LiveServer, owner: User) -> None:
    with browsing(live_server) as context:
        page = context.new_page()
        page.goto("/registries/")
        page.get_by_label("User name or e-mail address").focus()
        page.keyboard.type("anna")
        page.keyboard.press("Tab")
        page.keyboard.type(PASSWORD)
        page.keyboard.press("Enter")
        page.wait_for_url("**/registries/")
        expect(page.get_by_role("link", name="Connect a registry")).to_be_visible()


def fill_catalog() -> None:
    registry = catalog.registry(health=Registry.Health.DEGRADED, health_detail="Some failed.")
    run = SyncRun.objects.create(
        registry=registry,
        trigger=SyncRun.Trigger.SCHEDULE,
        state=SyncRun.State.PARTIAL,
        started_at=catalog.NOON,
        finished_at=catalog.NOON,
        summary="Some could not be read.",
        actor_kind="system",
        actor_label="Portolan",
    )
    SyncProblem.objects.create(
        run=run, repository="team-a/api", code="server-failed", message="No.", advice="Look."
    )


def test_the_screens_are_fit_for_everybody(live_server: LiveServer, session: str) -> None:
    fill_catalog()
    run = SyncRun.objects.get()
    own = ["/", "/registries/", "/registries/connect/", "/registries/harbour/edit/"]
    own += ["/registries/harbour/remove/", "/registries/harbour/runs/"]
    own += [f"/registries/harbour/runs/{run.pk}/", "/accounts/password/change/"]
    open_to_all = ["/accounts/login/", "/accounts/password/reset/"]
    for paths, cookie in ((own, session), (open_to_all, "")):
        with browsing(live_server, cookie) as context:
            page = context.new_page()
            assert faults_of(page, paths) == {}
            for path in ("/nothing/here", "/accounts/signup/", "/first-run/x/y/"):
                page.goto(path)  # what does not work must be fit, too
                assert look_at(page) == [], path
