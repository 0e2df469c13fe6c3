"""Signing in and out: closed to strangers, and telling them nothing."""

from __future__ import annotations

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse

from access.models import AuditEntry, User
from tests.cast import PASSWORD

pytestmark = pytest.mark.django_db
LOGIN = "/accounts/login/"


def sign_in(client: Client, name: str, password: str) -> tuple[int, str]:
    response = client.post(LOGIN, {"login": name, "password": password})
    return response.status_code, response.content.decode()


def test_a_person_signs_in_by_name_and_lands_on_the_overview(
    as_stranger: Client, viewer: User
) -> None:
    response = as_stranger.post(LOGIN, {"login": "viktor", "password": PASSWORD})
    assert response.headers["Location"] == reverse("home")
    assert as_stranger.get(reverse("home")).status_code == 200


def test_a_person_signs_in_by_address(as_stranger: Client, viewer: User) -> None:
    assert sign_in(as_stranger, "viktor@example.com", PASSWORD)[0] == 302


def test_one_lands_where_one_wanted_to_go(as_stranger: Client, viewer: User) -> None:
    wanted = reverse("registries")
    asked = as_stranger.get(wanted)
    assert asked.headers["Location"] == f"{LOGIN}?next={wanted}"
    page = as_stranger.get(asked.headers["Location"]).content.decode()
    assert f'name="next" value="{wanted}"' in page
    signed_in = as_stranger.post(LOGIN, {"login": "viktor", "password": PASSWORD, "next": wanted})
    assert signed_in.headers["Location"] == wanted


def test_one_is_not_sent_to_another_host(as_stranger: Client, viewer: User) -> None:
    response = as_stranger.post(
        LOGIN, {"login": "viktor", "password": PASSWORD, "next": "https://evil.example/"}
    )
    assert response.headers["Location"] == reverse("home")


def test_a_wrong_password_and_a_wrong_name_look_the_same(as_stranger: Client, viewer: User) -> None:
    wrong_password = sign_in(as_stranger, "viktor", "not it")
    wrong_name = sign_in(Client(), "nobody", "not it")
    assert "are not correct" in wrong_password[1]
    assert "are not correct" in wrong_name[1]
    assert wrong_password[0] == wrong_name[0] == 200


def test_guessing_is_slowed_down_without_locking_others_out(
    as_stranger: Client, viewer: User, owner: User
) -> None:
    answers = [sign_in(as_stranger, "viktor", f"guess {n}")[1] for n in range(6)]
    assert "Too many failed login attempts" in answers[-1]
    assert sign_in(Client(), "anna", PASSWORD)[0] == 302


def test_nobody_is_kept_out_of_his_account_by_guesses_from_elsewhere(
    as_stranger: Client, viewer: User
) -> None:
    for number in range(8):
        sign_in(as_stranger, "viktor", f"guess {number}")
    assert "Too many failed" in sign_in(as_stranger, "viktor", PASSWORD)[1]
    at_home = Client(REMOTE_ADDR="192.0.2.7")
    assert sign_in(at_home, "viktor", PASSWORD)[0] == 302


def test_a_failed_sign_in_is_in_the_log_without_what_may_be_a_password(
    as_stranger: Client, viewer: User
) -> None:
    for typed in ("viktor", "VIKTOR@example.com"):
        sign_in(as_stranger, typed, "hunter2 and more")
        entry = AuditEntry.objects.latest("number")
        assert (entry.event, entry.new) == ("sign in failed", {"account": "viktor"})
        assert entry.address == "127.0.0.1"
    sign_in(as_stranger, "correct horse battery", "viktor")
    entry = AuditEntry.objects.latest("number")
    assert entry.new == {"account": "cor…"}
    assert "hunter2" not in str(AuditEntry.objects.values())


def test_somebody_who_left_does_not_get_in(as_stranger: Client, viewer: User) -> None:
    viewer.is_active = False
    viewer.save()
    sign_in(as_stranger, "viktor", PASSWORD)
    assert as_stranger.get(reverse("home")).status_code == 302


def test_there_is_no_sign_up(as_stranger: Client) -> None:
    page = as_stranger.get("/accounts/signup/").content.decode()
    assert "There is no sign-up" in page
    values = {
        "username": "mallory",
        "email": "mallory@example.com",
        "password1": PASSWORD,
        "password2": PASSWORD,
    }
    as_stranger.post("/accounts/signup/", values)
    assert not User.objects.filter(username="mallory").exists()


def test_signing_out_needs_a_click_and_not_just_a_link(as_viewer: Client) -> None:
    assert "Sign out?" in as_viewer.get("/accounts/logout/").content.decode()
    assert as_viewer.get(reverse("home")).status_code == 200
    as_viewer.post("/accounts/logout/")
    assert as_viewer.get(reverse("home")).status_code == 302


def test_a_password_is_changed_by_who_knows_the_old_one(as_viewer: Client, viewer: User) -> None:
    new = "quite another passphrase"
    values = {"oldpassword": "a guess", "password1": new, "password2": new}
    as_viewer.post("/accounts/password/change/", values)
    viewer.refresh_from_db()
    assert viewer.check_password(PASSWORD)
    as_viewer.post("/accounts/password/change/", values | {"oldpassword": PASSWORD})
    viewer.refresh_from_db()
    assert viewer.check_password(new)


def test_a_reset_tells_nobody_whether_there_is_such_an_account(
    as_stranger: Client, viewer: User
) -> None:
    pages = {
        address: as_stranger.post("/accounts/password/reset/", {"email": address}, follow=True)
        for address in ("viktor@example.com", "nobody@example.com")
    }
    said = {page.content.decode().partition("<main")[2] for page in pages.values()}
    assert len(said) == 1
    assert "Look into your mail" in said.pop()


def test_a_mailed_link_sets_a_password_once(as_stranger: Client, viewer: User) -> None:
    as_stranger.post("/accounts/password/reset/", {"email": "viktor@example.com"})
    (letter,) = [message for message in mail.outbox if "viktor@example.com" in message.to]
    path = next(
        word.partition("testserver")[2] for word in str(letter.body).split() if "/key/" in word
    )
    form = as_stranger.get(path, follow=True)
    target = form.redirect_chain[-1][0]
    new = "quite another passphrase"
    as_stranger.post(target, {"password1": new, "password2": new})
    viewer.refresh_from_db()
    assert viewer.check_password(new)
    assert "no longer good" in Client().get(path, follow=True).content.decode()


def test_who_has_no_password_here_is_mailed_no_link_to_one(
    as_stranger: Client, viewer: User
) -> None:
    """A leaver would keep a way in that his company cannot close; and the page tells nobody."""
    User.objects.create_user("nina", "nina@example.com")  # by single sign-on
    viewer.is_active = False
    viewer.save()
    for address in ("nina@example.com", "viktor@example.com"):
        page = as_stranger.post("/accounts/password/reset/", {"email": address}, follow=True)
        assert "Look into your mail" in page.content.decode()
    assert not [message for message in mail.outbox if "/key/" in str(message.body)]


@pytest.mark.parametrize(
    "path", ["/accounts/login/", "/accounts/signup/", "/accounts/password/reset/"]
)
def test_the_pages_for_strangers_wear_our_frame(as_stranger: Client, path: str) -> None:
    page = as_stranger.get(path).content.decode()
    assert 'class="masthead"' in page
    assert "style=" not in page  # the content security policy would drop it


def test_a_flood_of_attempts_is_turned_away_with_a_page_that_says_so(
    as_stranger: Client, viewer: User
) -> None:
    for _ in range(31):
        response = as_stranger.post(LOGIN, {"login": "viktor", "password": "guess"})
    assert response.status_code == 429
    assert "No account was locked" in response.content.decode()
