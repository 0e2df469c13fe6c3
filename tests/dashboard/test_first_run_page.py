"""The one-time link, opened in a browser."""

from __future__ import annotations

import pytest
from django.test import Client

from access.models import User
from dashboard import first_run

pytestmark = pytest.mark.django_db
PASSWORD = "a passphrase of some length"
CHOSEN = {"new_password1": PASSWORD, "new_password2": PASSWORD}


@pytest.fixture
def link() -> str:
    owner = first_run.ensure_owner()
    assert owner is not None
    return first_run.link("", owner)


def test_the_first_owner_sets_a_password_and_is_in(as_stranger: Client, link: str) -> None:
    page = as_stranger.get(link).content.decode()
    assert "your user name is" in page
    assert as_stranger.post(link, CHOSEN).headers["Location"] == "/"
    assert as_stranger.get("/registries/connect/").status_code == 200
    again = Client().post("/accounts/login/", {"login": "owner", "password": PASSWORD})
    assert again.status_code == 302


def test_a_link_works_once(as_stranger: Client, link: str) -> None:
    as_stranger.post(link, CHOSEN)
    thief = Client()
    other = {"new_password1": "the thief's own phrase", "new_password2": "the thief's own phrase"}
    response = thief.post(link, other)
    assert response.status_code == 410
    assert "manage.py changepassword" in response.content.decode()
    assert User.objects.get().check_password(PASSWORD)
    assert thief.get("/").status_code == 302


@pytest.mark.parametrize("path", ["/first-run/MQ/wrong-token/", "/first-run/!!/x/"])
def test_a_wrong_link_says_what_to_do(as_stranger: Client, link: str, path: str) -> None:
    response = as_stranger.get(path)
    assert response.status_code == 410
    assert "manage.py createsuperuser" in response.content.decode()


def test_a_weak_password_is_refused_and_the_link_stays_good(as_stranger: Client, link: str) -> None:
    for weak in ("short", "q1w2e3r4t5y6"):
        response = as_stranger.post(link, {"new_password1": weak, "new_password2": weak})
        assert response.status_code == 200
        assert not User.objects.get().has_usable_password()
    assert as_stranger.post(link, CHOSEN).status_code == 302


def test_the_page_with_the_link_in_its_address_is_not_kept(as_stranger: Client, link: str) -> None:
    response = as_stranger.get(link)
    assert "no-store" in response.headers["Cache-Control"]
    assert response.headers["Referrer-Policy"] == "same-origin"
