"""Trust rules in a real browser: made, looked at in every light and size, and a token tried."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from access.models import ServicePrincipal, TrustRule, User
from access.tokens.issuers import STORE
from tests.browser.judging import AXE, faults_of, look_at
from tests.browser.test_access_screens import session_of
from tests.browser.test_manage_screens import CHROMIUM, browsing
from tests.fakes.oidc_issuer import AUDIENCE, OidcIssuer, serving

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium here"),
    pytest.mark.skipif(not AXE.exists(), reason="the front-end packages are not installed"),
]
RULES = "/access/trust-rules/"


@pytest.fixture
def issuer() -> Iterator[OidcIssuer]:
    with serving() as running:
        yield running
    STORE.forget()


@pytest.fixture
def anna(db: None) -> User:
    ServicePrincipal.objects.create(name="ci")
    return User.objects.create_superuser("anna")


def rule_of(issuer: OidcIssuer) -> TrustRule:
    return TrustRule.objects.create(
        name="local",
        service_principal=ServicePrincipal.objects.get(),
        issuer=issuer.url,
        audience=AUDIENCE,
        subject="repo:acme/shop:*",
        allow_private=True,
    )


def try_token(page: Page, token: str) -> None:
    page.goto(f"{RULES}-/try/")
    page.get_by_label("Token").fill(token)
    page.get_by_role("button", name="Try it").click()


@pytest.mark.parametrize("script", [True, False], ids=["with scripts", "without"])
def test_an_owner_makes_a_rule_and_finds_what_to_paste(
    live_server: LiveServer, anna: User, script: bool
) -> None:
    with browsing(live_server, session_of(anna), java_script_enabled=script) as context:
        page = context.new_page()
        page.goto("/access/machines/ci/")
        page.get_by_role("link", name="Trust a CI system").click()
        page.get_by_role("link", name="GitLab CI").click()
        page.get_by_label("Name", exact=True).fill("shop")
        expect(page.get_by_label("Machine", exact=True)).to_have_value("ci")
        page.get_by_role("button", name="Create").click()
        expect(page.get_by_text("Say whose projects, in full")).to_be_visible()
        page.get_by_label("Subject", exact=True).fill("project_path:acme/shop:*")
        page.get_by_role("button", name="Create").click()
        expect(page.get_by_text("can be exchanged now")).to_be_visible()
        expect(page.get_by_label(".gitlab-ci.yml")).to_contain_text("id_tokens:")
    assert TrustRule.objects.get().issuer == "https://gitlab.com"


def test_a_token_is_tried(live_server: LiveServer, anna: User, issuer: OidcIssuer) -> None:
    rule_of(issuer)
    with browsing(live_server, session_of(anna)) as context:
        page = context.new_page()
        try_token(page, issuer.github())
        expect(page.get_by_role("heading", name="Yes: local takes it, for ci")).to_be_visible()
        try_token(page, issuer.github(aud="x"))
        expect(page.get_by_role("heading", name="No: another audience")).to_be_visible()


def test_the_screens_are_fit_for_everybody(
    live_server: LiveServer, anna: User, issuer: OidcIssuer
) -> None:
    rule_of(issuer)
    places = ("", "-/new/", "-/new/?kind=other", "local/", "local/change/", "local/remove/")
    with browsing(live_server, session_of(anna)) as context:
        page = context.new_page()
        assert faults_of(page, [RULES + place for place in places]) == {}
        try_token(page, issuer.github())
        expect(page.get_by_role("heading", name="Yes:")).to_be_visible()
        assert look_at(page) == []
