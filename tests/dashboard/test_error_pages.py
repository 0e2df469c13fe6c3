"""When there is nothing, or something broke."""

from __future__ import annotations

import logging
import re

import pytest
from django.db import DataError
from django.test import Client

from access.models import User
from tests import catalog
from tests.cast import give

pytestmark = pytest.mark.django_db


def test_a_page_that_is_not_there_offers_a_search(as_viewer: Client) -> None:
    response = as_viewer.get("/no/such/page")
    page = response.content.decode()
    assert response.status_code == 404
    assert 'action="/search"' in page
    assert "Resolver404" not in page


def test_a_registry_that_is_not_there_says_what_is_missing(as_viewer: Client) -> None:
    page = as_viewer.get("/registries/nowhere/runs/").content.decode()
    assert "There is no registry of this name." in page


def test_strangers_are_offered_the_sign_in_instead(as_stranger: Client) -> None:
    page = as_stranger.get("/no/such/page").content.decode()
    assert 'action="/search"' not in page
    assert "/accounts/login/" in page


def test_what_is_refused_says_why_and_whom_to_ask(as_viewer: Client) -> None:
    response = as_viewer.get("/registries/connect/")
    page = response.content.decode()
    assert response.status_code == 403
    assert "registry manage" in page
    assert "An owner of this Portolan" in page
    assert "on everything." in page


def test_a_form_without_its_token_is_explained(viewer: object) -> None:
    client = Client(enforce_csrf_checks=True)
    response = client.post("/accounts/login/", {"login": "viktor", "password": "x"})
    assert response.status_code == 403
    assert "This form is out of date" in response.content.decode()


def test_a_failure_shows_an_id_that_the_log_has_too(
    as_viewer: Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError("the secret of the matter")

    monkeypatch.setattr("dashboard.views.home.cards_of", fail)
    as_viewer.raise_request_exception = False
    with caplog.at_level(logging.ERROR, logger="dashboard.views.errors"):
        response = as_viewer.get("/")
    page = response.content.decode()
    assert response.status_code == 500
    assert "secret of the matter" not in page
    found = re.search(r"<strong>([0-9a-f]{8})</strong>", page)
    assert found is not None
    (record,) = [one for one in caplog.records if one.name == "dashboard.views.errors"]
    assert found[1] in record.getMessage()
    assert record.exc_info is not None
    assert record.exc_info[0] is ZeroDivisionError


def test_the_page_of_a_failure_is_styled_under_the_policy(
    as_viewer: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dashboard.views.home.cards_of", None)
    as_viewer.raise_request_exception = False
    response = as_viewer.get("/")
    nonce = re.search(r'<style nonce="([^"]+)"', response.content.decode())
    assert nonce is not None
    assert f"'nonce-{nonce[1]}'" in response.headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    "address",
    [
        "/accounts/oidc/%00/login/",
        "/accounts/oidc/%00/login/callback/",
        "/r/harbour/team-a/app/-/untag?tag=%00",
        "/access/trust-rules/?machine=%00",
        "/access/of/user:%00/",
    ],
)
def test_what_no_text_has_names_nothing(as_owner: Client, address: str) -> None:
    catalog.repository(catalog.registry("harbour"), "team-a/app")
    response = as_owner.get(address)
    assert response.status_code == 404
    assert "Nothing has such a name." in response.content.decode()


def test_what_no_text_has_names_nothing_in_a_form_either(
    as_owner: Client, as_stranger: Client, viewer: User
) -> None:
    grant = give(viewer, "owner")
    give_less = {"grant": grant.pk, "role": "\0"}
    assert as_owner.post("/access/unused/give-less/", give_less).status_code == 404
    assert as_stranger.post("/accounts/oidc/%00/login/").status_code == 404


def test_what_the_database_refuses_else_is_a_failure(
    as_viewer: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise DataError("out of range")

    monkeypatch.setattr("dashboard.views.home.cards_of", fail)
    as_viewer.raise_request_exception = False
    assert as_viewer.get("/?q=fine").status_code == 500
