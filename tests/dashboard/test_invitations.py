"""One-time links: shown once, good once, and the same page for all that are not good."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from smtplib import SMTPException

import pytest
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.core import mail
from django.test import Client
from pytest_django.fixtures import Settings

from access.models import AuditEntry, User
from dashboard import invitations
from tests.cast import PASSWORD, signed_in
from tests.reassured import reassured

pytestmark = pytest.mark.django_db(transaction=True)
INVITE = "/access/people/invite/"
NINA = {"username": "nina", "email": "nina@example.com"}
CHOSEN = {
    "first_name": "Nina",
    "last_name": "Nebel",
    "new_password1": "quite another passphrase",
    "new_password2": "quite another passphrase",
}


@pytest.fixture
def as_owner(owner: User) -> Client:
    """The owner, who has just said his password again."""
    return reassured(owner)


def invited(by: Client) -> str:
    """The path of the link that the answer shows."""
    answer = by.post(INVITE, NINA)
    assert answer.status_code == 200
    assert "no-store" in answer.headers["Cache-Control"]
    return path_in(answer.content.decode())


def path_in(text: str) -> str:
    found = re.search(r"/invitation/[\w-]+/[\w-]+/", text)
    assert found is not None
    return found[0]


def is_over(path: str) -> bool:
    answer = Client().get(path)
    return answer.status_code == 410 and "no longer good" in answer.content.decode()


def test_who_is_invited_says_his_name_sets_a_password_and_is_in(as_owner: Client) -> None:
    path, browser = invited(as_owner), Client()
    shown = browser.get(path)
    assert "nina" in shown.content.decode()
    assert "no-store" in shown.headers["Cache-Control"]
    assert browser.post(path, CHOSEN).headers["Location"] == "/"
    assert browser.get("/").context["user"].get_full_name() == "Nina Nebel"
    nina = User.objects.get(username="nina")
    assert nina.check_password(CHOSEN["new_password1"])
    assert not nina.is_superuser
    told = AuditEntry.objects.order_by("number").values_list("event", "target")
    assert [event for event, target in told if target == "user:nina"][-3:] == [
        "person invited",
        "person changed",
        "signed in",
    ]


def test_a_link_is_kept_nowhere_and_not_shown_again(as_owner: Client) -> None:
    path = invited(as_owner)
    token = path.split("/")[-2]
    nina = User.objects.get(username="nina")
    for address in ("/access/people/", f"/access/people/{nina.pk}/", "/audit/"):
        assert token not in as_owner.get(address).content.decode()
    assert token not in str(list(AuditEntry.objects.values()))
    assert token not in str(vars(nina))


def test_a_link_works_once(as_owner: Client) -> None:
    path = invited(as_owner)
    Client().post(path, CHOSEN)
    assert is_over(path)
    again = CHOSEN | {"new_password1": "a third passphrase", "new_password2": "a third passphrase"}
    assert Client().post(path, again).status_code == 410
    assert User.objects.get(username="nina").check_password(CHOSEN["new_password1"])


def test_a_link_ends_by_itself(as_owner: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    path = invited(as_owner)
    later = datetime.now() + timedelta(days=3, seconds=5)  # noqa: DTZ005  as the tokens count
    monkeypatch.setattr(invitations.tokens, "_now", lambda: later)
    assert is_over(path)


def switched_off(nina: User) -> None:
    User.objects.filter(pk=nina.pk).update(is_active=False)


def moved(nina: User) -> None:
    User.objects.filter(pk=nina.pk).update(email="nina@elsewhere.org")


@pytest.mark.parametrize("happens", [switched_off, moved], ids=lambda it: it.__name__)
def test_a_link_ends_when_the_account_changes(
    as_owner: Client, happens: Callable[[User], None]
) -> None:
    path = invited(as_owner)
    happens(User.objects.get(username="nina"))
    assert is_over(path)


def test_links_of_others_and_forged_ones_look_like_used_ones(
    as_owner: Client, owner: User, viewer: User
) -> None:
    path = invited(as_owner)
    _empty, name, key, token, _end = path.split("/")
    others = invitations.link(viewer).split("/")[-3]
    reset = "/accounts/password/reset/key/"
    for forged in (
        f"/{name}/{others}/{token}/",
        f"/{name}/{key}/{token[:-1]}x/",
        f"/{name}/{key}/x/",
        f"/{name}/no-number/{token}/",
        f"/{name}/{'9' * 400}/{token}/",
    ):
        assert is_over(forged), forged
    # Nor does it open the page that resets a password, or the first owner's.
    assert "no longer good" in Client().get(f"{reset}{key}-{token}/").content.decode()
    assert Client().get(f"/first-run/{key}/{token}/").status_code == 410


def test_a_weak_password_is_sent_back_and_the_link_stays_good(as_owner: Client) -> None:
    path = invited(as_owner)
    weak = CHOSEN | {"new_password1": "nina@example", "new_password2": "nina@example"}
    assert Client().post(path, weak).status_code == 422
    assert not is_over(path)
    assert not User.objects.get(username="nina").has_usable_password()


def test_what_else_is_posted_reaches_nothing(as_owner: Client) -> None:
    path = invited(as_owner)
    more = {"is_superuser": "on", "is_staff": "on", "username": "root", "email": "x@example.com"}
    Client().post(path, CHOSEN | more)
    nina = User.objects.get(username="nina")
    assert (nina.email, nina.is_superuser, nina.is_staff) == ("nina@example.com", False, False)


def test_a_link_does_not_lead_past_the_second_step(as_owner: Client, viewer: User) -> None:
    TOTP.activate(viewer, generate_totp_secret())
    path = path_in(invitations.link(viewer))
    browser = Client()
    assert browser.post(path, CHOSEN).headers["Location"] == "/accounts/2fa/authenticate/"
    assert browser.get("/").status_code == 302


def test_a_new_link_ends_the_invitation_before(owner: User) -> None:
    browser = Client()
    browser.post("/accounts/login/", {"login": "anna", "password": PASSWORD})
    browser.post("/accounts/reauthenticate/", {"password": PASSWORD})
    path = invited(browser)
    nina = User.objects.get(username="nina")
    answer = browser.post(f"/access/people/{nina.pk}/link/")
    assert "no-store" in answer.headers["Cache-Control"]
    assert is_over(path)
    assert not is_over(path_in(answer.content.decode()))
    assert AuditEntry.objects.latest("number").new == {"user": "nina", "one-time link": "made"}


def test_it_is_mailed_where_mail_is_set_up(as_owner: Client, settings: Settings) -> None:
    settings.EMAIL_CONFIG_SET = True
    path = invited(as_owner)
    (letter,) = mail.outbox
    assert letter.to == ["nina@example.com"]
    assert f"{settings.PUBLIC_URL}{path}" in str(letter.body)
    assert "anna made this link" in str(letter.body)


def test_nothing_is_mailed_where_mail_is_not_set_up(as_owner: Client) -> None:
    invited(as_owner)
    assert mail.outbox == []


def test_a_mail_server_that_is_down_loses_no_invitation(
    as_owner: Client, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def down(*_args: object) -> int:
        raise SMTPException

    settings.EMAIL_CONFIG_SET = True
    monkeypatch.setattr(invitations, "send_mail", down)
    answer = as_owner.post(INVITE, NINA)
    assert "No mail was sent" in answer.content.decode()
    assert not is_over(path_in(answer.content.decode()))


def test_nobody_is_invited_by_who_did_not_just_say_who_he_is(owner: User) -> None:
    """A session left open must not be enough to let somebody in for good."""
    stale = signed_in(owner)
    for asked in (stale.get(INVITE), stale.post(INVITE, NINA)):
        assert asked.headers["Location"].startswith("/accounts/reauthenticate/?next=")
    assert not User.objects.filter(username="nina").exists()
    stale.post("/accounts/reauthenticate/", {"password": PASSWORD})
    assert stale.get(INVITE).status_code == 200
