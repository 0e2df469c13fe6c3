"""Following on screen: one's own list, the buttons that lead to it, and the feed's address."""

from __future__ import annotations

import html
import re

import pytest
from django.test import Client
from pytest_django import Settings

from access.models import User
from access.scopes import Scope
from registries.models import Repository
from tests import catalog
from tests.cast import PASSWORD, give, signed_in
from tests.reassured import reassured
from webhooks.models import Follow, Reader

pytestmark = pytest.mark.django_db(transaction=True)
PAGE = "/profile/following/"


@pytest.fixture(autouse=True)
def app(db: None, settings: Settings) -> Repository:
    settings.EMAIL_CONFIG_SET = True
    app = catalog.repository(catalog.registry("harbour"), "team-a/app")
    catalog.tag(app, "1.0", catalog.image(app))
    return app


def text_of(client: Client, address: str = PAGE) -> str:
    response = client.get(address)
    assert response.status_code == 200
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", response.content.decode())).split())


@pytest.mark.parametrize(
    ("address", "scope"),
    [
        ("/r/harbour/team-a/app", "harbour/team-a/app"),
        ("/r/harbour/?ns=team-a", "harbour/team-a/*"),
        ("/r/harbour/", "harbour"),
    ],
)
def test_a_page_of_the_catalog_is_followed_by_its_button(
    as_viewer: Client, address: str, scope: str
) -> None:
    page = as_viewer.get(address).content.decode()
    assert f'name="scope" value="{scope}"' in page
    form = {"scope": scope, "mail": "daily", "back": "1"}
    response = as_viewer.post(f"{PAGE}add/", form, follow=True)
    assert response.redirect_chain[-1][0] == address
    seen = " ".join(re.sub(r"<[^>]+>", " ", response.content.decode()).split())
    assert f"You follow {scope}." in seen
    assert 'name="scope"' not in response.content.decode()
    assert Follow.objects.get().mail == "daily"


def test_the_list_has_all_and_changes_each(as_viewer: Client) -> None:
    assert "You follow nothing yet" in text_of(as_viewer)
    as_viewer.post(f"{PAGE}add/", {"scope": "harbour/team-a/*", "mail": "none"})
    assert "harbour/team-a/*" in text_of(as_viewer)
    followed = Follow.objects.get()
    as_viewer.post(f"{PAGE}{followed.pk}/", {"mail": "each"})
    assert Follow.objects.get().mail == "each"
    as_viewer.post(f"{PAGE}{followed.pk}/", {"mail": "hourly"})
    assert Follow.objects.get().mail == "each"
    as_viewer.post(f"{PAGE}{followed.pk}/remove/")
    assert not Follow.objects.exists()


@pytest.mark.parametrize(
    ("scope", "said"),
    [
        ("*", "too much to follow"),
        ("nowhere", "nothing called"),
        ("harbour/team-b/app", "nothing called"),
        ("No!", "is not a scope"),
        ("", "required"),
    ],
)
def test_what_cannot_be_followed_is_said_on_the_form(scope: str, said: str) -> None:
    user = User.objects.create_user("fiona", "fiona@example.com")
    give(user, "reader", Scope("harbour", "team-a/*"))
    response = signed_in(user).post(f"{PAGE}add/", {"scope": scope, "mail": "none", "back": "1"})
    assert response.status_code == 422
    assert said in response.content.decode()
    assert not Follow.objects.exists()


def test_nobody_changes_what_another_follows(as_viewer: Client, as_owner: Client) -> None:
    as_viewer.post(f"{PAGE}add/", {"scope": "harbour", "mail": "none"})
    followed = Follow.objects.get()
    for rest in (f"{followed.pk}/", f"{followed.pk}/remove/"):
        assert as_owner.post(PAGE + rest, {"mail": "each"}).status_code == 404
    assert Follow.objects.get().mail == "none"


def test_the_address_of_the_feed_is_shown_once(viewer: User) -> None:
    as_viewer = reassured(viewer)
    as_viewer.post(f"{PAGE}add/", {"scope": "harbour/team-a/app", "mail": "none"})
    response = as_viewer.post(f"{PAGE}feed/")
    assert response.status_code == 201
    assert "no-store" in response.headers["Cache-Control"]
    shown = html.unescape(response.content.decode())
    path, token = re.search(r"(/feeds/([\w-]{43})\.atom)<", shown).groups()  # type: ignore[union-attr]
    assert f"{path}?scope=harbour%2Fteam-a%2Fapp" in shown
    assert Client().get(path).status_code == 200
    page = as_viewer.get(PAGE).content.decode()
    assert token not in page
    assert "not shown again" in page
    as_viewer.post(f"{PAGE}feed/end/")
    assert Client().get(path).status_code == 404
    assert Reader.objects.get().feed_digest == ""


def test_an_address_of_the_feed_is_made_when_one_has_said_once_more_who_one_is(
    as_viewer: Client,
) -> None:
    """Whoever took a session over must not read on when it is over."""
    asked = as_viewer.post(f"{PAGE}feed/")
    assert asked.headers["Location"].startswith("/accounts/reauthenticate/?next=")
    assert not Reader.objects.exclude(feed_digest="").exists()
    said = as_viewer.post(asked.headers["Location"], {"password": PASSWORD})
    assert said.status_code == 201  # what was asked for is done now
    assert "/feeds/" in said.content.decode()


def test_what_keeps_mails_from_coming_is_said(as_viewer: Client, settings: Settings) -> None:
    User.objects.update(email="")
    assert "You have no mail address." in text_of(as_viewer)
    settings.EMAIL_CONFIG_SET = False
    assert "Portolan sends no mail." in text_of(as_viewer)
