"""The command `portolan` signs in through a browser, and nobody else gains anything by it."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client
from pytest_django import Settings

from access import command_codes
from access.authentication import authenticate_secret
from access.command_codes import challenge_of
from access.models import AuditEntry, Secret, User
from tests.cast import signed_in
from tests.reassured import reassured

pytestmark = pytest.mark.django_db(transaction=True)
PAGE = "/access/command/"
TOKEN = "/access/command/token"
VERIFIER = "v" * 43
ASKED = {
    "port": "40123",
    "state": "s" * 32,
    "challenge": challenge_of(VERIFIER),
    "label": "portolan on a-laptop",
}


def agreed(user: User) -> str:
    """The code that the browser takes to the command."""
    answer = reassured(user).post(PAGE, ASKED)
    assert answer.status_code == 200
    _now, _semicolon, there = answer.headers["Refresh"].partition("url=")
    assert urlsplit(there).netloc == "127.0.0.1:40123"
    query = parse_qs(urlsplit(there).query)
    assert query["state"] == [ASKED["state"]]
    return query["code"][0]


def changed(code: str, verifier: str = VERIFIER) -> Any:
    body = {"code": code, "verifier": verifier}
    return Client().post(TOKEN, json.dumps(body), content_type="application/json")


def test_a_click_becomes_a_token_of_who_clicked(viewer: User) -> None:
    answer = changed(agreed(viewer))
    assert answer.status_code == 200
    assert "no-store" in answer.headers["Cache-Control"]
    made = answer.json()
    assert made["principal"] == "user:viktor"
    assert authenticate_secret(made["token"]).principal == "user:viktor"
    stored = Secret.objects.get()
    assert (stored.label, stored.actions, stored.scopes) == (ASKED["label"], [], [])
    assert stored.expires_at is not None
    entry = AuditEntry.objects.filter(actor_label="viktor").latest("number")
    assert "secret" in entry.event


def test_looking_makes_nothing_and_says_what_is_asked_for(viewer: User) -> None:
    answer = reassured(viewer).get(PAGE, ASKED)
    page = answer.content.decode()
    assert answer.status_code == 200
    assert "Refresh" not in answer.headers
    assert ASKED["label"] in page
    assert "If somebody sent you here" in page
    assert not Secret.objects.exists()


def test_a_session_alone_is_not_enough(viewer: User) -> None:
    answer = signed_in(viewer).post(PAGE, ASKED)
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith("/accounts/reauthenticate/")


def test_another_site_cannot_click(viewer: User) -> None:
    client = reassured(viewer)
    client.handler.enforce_csrf_checks = True
    assert client.post(PAGE, ASKED).status_code == 403


@pytest.mark.parametrize(
    "wrong",
    [
        {"port": "80"},
        {"port": "40123/@evil.example.com"},
        {"state": "s\r\nSet-Cookie: x"},
        {"state": "short"},
        {"challenge": ""},
        {"label": "x" * 64},
    ],
)
def test_a_page_that_was_tampered_with_leads_nowhere(viewer: User, wrong: dict[str, str]) -> None:
    client = reassured(viewer)
    for answer in (client.get(PAGE, ASKED | wrong), client.post(PAGE, ASKED | wrong)):
        assert answer.status_code == 400
        assert "Refresh" not in answer.headers


def test_a_code_without_its_verifier_is_worth_nothing(viewer: User) -> None:
    code = agreed(viewer)
    answer = changed(code, "w" * 43)
    assert answer.status_code == 422
    assert "another command" in answer.json()["detail"]
    assert changed(code[:-1] + ("a" if code[-1] != "a" else "b")).status_code == 422
    assert not Secret.objects.exists()


def test_a_code_holds_once_and_for_two_minutes(
    viewer: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = agreed(viewer)
    assert changed(code).status_code == 200
    answer = changed(code)
    assert answer.status_code == 422
    assert "used before" in answer.json()["detail"]
    code = agreed(viewer)
    monkeypatch.setattr(command_codes, "LIFE_SECONDS", -1)
    assert "no longer" in changed(code).json()["detail"]
    assert Secret.objects.count() == 1


def test_who_was_switched_off_meanwhile_gets_none(viewer: User) -> None:
    code = agreed(viewer)
    User.objects.update(is_active=False)
    assert changed(code).status_code == 422
    assert not Secret.objects.exists()


def test_the_end_is_never_later_than_the_setting_allows(viewer: User, settings: Settings) -> None:
    settings.PERSONAL_TOKEN_MAX_DAYS = 3
    assert changed(agreed(viewer)).status_code == 200


@pytest.mark.parametrize("body", ["", "{", "[]", "null", '"x"', '{"code": "x"}'])
def test_what_is_no_request_is_said_so(db: None, body: str) -> None:
    answer = Client().post(TOKEN, body, content_type="application/json")
    assert answer.status_code == 400
    assert answer.headers["Content-Type"] == "application/problem+json"


def test_who_tries_many_codes_waits(db: None) -> None:
    answers = [changed("guess") for _ in range(7)]
    assert answers[0].status_code == 422
    assert answers[-1].status_code == 429
    assert int(answers[-1].headers["Retry-After"]) >= 1
