"""`portolan login` with a real browser: a click there, and the command has its token."""

from __future__ import annotations

import threading
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from playwright.sync_api import expect
from pytest_django.live_server_helper import LiveServer

from access.models import Secret, User
from portolan.browser import token_from_browser
from tests.browser.judging import AXE, look_at
from tests.browser.test_manage_screens import CHROMIUM, browsing
from tests.cast import PASSWORD
from tests.reassured import reassured

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium here"),
    pytest.mark.skipif(not AXE.exists(), reason="the front-end packages are not installed"),
]


def test_a_click_hands_a_token_to_the_command(live_server: LiveServer) -> None:
    anna = User.objects.create_superuser("anna", "anna@example.com", PASSWORD)
    session = reassured(anna).cookies[settings.SESSION_COOKIE_NAME].value
    said: list[str] = []
    asked = threading.Event()
    tokens: list[str] = []

    def opened(page: str, words: str) -> None:
        said.extend((page, words))
        asked.set()

    def command() -> None:
        tokens.append(token_from_browser(live_server.url, ca_file="", opened=opened))

    running = threading.Thread(target=command, daemon=True)
    running.start()
    assert asked.wait(10)
    address, words = said
    with browsing(live_server, session) as context:
        page = context.new_page()
        complaints: list[str] = []
        page.on("console", lambda message: complaints.append(message.text))
        page.goto(address.removeprefix(live_server.url))
        expect(page.get_by_text(words)).to_be_visible()
        assert look_at(page) == []
        page.get_by_role("button", name="Sign in there").click()
        # By itself, and past the page's own policy, to the command.
        page.wait_for_url("http://127.0.0.1:*/**")
        expect(page.get_by_text("You can close this page")).to_be_visible()
        assert urlsplit(page.url).port != urlsplit(live_server.url).port
        assert not [one for one in complaints if "Security Policy" in one]
    running.join(10)
    assert tokens
    assert tokens[0] not in page.url
    assert Secret.objects.get().label.startswith("portolan on ")
