"""Signing in by every way in a real browser, under the policy that the product sends."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal import auth
from allauth.usersessions.models import UserSession
from django.test import Client
from playwright.sync_api import ConsoleMessage, Page, expect
from pytest_django.fixtures import Settings
from pytest_django.live_server_helper import LiveServer

from access.models import AuditEntry, ClaimRule, Grant, Membership, Role, Team, User
from dashboard import invitations
from tests import catalog
from tests.browser.judging import AXE, faults_of
from tests.browser.test_access_screens import session_of
from tests.browser.test_manage_screens import CHROMIUM, browsing
from tests.cast import PASSWORD
from tests.fakes.oidc_provider import ID, oidc_provider

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium here"),
    pytest.mark.skipif(not AXE.exists(), reason="the front-end packages are not installed"),
]
KEY = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


@pytest.fixture
def anna(db: None) -> User:
    return User.objects.create_superuser("anna", "anna@example.com", PASSWORD)


@contextmanager
def browser(server: LiveServer) -> Iterator[Page]:
    """A page of which whatever the browser complains about fails the test."""
    with browsing(server) as context:
        page = context.new_page()
        complaints: list[str] = []

        def hear(said: ConsoleMessage) -> None:
            # A provider's own page may ask for what is not there.
            if said.type == "error" and said.location["url"].startswith(server.url):
                complaints.append(said.text)

        page.on("console", hear)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        yield page
        assert complaints == []


def sign_in(page: Page, name: str = "anna") -> None:
    page.goto("/accounts/login/")
    page.get_by_label("User name or e-mail address").fill(name)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()


def sign_out(page: Page) -> None:
    page.get_by_title("Account").click()
    page.get_by_role("button", name="Sign out").click()


def confirm(page: Page) -> None:
    """Say once more who one is, where that is asked."""
    expect(page.get_by_role("heading", name="Is it you?")).to_be_visible()
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Confirm").click()


def code_of(seed: str) -> str:
    return str(auth.format_hotp_value(auth.hotp_value(seed, int(time.time()) // 30)))


def test_an_app_is_set_up_and_then_asked_for(live_server: LiveServer, anna: User) -> None:
    with browser(live_server) as page:
        sign_in(page)
        page.get_by_title("Account").click()
        page.get_by_role("link", name="Your profile").click()
        page.get_by_role("link", name="Set up").click()
        page.get_by_role("link", name="Set up an app").click()
        confirm(page)
        drawn = page.get_by_role("img", name="QR code")
        expect(drawn).to_be_visible()
        assert drawn.evaluate("image => image.complete && image.naturalWidth > 0")
        seed = page.locator(".copy-line code").inner_text()
        page.get_by_label("Code").fill(code_of(seed))
        page.get_by_role("button", name="Switch it on").click()
        codes = page.get_by_label("Recovery codes").inner_text().split()
        assert len(codes) == 10
        page.get_by_role("link", name="I have kept them").click()
        sign_out(page)
        sign_in(page)
        expect(page.get_by_role("heading", name="Second step")).to_be_visible()
        page.get_by_label("Code").fill(codes[0])
        page.get_by_role("button", name="Sign in", exact=True).click()
        expect(page.get_by_title("Account")).to_contain_text("anna")
        page.goto("/profile/")
        expect(page.get_by_text("app on, 0 keys, 9 recovery codes")).to_be_visible()


def test_a_passkey_is_added_and_signs_in_alone(live_server: LiveServer, anna: User) -> None:
    with browser(live_server) as page:
        debugger = page.context.new_cdp_session(page)
        debugger.send("WebAuthn.enable")
        debugger.send("WebAuthn.addVirtualAuthenticator", {"options": KEY})
        sign_in(page)
        page.goto("/accounts/2fa/webauthn/add/")
        confirm(page)
        page.get_by_label("Name").fill("Ship’s safe")
        page.get_by_label("Passwordless").check()
        page.get_by_role("button", name="Add the key").click()
        expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()
        page.goto("/accounts/2fa/webauthn/")
        expect(page.get_by_text("passkey", exact=True)).to_be_visible()
        sign_out(page)
        page.goto("/accounts/login/")
        page.get_by_role("button", name="Sign in with a passkey").click()
        expect(page.get_by_title("Account")).to_contain_text("anna")
        # And it confirms what the password would have.
        page.goto("/accounts/2fa/recovery-codes/generate/")
        expect(page.get_by_role("heading", name="Is it you?")).to_be_visible()
        page.get_by_role("link", name="Use a security key").click()
        page.get_by_role("button", name="Use a security key or passkey").click()
        expect(page.get_by_role("heading", name="Make recovery codes?")).to_be_visible()
    assert Authenticator.objects.filter(user=anna, type="webauthn").count() == 1
    entry = AuditEntry.objects.filter(event="signed in").latest("number")
    assert entry.new is not None
    assert entry.new["user"] == "anna"


def test_a_key_is_a_second_step(live_server: LiveServer, anna: User) -> None:
    with browser(live_server) as page:
        debugger = page.context.new_cdp_session(page)
        debugger.send("WebAuthn.enable")
        debugger.send("WebAuthn.addVirtualAuthenticator", {"options": KEY})
        sign_in(page)
        page.goto("/accounts/2fa/webauthn/add/")
        confirm(page)
        page.get_by_role("button", name="Add the key").click()
        expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()
        sign_out(page)
        sign_in(page)
        page.get_by_role("button", name="Use a security key or passkey").click()
        expect(page.get_by_title("Account")).to_contain_text("anna")
    entry = AuditEntry.objects.filter(event="signed in").latest("number")
    assert entry.new == {"user": "anna", "method": "password, webauthn"}


def test_a_browser_without_a_passkey_says_so_on_the_page(
    live_server: LiveServer, anna: User
) -> None:
    with browser(live_server) as page:
        debugger = page.context.new_cdp_session(page)
        debugger.send("WebAuthn.enable")
        debugger.send("WebAuthn.addVirtualAuthenticator", {"options": KEY})
        page.goto("/accounts/login/")
        page.get_by_role("button", name="Sign in with a passkey").click()
        expect(page.get_by_role("alert")).to_contain_text("Your browser gave no passkey")


def test_somebody_comes_by_single_sign_on(live_server: LiveServer, settings: Settings) -> None:
    registry = catalog.registry("harbour")
    app = catalog.repository(registry, "team-a/app")
    catalog.tag(app, "1.0", catalog.image(app))
    team = Team.objects.create(name="platform")
    Grant.objects.create(team=team, role=Role.objects.get(name="reader"), registry=registry)
    ClaimRule.objects.create(team=team, provider=ID, claim="groups", value="devs")
    with oidc_provider() as provider:
        settings.SOCIALACCOUNT_PROVIDERS = provider.settings()
        settings.SIGNUP_DOMAINS = ["example.com"]
        policy = settings.CONTENT_SECURITY_POLICY
        directives = policy["DIRECTIVES"] | {"form-action": ["'self'", provider.url]}
        settings.CONTENT_SECURITY_POLICY = policy | {"DIRECTIVES": directives}
        claims = {"email": "nina@example.com", "email_verified": True, "groups": ["devs"]}
        provider.say("nina", **claims)
        with browser(live_server) as page:
            page.goto("/r/harbour/team-a/app")
            page.get_by_role("button", name="Sign in with Harbourmaster").click()
            page.locator("input[name=sub]").fill("nina")
            page.get_by_role("button", name="Authorize").click()
            expect(page.get_by_role("link", name="1.0").first).to_be_visible()
    assert Membership.objects.get().user.email == "nina@example.com"


@pytest.mark.parametrize("script", [True, False], ids=["with scripts", "without"])
def test_somebody_is_invited_and_comes_in(
    live_server: LiveServer, anna: User, settings: Settings, script: bool
) -> None:
    settings.PUBLIC_URL = live_server.url
    with browsing(live_server, session_of(anna), java_script_enabled=script) as context:
        page = context.new_page()
        page.goto("/access/people/")
        page.get_by_role("link", name="Invite somebody").click()
        page.locator("input[name=password]").fill(PASSWORD)  # this session did not lately say who
        page.get_by_role("button", name="Confirm").click()
        page.get_by_label("User name").fill("nina")
        page.get_by_label("E-mail address").fill("nina@example.com")
        page.get_by_role("button", name="Invite", exact=True).click()
        link = page.locator(".copy-line code").inner_text()
    with browsing(live_server, java_script_enabled=script) as context:
        page = context.new_page()
        page.goto(link)
        page.get_by_label("First name").fill("Nina")
        page.get_by_label("New password", exact=True).fill(PASSWORD)
        page.get_by_label("New password confirmation").fill(PASSWORD)
        page.get_by_role("button", name="Set the password and go in").click()
        expect(page.get_by_title("Account")).to_contain_text("nina")
    assert User.objects.get(username="nina").first_name == "Nina"


def pages(team: Team, nina: User) -> list[str]:
    return [
        "/access/people/",
        "/access/people/invite/",
        f"/access/people/{nina.pk}/",
        "/access/teams/",
        "/access/teams/-/new/",
        f"/access/teams/{team.name}/",
        f"/access/teams/{team.name}/remove/",
        "/profile/",
        "/accounts/sessions/",
        "/accounts/2fa/",
        "/accounts/2fa/webauthn/",
        "/accounts/2fa/webauthn/add/",
        "/accounts/2fa/totp/deactivate/",
        "/accounts/2fa/recovery-codes/",
        "/accounts/2fa/recovery-codes/generate/",
        "/accounts/3rdparty/",
        "/accounts/password/change/",
        "/accounts/reauthenticate/",
        "/accounts/2fa/reauthenticate/",
    ]


def test_the_screens_are_fit_for_everybody(live_server: LiveServer, anna: User) -> None:
    nina = User.objects.create_user("nina", "nina@example.com")
    team = Team.objects.create(name="platform", description="Keeps the ships sailing")
    Membership.objects.create(team=team, user=nina, is_maintainer=True)
    Grant.objects.create(team=team, role=Role.objects.get(name="reader"))
    auth.TOTP.activate(anna, auth.generate_totp_secret())
    RecoveryCodes.activate(anna)
    Authenticator.objects.create(user=anna, type="webauthn", data={"name": "Key"})
    client = Client()
    client.force_login(anna)
    session = client.session
    session["account_authentication_methods"] = [
        {"method": "password", "at": time.time(), "reauthenticated": True}
    ]
    session.save()
    UserSession.objects.create(
        user=anna, session_key=session.session_key, ip="192.0.2.1", user_agent="Browser " * 20
    )
    invitation = urlsplit(invitations.link(nina)).path
    addresses = [*pages(team, nina), "/accounts/login/", invitation]
    with browsing(live_server, str(session.session_key)) as context:
        assert faults_of(context.new_page(), addresses) == {}
