"""People on screen: for who manages access on everything, as far as he could grant what they have."""

from __future__ import annotations

from datetime import timedelta

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from access.models import AuditEntry, Grant, Membership, Role, Secret, Team, User
from access.scopes import Scope
from tests import catalog
from tests.cast import PASSWORD, give, signed_in

pytestmark = pytest.mark.django_db(transaction=True)
PEOPLE = "/access/people/"
NINA = {"username": "nina", "email": "nina@example.com", "first_name": "Nina", "last_name": ""}
STATEMENTS = 4
BUTTONS = ["link", "off", "on", "sessions/end", "owner", "owner/end", "factors/remove"]


@pytest.fixture
def as_owner_of_harbour(db: None) -> Client:
    """Somebody who may manage access, but not everywhere."""
    catalog.registry("harbour")
    user = User.objects.create_user("harald")
    give(user, "owner", Scope("harbour"))
    return signed_in(user)


@pytest.fixture
def as_doorkeeper(db: None) -> Client:
    """Manages access on everything, and may do nothing else."""
    user = User.objects.create_user("dora")
    role = Role.objects.create(name="doorkeeper", label="Doorkeeper", actions=["access manage"])
    Grant.objects.create(user=user, role=role)
    return signed_in(user)


@pytest.fixture
def as_sure_owner(owner: User) -> Client:
    """The owner, who has just said his password again."""
    client = Client()
    client.post("/accounts/login/", {"login": "anna", "password": PASSWORD})
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    return client


def test_an_owner_sees_everybody_and_looks_for_one(
    as_owner: Client, viewer: User, outsider: User
) -> None:
    Membership.objects.create(team=Team.objects.create(name="platform"), user=viewer)
    shown = as_owner.get(PEOPLE).content.decode()
    assert all(name in shown for name in ("anna", "viktor", "otto", "platform"))
    found = as_owner.get(PEOPLE, {"q": "otto EXAMPLE.com"}).content.decode()
    assert "otto" in found
    assert "viktor" not in found
    assert "Nobody fits" in as_owner.get(PEOPLE, {"q": "nobody"}).content.decode()


@pytest.mark.parametrize("size", [2, 12])
def test_the_list_takes_as_many_statements_for_few_as_for_many(as_owner: Client, size: int) -> None:
    for number in range(size):
        team = Team.objects.create(name=f"team-{number}")
        Membership.objects.create(team=team, user=User.objects.create_user(f"person-{number}"))
    as_owner.get(PEOPLE)
    with CaptureQueriesContext(connection) as captured:
        assert len(as_owner.get(PEOPLE).context["rows"]) == size + 1
    assert len(captured) == STATEMENTS


def test_people_are_listed_by_state_and_last_sign_in(
    as_owner: Client, viewer: User, outsider: User
) -> None:
    User.objects.filter(pk=viewer.pk).update(is_active=False)
    User.objects.create_user("ines")  # invited: no password, and never here
    now = timezone.now()
    User.objects.filter(username="anna").update(last_login=now)
    User.objects.filter(username="otto").update(last_login=now + timedelta(days=1))
    for state, names in {
        "off": {"viktor"},
        "invited": {"ines"},
        "active": {"anna", "otto"},
    }.items():
        rows = as_owner.get(PEOPLE, {"state": state}).context["rows"]
        assert {person.username for person, _owns in rows} == names
    rows = as_owner.get(PEOPLE, {"sort": "-seen"}).context["rows"]
    assert [person.username for person, _owns in rows][:2] == ["otto", "anna"]


def test_owners_are_marked_by_whatever_way_they_are(as_owner: Client, viewer: User) -> None:
    team = Team.objects.create(name="captains")
    Grant.objects.create(team=team, role=Role.objects.get(name="owner"))
    Membership.objects.create(team=team, user=viewer)
    rows = as_owner.get(PEOPLE).context["rows"]
    assert {person.username: owns for person, owns in rows} == {"anna": True, "viktor": True}


@pytest.mark.parametrize("query", ["?q=%00", "?state=emperor", "?after=forged", "?sort=password"])
def test_an_address_by_hand_breaks_nothing(as_owner: Client, query: str) -> None:
    assert as_owner.get(PEOPLE + query).status_code == 200


def test_a_persons_page_tells_what_he_has_and_by_which_way(as_owner: Client, viewer: User) -> None:
    team = Team.objects.create(name="platform")
    Membership.objects.create(team=team, user=viewer)
    Grant.objects.create(team=team, role=Role.objects.get(name="pusher"))
    shown = as_owner.get(f"{PEOPLE}{viewer.pk}/").content.decode()
    assert "Reader" in shown
    assert "through the team platform" in shown
    assert "viktor@example.com" in shown


@pytest.mark.parametrize("client", ["as_viewer", "as_outsider", "as_owner_of_harbour"])
def test_who_does_not_manage_access_everywhere_learns_of_nobody(
    request: pytest.FixtureRequest, client: str, owner: User
) -> None:
    asking: Client = request.getfixturevalue(client)
    before = set(User.objects.values_list("username", "is_active", "is_superuser"))
    pages = ["", "invite/", f"{owner.pk}/", "999999/"]  # the same for who is and who is not there
    assert {asking.get(PEOPLE + page).status_code for page in pages} == {403}
    assert asking.post(f"{PEOPLE}invite/", NINA).status_code == 403
    assert asking.post(f"{PEOPLE}{owner.pk}/", {"email": "mine@example.com"}).status_code == 403
    for button in BUTTONS:
        assert asking.post(f"{PEOPLE}{owner.pk}/{button}/").status_code == 403, button
    assert set(User.objects.values_list("username", "is_active", "is_superuser")) == before


def test_a_doorkeeper_reads_and_reaches_for_nobody_who_has_more(
    as_doorkeeper: Client, owner: User, viewer: User
) -> None:
    for person in (owner, viewer):
        shown = as_doorkeeper.get(f"{PEOPLE}{person.pk}/").content.decode()
        assert "could act as its person" in shown
        assert "Switch off" not in shown
        for button in BUTTONS:
            answer = as_doorkeeper.post(f"{PEOPLE}{person.pk}/{button}/")
            assert answer.status_code == 403, button
        answer = as_doorkeeper.post(f"{PEOPLE}{person.pk}/", {"email": "mine@example.com"})
        assert answer.status_code == 403
    assert User.objects.filter(is_active=True, email__in=[owner.email, viewer.email]).count() == 2


def test_who_is_not_there_is_a_404(as_owner: Client) -> None:
    assert as_owner.get(f"{PEOPLE}999999/").status_code == 404
    for button in BUTTONS:
        assert as_owner.post(f"{PEOPLE}999999/{button}/").status_code == 404


def test_buttons_are_pressed_and_not_followed(as_owner: Client, viewer: User) -> None:
    before = AuditEntry.objects.count()
    for button in BUTTONS:
        asked = as_owner.get(f"{PEOPLE}{viewer.pk}/{button}/")
        assert asked.status_code == 405 if button in ("link", "on") else asked.status_code < 400
    assert AuditEntry.objects.count() == before


def test_no_form_works_from_another_site(owner: User, viewer: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(owner)
    assert client.post(f"{PEOPLE}invite/", NINA).status_code == 403
    assert client.post(f"{PEOPLE}{viewer.pk}/", {"email": "x@example.com"}).status_code == 403
    for button in BUTTONS:
        assert client.post(f"{PEOPLE}{viewer.pk}/{button}/").status_code == 403
    viewer.refresh_from_db()
    assert (viewer.is_active, viewer.email) == (True, "viktor@example.com")


def test_what_else_is_posted_reaches_no_account(as_sure_owner: Client, viewer: User) -> None:
    more = {"is_superuser": "on", "is_staff": "on", "password": "x", "is_active": "", "id": "1"}
    as_sure_owner.post(f"{PEOPLE}invite/", NINA | more)
    nina = User.objects.get(username="nina")
    assert (nina.is_superuser, nina.is_staff, nina.is_active) == (False, False, True)
    assert not nina.has_usable_password()
    changed = {"email": "new@example.com", "username": "root"} | more
    assert as_sure_owner.post(f"{PEOPLE}{viewer.pk}/", changed).status_code == 302
    viewer.refresh_from_db()
    assert (viewer.username, viewer.email) == ("viktor", "new@example.com")
    assert (viewer.is_superuser, viewer.is_staff, viewer.is_active) == (False, False, True)
    assert viewer.check_password(PASSWORD)


def test_a_bad_form_is_sent_back_with_what_was_typed(as_sure_owner: Client, viewer: User) -> None:
    answer = as_sure_owner.post(f"{PEOPLE}invite/", NINA | {"email": "VIKTOR@example.com"})
    assert answer.status_code == 422
    assert "Somebody has this e-mail address" in answer.content.decode()
    assert 'value="Nina"' in answer.content.decode()
    assert not User.objects.filter(username="nina").exists()


@pytest.mark.parametrize("button", ["link", "owner", "owner/end", "factors/remove", ""])
def test_what_reaches_for_an_account_asks_for_the_password_again(
    as_owner: Client, viewer: User, button: str
) -> None:
    """A session left open must not be enough."""
    address = f"{PEOPLE}{viewer.pk}/{button}/".replace("//", "/")
    before = AuditEntry.objects.latest("number").number
    answer = as_owner.post(address, {"email": "new@example.com"})
    assert answer.headers["Location"].startswith("/accounts/reauthenticate/")
    viewer.refresh_from_db()
    assert (viewer.email, viewer.is_superuser) == ("viktor@example.com", False)
    assert AuditEntry.objects.latest("number").number == before


def test_an_owner_is_made_and_unmade(as_sure_owner: Client, owner: User, viewer: User) -> None:
    as_sure_owner.post(f"{PEOPLE}{viewer.pk}/owner/")
    viewer.refresh_from_db()
    assert viewer.is_superuser
    as_sure_owner.post(f"{PEOPLE}{viewer.pk}/owner/end/")
    viewer.refresh_from_db()
    assert not viewer.is_superuser


def test_the_last_owner_stays(as_sure_owner: Client, owner: User) -> None:
    for button in ("off", "owner/end"):
        answer = as_sure_owner.post(f"{PEOPLE}{owner.pk}/{button}/", follow=True)
        assert "last owner" in answer.content.decode()
    owner.refresh_from_db()
    assert owner.is_active
    assert owner.is_superuser


def test_switching_off_ends_sessions_and_tokens_for_good(as_owner: Client, viewer: User) -> None:
    browser = Client()
    browser.post("/accounts/login/", {"login": "viktor", "password": PASSWORD})
    token = Secret.objects.create(
        kind="pat", user=viewer, key_id="k" * 10, expires_at=timezone.now() + timedelta(days=9)
    )
    as_owner.post(f"{PEOPLE}{viewer.pk}/off/")
    assert browser.get("/").status_code == 302
    token.refresh_from_db()
    assert token.revoked_at is not None
    told = AuditEntry.objects.order_by("number").values_list("event", flat=True)
    assert list(told)[-2:] == ["secret revoked", "person changed"]
    as_owner.post(f"{PEOPLE}{viewer.pk}/on/")
    token.refresh_from_db()
    assert token.revoked_at is not None
    assert browser.get("/").status_code == 302
    browser.post("/accounts/login/", {"login": "viktor", "password": PASSWORD})
    assert browser.get("/").status_code == 200


def test_all_sessions_of_a_person_are_ended_and_no_others(
    as_owner: Client, viewer: User, outsider: User
) -> None:
    browsers = {name: Client() for name in ("viktor", "otto")}
    for name, browser in browsers.items():
        browser.post("/accounts/login/", {"login": name, "password": PASSWORD})
    as_owner.post(f"{PEOPLE}{viewer.pk}/sessions/end/")
    assert browsers["viktor"].get("/").status_code == 302
    assert browsers["otto"].get("/").status_code == 200
    assert AuditEntry.objects.latest("number").new == {"user": "viktor", "sessions": "ended"}


def test_a_lost_phone_is_helped(as_sure_owner: Client, viewer: User) -> None:
    Authenticator.objects.create(user=viewer, type="totp", data={"secret": "x"})
    as_sure_owner.post(f"{PEOPLE}{viewer.pk}/factors/remove/")
    assert not Authenticator.objects.filter(user=viewer).exists()


def test_another_address_is_the_only_one(as_sure_owner: Client, viewer: User) -> None:
    as_sure_owner.post(f"{PEOPLE}{viewer.pk}/", {"email": "new@example.com"})
    assert [it.email for it in EmailAddress.objects.filter(user=viewer)] == ["new@example.com"]


@pytest.mark.parametrize(
    ("button", "said"),
    [
        ("off", "Switch off viktor?"),
        ("sessions/end", "End all sessions of viktor?"),
        ("owner", "Make viktor owner of everything?"),
        ("factors/remove", "Remove the second step of viktor?"),
    ],
)
def test_what_a_click_too_many_would_hurt_is_asked_first(
    as_sure_owner: Client, viewer: User, button: str, said: str
) -> None:
    Authenticator.objects.create(user=viewer, type="totp", data={"secret": "x"})
    signed_in(viewer).get("/")
    address, before = f"{PEOPLE}{viewer.pk}/{button}/", AuditEntry.objects.latest("number").number
    asked = as_sure_owner.get(address).content.decode()
    assert said in asked
    assert "viktor@example.com" in asked
    assert AuditEntry.objects.latest("number").number == before
    shown = as_sure_owner.get(f"{PEOPLE}{viewer.pk}/").content.decode()
    assert f'action="{address}"' not in shown
    assert f'href="{address}"' in shown or button == "sessions/end"  # he has no such session
    assert as_sure_owner.post(address).headers["Location"] == f"{PEOPLE}{viewer.pk}/"
