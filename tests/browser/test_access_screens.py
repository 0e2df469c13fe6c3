"""Granting in a real browser: an owner gives a role, and the person sees the repository."""

from __future__ import annotations

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import expect
from pytest_django.live_server_helper import LiveServer

from access.models import AccessReview, Grant, User
from access.scopes import Scope
from tests import catalog
from tests.browser.judging import AXE, faults_of
from tests.browser.test_manage_screens import CHROMIUM, browsing
from tests.cast import give

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium here"),
    pytest.mark.skipif(not AXE.exists(), reason="the front-end packages are not installed"),
]


def session_of(user: User) -> str:
    client = Client()
    client.force_login(user)
    return client.cookies[settings.SESSION_COOKIE_NAME].value


@pytest.fixture
def otto(db: None) -> User:
    return User.objects.create_user("otto")


@pytest.fixture
def anna(db: None) -> User:
    registry = catalog.registry("harbour")
    app = catalog.repository(registry, "team-a/app")
    catalog.tag(app, "1.0", catalog.image(app))
    catalog.recount(registry)
    return User.objects.create_superuser("anna")


@pytest.mark.parametrize("script", [True, False], ids=["with scripts", "without"])
def test_an_owner_grants_a_pattern_and_the_person_sees_the_repository(
    live_server: LiveServer, anna: User, otto: User, script: bool
) -> None:
    owners, ottos = session_of(anna), session_of(otto)
    with browsing(live_server, ottos, java_script_enabled=script) as context:
        page = context.new_page()
        found = page.goto("/r/harbour/team-a/app")
        assert found is not None
        assert found.status == 404
    with browsing(live_server, owners, java_script_enabled=script) as context:
        page = context.new_page()
        page.goto("/access/")
        page.get_by_role("link", name="Grants Who was given").click()
        page.get_by_role("link", name="Grant a role").first.click()
        page.get_by_label("To whom").fill("user:otto")
        page.get_by_label("Role").select_option("reader")
        where = page.get_by_label("Where")
        if script:
            where.press_sequentially("harbour/te")
            offered = page.locator('#scope-suggestions option[value="harbour/team-a/*"]')
            expect(offered).to_have_count(1)
        where.fill("harbour/team-a/*")
        page.get_by_role("button", name="Grant", exact=True).click()
        expect(page.get_by_role("heading", name="otto")).to_be_visible()
        expect(page.get_by_text("1 grant was made.")).to_be_visible()
    with browsing(live_server, ottos, java_script_enabled=script) as context:
        page = context.new_page()
        page.goto("/r/harbour/team-a/app")
        expect(page.get_by_role("link", name="1.0").first).to_be_visible()
        page.goto("/access/mine/")
        expect(page.get_by_text("harbour/team-a/*")).to_be_visible()
    assert Grant.objects.get(user=otto).granted_by == "anna"


def test_the_list_of_grants_breaks_no_word_beside_a_long_reason(
    live_server: LiveServer, anna: User
) -> None:
    long = User.objects.create_user("viktor-with-a-rather-long-user-name")
    give(long, "pusher", Scope("harbour", "team-a/*"))
    Grant.objects.update(reason="They run it, and have for years; see what was agreed then. " * 3)
    with browsing(live_server, session_of(anna)) as context:
        page = context.new_page()
        page.set_viewport_size({"width": 1440, "height": 900})
        page.goto("/access/grants/")
        row = page.get_by_role("row").filter(has_text="Pusher")
        for text in ("Pusher", "no end", "harbour/team-a/*"):
            # A box for each line that an inline element takes.
            lines = row.get_by_text(text, exact=True).evaluate("it => it.getClientRects().length")
            assert lines == 1, text


def pages(grant: Grant, review: AccessReview) -> list[str]:
    scope = "harbour/team-a/app"
    return [
        "/access/",
        "/access/mine/",
        "/access/roles/",
        "/access/roles/pusher/",
        "/access/roles/new/",
        "/access/grants/",
        "/access/grants/new/",
        f"/access/grants/revoke/?grant={grant.pk}",
        "/access/of/user:otto/",
        f"/access/who/?scope={scope}",
        f"/access/check/?who=user:otto&action=content+write&scope={scope}",
        f"/access/check/?who=user:otto&action=content+read&scope={scope}",
        "/access/requests/",
        f"/access/requests/new/?scope={scope}&action=content+read",
        "/access/reviews/",
        "/access/reviews/new/",
        f"/access/reviews/{review.pk}/",
        "/access/unused/",
    ]


def test_the_screens_are_fit_for_everybody(live_server: LiveServer, anna: User, otto: User) -> None:
    grant = give(otto, "reader", Scope("harbour", "team-a/*"))
    review = AccessReview.objects.create(opened_by="anna", due="2099-01-01")
    review.items.create(grant=grant, principal="user:otto", role="reader", scope="harbour")
    with browsing(live_server, session_of(anna)) as context:
        assert faults_of(context.new_page(), pages(grant, review)) == {}
