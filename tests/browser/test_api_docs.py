"""The page of the REST API in a real browser: read, tried out, without a barrier and within the policy."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from access.models import User
from tests import catalog
from tests.browser.judging import AXE, look_at
from tests.browser.test_manage_screens import CHROMIUM, browsing
from tests.browser.test_secret_screens import session_of
from tests.cast import PASSWORD

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium here"),
    pytest.mark.skipif(not AXE.exists(), reason="the front-end packages are not installed"),
]


# It has a link inside the button that opens an operation; both do the same.
OF_SWAGGER_UI = "nested-interactive: <button aria-expanded"


def opened(page: Page) -> None:
    page.goto("/api/v1/docs/")
    page.get_by_text("sync runs", exact=True).click()
    page.get_by_text("Start a sync", exact=True).click()
    expect(page.get_by_role("button", name="Try it out")).to_be_visible()


def test_an_operation_is_read_and_tried_out_with_one_s_own_rights(live_server: LiveServer) -> None:
    catalog.registry("harbour")
    anna = User.objects.create_superuser("anna", "anna@example.com", PASSWORD)
    with browsing(live_server, session_of(anna)) as context:
        page = context.new_page()
        opened(page)
        assert [fault for fault in look_at(page) if not fault.startswith(OF_SWAGGER_UI)] == []
        page.get_by_role("button", name="Try it out").click()
        page.get_by_placeholder("registry").fill("nowhere")
        page.get_by_role("button", name="Execute").click()
        expect(page.get_by_text("There is no registry of this name.").first).to_be_visible()
