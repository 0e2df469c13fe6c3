"""A real Chromium in front of the sample harbour.

The catalog is filled once for all tests here and only read: none of them changes anything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, cast

import pytest
from django.core.management import call_command
from django.db import transaction
from django.test import Client
from playwright.sync_api import BrowserContext, Page
from pytest_django.live_server_helper import LiveServer
from pytest_django.plugin import DjangoDbBlocker

from access.models import User
from tests import sample
from tests.browser import chromium
from tests.browser.judging import ROOT

OpenContext = Callable[..., BrowserContext]


@dataclass(frozen=True)
class Harbour:
    """Where the sample catalog is served, and the cookies with which ada is signed in."""

    url: str
    cookies: list[dict[str, str]]


@pytest.fixture(scope="package")
def db(django_db_setup: None) -> None:
    """The test database, made and left alone.

    pytest-django makes it only where some test has a fixture of this name, or the mark; its own
    would roll back after each test what the harbour keeps for all of them.
    """


@pytest.fixture(scope="package")
def harbour(db: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Harbour]:
    """A server with the sample catalog, and ada, who owns everything."""
    with django_db_blocker.unblock():
        # In one transaction: thousands of rows, each kept by itself, are a wait for the disk each.
        with transaction.atomic():
            sample.fill()
            client = Client()
            client.force_login(User.objects.create_superuser("ada", "ada@example.com", "x" * 20))
        server = LiveServer("127.0.0.1")
        cookies = [
            {"name": name, "value": morsel.value, "url": server.url}
            for name, morsel in client.cookies.items()
        ]
        try:
            yield Harbour(server.url, cookies)
        finally:
            server.stop()
            call_command("flush", verbosity=0, interactive=False)


@pytest.fixture
def open_context(harbour: Harbour) -> Iterator[OpenContext]:
    """Opens a browser in which ada is signed in; takes what Playwright's new_context takes."""
    if chromium.PROGRAM is None:
        pytest.skip("chromium is not installed")
    if not (ROOT / "static/dist/portolan.js").exists():
        pytest.skip("the assets are not built: npm run build")
    with chromium.lent() as browser:
        opened: list[BrowserContext] = []

        def open_one(**options: Any) -> BrowserContext:
            context = browser.new_context(base_url=harbour.url, **options)
            context.add_cookies(cast("Any", harbour.cookies))
            context.set_default_timeout(10_000)
            opened.append(context)
            return context

        yield open_one
        for context in opened:
            context.close()


@pytest.fixture
def page(open_context: OpenContext) -> Iterator[Page]:
    """A page in an ordinary window; whatever the browser complains about fails the test."""
    page = open_context(viewport={"width": 1280, "height": 860}).new_page()
    complaints: list[str] = []
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield page
    assert not complaints
