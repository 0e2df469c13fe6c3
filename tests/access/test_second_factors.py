"""Codes of an app, and recovery codes: asked for after the password, and good once."""

from __future__ import annotations

import time

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal import auth
from django.db import connection
from django.test import Client

from access.models import AuditEntry, User
from tests.cast import PASSWORD
from tests.reassured import reassured

pytestmark = pytest.mark.django_db(transaction=True)
LOGIN, SECOND = "/accounts/login/", "/accounts/2fa/authenticate/"
SEED = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


@pytest.fixture
def careful(viewer: User) -> User:
    """Viktor, who has set up an app and recovery codes."""
    auth.TOTP.activate(viewer, SEED)
    RecoveryCodes.activate(viewer)
    return viewer


def code_now(seed: str = SEED) -> str:
    return str(auth.format_hotp_value(auth.hotp_value(seed, int(time.time()) // 30)))


def wrong_code(seed: str = SEED) -> str:
    steps = int(time.time()) // 30
    near = {auth.hotp_value(seed, steps + number) for number in range(-2, 3)}
    return str(auth.format_hotp_value(next(it for it in range(10) if it not in near)))


def after_password() -> Client:
    client = Client()
    answer = client.post(LOGIN, {"login": "viktor", "password": PASSWORD})
    assert answer.headers["Location"] == SECOND
    return client


def is_in(client: Client) -> bool:
    return client.get("/").status_code == 200


@pytest.mark.usefixtures("careful")
def test_the_password_alone_opens_nothing() -> None:
    client = after_password()
    assert not is_in(client)
    assert "Second step" in client.get(SECOND).content.decode()
    assert client.get("/access/mine/").status_code == 302


@pytest.mark.usefixtures("careful")
def test_a_code_opens_and_the_log_tells_both_steps() -> None:
    client = after_password()
    assert client.post(SECOND, {"code": code_now()}).headers["Location"] == "/"
    assert is_in(client)
    entry = AuditEntry.objects.filter(event="signed in").latest("number")
    assert entry.new == {"user": "viktor", "method": "password, totp"}


@pytest.mark.usefixtures("careful")
def test_a_wrong_code_does_not_open_and_is_in_the_log() -> None:
    client = after_password()
    answer = client.post(SECOND, {"code": wrong_code()})
    assert answer.status_code == 200
    assert "Incorrect code" in answer.content.decode()
    assert not is_in(client)
    entry = AuditEntry.objects.latest("number")
    assert (entry.event, entry.new) == ("sign in failed", {"account": "viktor"})


@pytest.mark.usefixtures("careful")
def test_a_code_is_good_once() -> None:
    code = code_now()
    first, overheard = after_password(), after_password()
    first.post(SECOND, {"code": code})
    overheard.post(SECOND, {"code": code})
    assert is_in(first)
    assert not is_in(overheard)


@pytest.mark.usefixtures("careful")
def test_codes_are_not_guessed() -> None:
    client = after_password()
    answers = [client.post(SECOND, {"code": wrong_code()}).content.decode() for _ in range(6)]
    assert "Too many failed login attempts" in answers[-1]
    client.post(SECOND, {"code": code_now()})
    assert not is_in(client)


def test_a_recovery_code_opens_once(careful: User) -> None:
    factor = Authenticator.objects.get(user=careful, type="recovery_codes")
    codes = factor.wrap().get_unused_codes()
    first, again, other = after_password(), after_password(), after_password()
    first.post(SECOND, {"code": codes[0]})
    again.post(SECOND, {"code": codes[0]})
    other.post(SECOND, {"code": codes[1]})
    assert (is_in(first), is_in(again), is_in(other)) == (True, False, True)


def test_somebody_sets_up_an_app_and_sees_his_recovery_codes_once(viewer: User) -> None:
    client = reassured(viewer)
    page = client.get("/accounts/2fa/totp/activate/")
    assert "no-store" in page.headers["Cache-Control"]
    assert 'src="data:image/svg+xml' in page.content.decode()
    seed = page.context["form"].secret
    wrong = client.post("/accounts/2fa/totp/activate/", {"code": wrong_code(seed)})
    assert "Incorrect code" in wrong.content.decode()
    assert not Authenticator.objects.exists()
    seed = wrong.context["form"].secret
    answer = client.post("/accounts/2fa/totp/activate/", {"code": code_now(seed)}, follow=True)
    assert "they are shown this once" in answer.content.decode()
    assert "no-store" in answer.headers["Cache-Control"]
    factor = Authenticator.objects.get(user=viewer, type="recovery_codes")
    for code in factor.wrap().get_unused_codes():
        assert code in answer.content.decode()
        assert code not in client.get("/accounts/2fa/recovery-codes/").content.decode()


def test_setting_up_an_app_asks_for_the_password_again(as_viewer: Client) -> None:
    answer = as_viewer.get("/accounts/2fa/totp/activate/")
    assert answer.headers["Location"].startswith("/accounts/reauthenticate/")


def test_switching_the_app_off_asks_again_and_is_in_the_log(careful: User) -> None:
    client = Client()
    client.force_login(careful)
    asked = client.post("/accounts/2fa/totp/deactivate/")
    assert asked.headers["Location"].startswith("/accounts/reauthenticate/")
    assert Authenticator.objects.filter(type="totp").exists()
    reassured(careful).post("/accounts/2fa/totp/deactivate/")
    assert not Authenticator.objects.filter(type="totp").exists()
    assert AuditEntry.objects.filter(event="person changed").latest("number").old is not None


def test_seeds_are_encrypted_at_rest(careful: User) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT string_agg(data::text, ' ') FROM mfa_authenticator")
        (stored,) = cursor.fetchone()
    factor = Authenticator.objects.get(user=careful, type="recovery_codes")
    assert SEED not in stored
    assert not any(code in stored for code in factor.wrap().get_unused_codes())
