"""Machines and tokens in a real browser: a secret is made, copied, downloaded, and gone."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.utils import timezone
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from access.models import Grant, Role, Secret, ServicePrincipal, Team, User
from access.secrets import mint, parse
from registries.models import Registry, RegistryCredential
from tests import catalog
from tests.browser.judging import AXE, faults_of, look_at
from tests.browser.test_manage_screens import CHROMIUM, browsing
from tests.cast import PASSWORD, signed_in
from tests.reassured import reassured

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium here"),
    pytest.mark.skipif(not AXE.exists(), reason="the front-end packages are not installed"),
]


def session_of(user: User) -> str:
    return reassured(user).cookies[settings.SESSION_COOKIE_NAME].value


@pytest.fixture
def harbour(db: None) -> Registry:
    return catalog.registry("harbour")


@pytest.fixture
def anna(harbour: Registry) -> User:
    Team.objects.create(name="platform")
    return User.objects.create_superuser("anna", "anna@example.com", PASSWORD)


@pytest.fixture
def machine(anna: User, harbour: Registry) -> ServicePrincipal:
    """One with a secret, a grant, and a past."""
    made = ServicePrincipal.objects.create(name="ci", team=Team.objects.get(), description="Builds")
    Grant.objects.create(
        service_principal=made, role=Role.objects.get(name="pusher"), registry=harbour
    )
    now = timezone.now()
    held("sp", service_principal=made, slot=1, label="jenkins", expires_at=now + timedelta(days=9))
    held("sp", service_principal=made, slot=2, revoked_at=now, last_used_at=now)
    held("pat", user=anna, label="laptop", expires_at=now + timedelta(days=60))
    RegistryCredential.objects.create(registry=harbour, username="robot", secret="password")
    return made


def held(kind: str, **fields: Any) -> Secret:
    minted = mint(Secret.Kind(kind))
    return Secret.objects.create(kind=kind, key_id=minted.key_id, digest=minted.digest, **fields)


def put_away(page: Page) -> tuple[str, str]:
    """The secret that a page shows, and what its download has."""
    text = page.locator("#secret").inner_text()
    with page.expect_download() as started:
        page.get_by_role("link", name="Download").click()
    return text, Path(started.value.path()).read_text()


@pytest.mark.parametrize("script", [True, False], ids=["with scripts", "without"])
def test_a_machine_gets_a_secret_that_is_seen_once(
    live_server: LiveServer, anna: User, script: bool
) -> None:
    session = session_of(anna)
    with browsing(live_server, session, java_script_enabled=script) as context:
        page = context.new_page()
        complaints: list[str] = []
        page.on("console", lambda message: complaints.append(message.text))
        page.goto("/access/")
        page.get_by_role("link", name="Machines Service principals").click()
        page.get_by_role("link", name="New machine").first.click()
        page.get_by_label("Name", exact=True).fill("cluster-west")
        page.get_by_label("Owning team").select_option("platform")
        page.get_by_role("button", name="Create").click()
        page.get_by_role("link", name="New secret").first.click()
        page.get_by_label("What for").fill("vault")
        page.get_by_role("button", name="Create").click()
        text, downloaded = put_away(page)
        assert downloaded == text
        if script:
            context.grant_permissions(["clipboard-read", "clipboard-write"])
            page.get_by_label("Copy the secret").click()
            assert page.evaluate("navigator.clipboard.readText()") == text
        page.get_by_role("link", name="I have it").click()
        expect(page.get_by_text("vault")).to_be_visible()
        assert text not in page.content()
        page.get_by_role("button", name="Switch off").click()
        expect(page.get_by_text("It may do nothing.")).to_be_visible()
        assert complaints == []
    presented = parse(text)
    assert presented is not None
    assert presented.matches(Secret.objects.get().digest)
    assert ServicePrincipal.objects.get(name="cluster-west").disabled_at is not None


def test_somebody_makes_a_token_after_saying_who_he_is(live_server: LiveServer, anna: User) -> None:
    session = signed_in(anna).cookies[settings.SESSION_COOKIE_NAME].value
    with browsing(live_server, session) as context:
        page = context.new_page()
        page.goto("/access/tokens/")
        page.get_by_role("link", name="New token").first.click()
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Confirm").click()
        page.get_by_label("What for").fill("laptop")
        page.get_by_label("content read").check()
        page.get_by_label("Where").fill("harbour")
        page.get_by_role("button", name="Create").click()
        text, downloaded = put_away(page)
        assert downloaded == text
        expect(page.get_by_text("docker login").first).to_be_visible()
        page.get_by_role("link", name="I have it").click()
        page.get_by_role("link", name=re.compile("Revoke")).click()
        page.get_by_role("button", name="Revoke").click()
        expect(page.get_by_text("The token laptop works no more.")).to_be_visible()
    token = Secret.objects.get()
    assert (token.actions, token.scopes) == (["content read"], ["harbour"])
    assert token.revoked_at is not None


def pages(machine: ServicePrincipal) -> list[str]:
    live = machine.secrets.get(revoked_at=None)
    token = Secret.objects.get(kind="pat")
    of_machine, of_secret = "/access/machines/ci/", f"/access/machines/ci/secrets/{live.key_id}/"
    return [
        "/access/machines/",
        "/access/machines/?q=nothing",
        "/access/machines/-/new/",
        of_machine,
        *(of_machine + part for part in ("change/", "remove/", "secrets/new/")),
        *(of_secret + part for part in ("rotate/", "end/", "revoke/")),
        "/access/tokens/",
        "/access/tokens/?state=ended",
        "/access/tokens/new/",
        f"/access/tokens/{token.key_id}/revoke/",
        "/access/credentials/?state=all",
        "/access/credentials/?q=nothing",
    ]


def test_the_screens_are_fit_for_everybody(
    live_server: LiveServer, anna: User, machine: ServicePrincipal
) -> None:
    addresses, session = pages(machine), session_of(anna)
    with browsing(live_server, session) as context:
        page = context.new_page()
        assert faults_of(page, addresses) == {}
        page.goto("/access/machines/ci/secrets/new/")
        page.get_by_role("button", name="Create").click()
        expect(page.locator("#secret")).to_be_visible()
        assert look_at(page) == []
