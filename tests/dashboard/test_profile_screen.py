"""One's own account: name, address, sessions; nobody else's."""

from __future__ import annotations

import pytest
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from allauth.usersessions.models import UserSession
from django.test import Client

from access.models import AuditEntry, Membership, Team, User
from tests.cast import PASSWORD, signed_in

pytestmark = pytest.mark.django_db(transaction=True)
PROFILE = "/profile/"
SAME = {"first_name": "Viktor", "last_name": "", "email": "viktor@example.com"}


def come_in(name: str = "viktor", agent: str = "a browser") -> Client:
    client = Client(headers={"user-agent": agent})
    client.post("/accounts/login/", {"login": name, "password": PASSWORD})
    return client


def test_a_profile_shows_how_one_signs_in(viewer: User) -> None:
    Membership.objects.create(team=Team.objects.create(name="platform"), user=viewer)
    client = come_in()
    shown = client.get(PROFILE).content.decode()
    for text in ("Signed in as viktor", "app off, 0 keys", "signed in at 1 place", "platform"):
        assert text in shown
    TOTP.activate(viewer, generate_totp_secret())
    RecoveryCodes.activate(viewer)
    assert "app on, 0 keys, 10 recovery codes" in client.get(PROFILE).content.decode()


def test_a_name_is_changed_at_once(as_viewer: Client, viewer: User) -> None:
    assert as_viewer.post(PROFILE, SAME).headers["Location"] == PROFILE
    viewer.refresh_from_db()
    assert viewer.first_name == "Viktor"
    assert AuditEntry.objects.latest("number").target == "user:viktor"


def test_another_address_asks_for_the_password_again(viewer: User) -> None:
    client = come_in()
    answer = client.post(PROFILE, SAME | {"email": "new@example.com"})
    assert answer.headers["Location"].startswith("/accounts/reauthenticate/")
    viewer.refresh_from_db()
    assert viewer.email == "viktor@example.com"
    client.post(answer.headers["Location"], {"password": "a guess"})
    viewer.refresh_from_db()
    assert viewer.email == "viktor@example.com"
    client.post(answer.headers["Location"], {"password": PASSWORD})
    viewer.refresh_from_db()
    assert viewer.email == "new@example.com"


def test_an_address_that_somebody_has_is_sent_back(owner: User, viewer: User) -> None:
    client = come_in()
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    answer = client.post(PROFILE, SAME | {"email": "ANNA@example.com"})
    assert answer.status_code == 422
    assert "Somebody has this e-mail address" in answer.content.decode()


def test_what_else_is_posted_reaches_nothing(as_viewer: Client, viewer: User, owner: User) -> None:
    more = {"is_superuser": "on", "is_staff": "on", "username": "anna2", "pk": str(owner.pk)}
    as_viewer.post(PROFILE, SAME | more | {"password": "x", "is_active": ""})
    viewer.refresh_from_db()
    owner.refresh_from_db()
    assert (viewer.username, viewer.is_superuser, viewer.is_staff) == ("viktor", False, False)
    assert viewer.is_active
    assert viewer.check_password(PASSWORD)
    assert owner.first_name == ""


def test_no_form_works_from_another_site(viewer: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(viewer)
    for address in (PROFILE, "/profile/sessions/1/end/", "/accounts/sessions/"):
        assert client.post(address, SAME).status_code == 403
    viewer.refresh_from_db()
    assert viewer.first_name == ""


def test_one_session_is_ended_from_another(viewer: User) -> None:
    here, there, third = come_in(agent="here"), come_in(agent="there"), come_in(agent="third")
    shown = here.get("/accounts/sessions/").content.decode()
    assert shown.count("this one") == 1
    assert "there" in shown
    session = UserSession.objects.get(user_agent="there")
    here.post(f"/profile/sessions/{session.pk}/end/")
    assert there.get("/").status_code == 302
    assert here.get("/").status_code == third.get("/").status_code == 200
    assert AuditEntry.objects.latest("number").new == {"user": "viktor", "sessions": "ended"}
    assert here.post(f"/profile/sessions/{session.pk}/end/").status_code == 404


def test_all_other_sessions_are_ended_at_once(viewer: User, owner: User) -> None:
    here, there, annas = come_in(), come_in(), come_in("anna")
    here.post("/accounts/sessions/")
    assert there.get("/").status_code == 302
    assert here.get("/").status_code == annas.get("/").status_code == 200
    told = AuditEntry.objects.latest("number")
    assert (told.actor_label, told.target) == ("viktor", "user:viktor")
    assert told.old == {"sessions": "127.0.0.1"}
    assert told.new == {"user": "viktor", "sessions": "ended"}


def test_a_session_of_somebody_else_is_not_there(viewer: User, owner: User) -> None:
    annas = come_in("anna")
    session = UserSession.objects.get(user=owner)
    viktors = come_in()
    assert viktors.post(f"/profile/sessions/{session.pk}/end/").status_code == 404
    assert viktors.post("/profile/sessions/999999/end/").status_code == 404
    assert annas.get("/").status_code == 200
    assert "127.0.0.1" in viktors.get("/accounts/sessions/").content.decode()
    assert UserSession.objects.filter(user=viewer).count() == 1


def test_a_new_password_ends_all_other_sessions(viewer: User) -> None:
    here, there = come_in(), come_in()
    new = "quite another passphrase"
    values = {"oldpassword": PASSWORD, "password1": new, "password2": new}
    here.post("/accounts/password/change/", values)
    assert there.get("/").status_code == 302
    assert here.get("/").status_code == 200


def test_an_account_has_one_address_and_it_is_on_the_profile(as_viewer: Client) -> None:
    assert as_viewer.get("/accounts/email/").headers["Location"] == PROFILE
    as_viewer.post("/accounts/email/", {"action_add": "", "email": "second@example.com"})
    assert not User.objects.filter(emailaddress__email="second@example.com").exists()


def test_who_comes_by_single_sign_on_gives_himself_no_password() -> None:
    """He would come in when his provider no longer lets him."""
    person, choice = User.objects.create_user("sven", "sven@example.com"), "a passphrase of his own"
    client = signed_in(person)
    assert "Change password" not in client.get("/").content.decode()
    asked = client.get("/accounts/password/change/", follow=True)
    assert asked.redirect_chain[-1] == (PROFILE, 302)
    for address in ("/accounts/password/set/", "/accounts/password/change/"):
        client.post(address, {"password1": choice, "password2": choice, "oldpassword": ""})
        person.refresh_from_db()
        assert not person.has_usable_password()


def test_who_has_a_password_changes_it(as_viewer: Client) -> None:
    assert "Change password" in as_viewer.get("/").content.decode()
    assert as_viewer.get("/accounts/password/change/").status_code == 200


def test_there_are_no_addresses_to_confirm(as_viewer: Client, as_stranger: Client) -> None:
    for address in ("/accounts/confirm-email/", "/accounts/confirm-email/MQ:1uX:abc/"):
        assert as_viewer.get(address).headers["Location"] == PROFILE
        assert as_stranger.get(address).headers["Location"].startswith("/accounts/login/")


def test_who_was_switched_off_is_told_what_to_do(as_stranger: Client) -> None:
    shown = as_stranger.get("/accounts/inactive/").content.decode()
    assert "Ask an owner of this Portolan" in shown
