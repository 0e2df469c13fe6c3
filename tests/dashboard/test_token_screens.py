"""A person's tokens on screen: shown once, narrower than he is, and nobody else's."""

from __future__ import annotations

import logging
import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from access.models import AuditEntry, Secret, User
from access.scopes import Scope
from access.secrets import mint, parse
from tests import catalog
from tests.cast import PASSWORD, give, signed_in
from tests.reassured import reassured

pytestmark = pytest.mark.django_db(transaction=True)
NEW = "/access/tokens/new/"
TEXT = re.compile(r"ptl_pat_[0-9A-Za-z]{10}_[0-9A-Za-z]{43}_[0-9A-Za-z]{6}")


@pytest.fixture(autouse=True)
def harbour(db: None) -> None:
    catalog.registry("harbour")
    catalog.registry("hidden")


@pytest.fixture
def reader(outsider: User) -> User:
    """Reads below one prefix."""
    give(outsider, "reader", Scope("harbour", "team-a/*"))
    return outsider


def soon(days: int = 30) -> str:
    return (timezone.localdate() + timedelta(days=days)).isoformat()


def held(user: User, **fields: object) -> Secret:
    minted = mint(Secret.Kind.PERSONAL)
    said = {"label": "laptop", "expires_at": timezone.now() + timedelta(days=9)} | fields
    return Secret.objects.create(
        kind="pat", user=user, key_id=minted.key_id, digest=minted.digest, **said
    )


def test_a_new_token_is_shown_once_and_kept_nowhere(
    reader: User, caplog: pytest.LogCaptureFixture
) -> None:
    client = reassured(reader)
    fields = {
        "label": "laptop",
        "expires_at": soon(),
        "actions": ["content read"],
        "scope": "harbour/team-a/app",
        "scopes": "harbour/team-a/app\nharbour/team-a/web/*\n",
    }
    with caplog.at_level(logging.DEBUG):
        answer = client.post(NEW, fields)
    assert answer.status_code == 201
    assert "no-store" in answer.headers["Cache-Control"]
    page = answer.content.decode()
    (text,) = set(TEXT.findall(page))
    stored = Secret.objects.get()
    presented = parse(text)
    assert presented is not None
    assert presented.matches(stored.digest)
    assert (stored.user, stored.label, stored.created_by) == (reader, "laptop", "otto")
    assert stored.actions == ["content read"]
    assert stored.scopes == ["harbour/team-a/app", "harbour/team-a/web/*"]
    assert "--username otto --password-stdin" in page
    hidden = text.rsplit("_", 2)[1]
    for address in ("/access/tokens/", NEW, "/access/credentials/", "/"):
        assert hidden not in client.get(address).content.decode(), address
    assert hidden not in repr(list(AuditEntry.objects.values()))
    assert hidden not in repr(dict(client.session))
    assert hidden not in caplog.text


def test_who_did_not_just_sign_in_is_asked_who_he_is_first(reader: User) -> None:
    client = signed_in(reader)
    fields = {"label": "laptop", "expires_at": soon()}
    for asked in (client.get(NEW), client.post(NEW, fields)):
        assert asked.status_code == 302
        assert asked.headers["Location"].startswith("/accounts/reauthenticate/?next=")
    assert not Secret.objects.exists()
    wrong = {"password": "something else", "next": NEW}
    assert client.post("/accounts/reauthenticate/", wrong).status_code == 200
    assert not Secret.objects.exists()
    right = {"password": PASSWORD, "next": NEW}
    assert client.post("/accounts/reauthenticate/", right).status_code == 201
    assert Secret.objects.get().label == "laptop"


def test_the_form_offers_what_its_maker_may_do(reader: User) -> None:
    page = reassured(reader).get(NEW).content.decode()
    assert 'value="content read"' in page
    assert 'value="content write"' not in page


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"label": ""}, "required"),
        ({"label": "x" * 64}, "at most 63"),
        ({"expires_at": ""}, "required"),
        ({"expires_at": "2020-01-01"}, "lies in the future"),
        ({"expires_at": "2999-01-01"}, "At most 365 days ahead"),
        ({"actions": ["content write"]}, "not one of the available choices"),
        ({"actions": ["world rule"]}, "not one of the available choices"),
        ({"scope": "Not A Scope"}, "is not a scope"),
        ({"scopes": "harbour/team-a/app\nUPPER"}, "is not a scope"),
        ({"scope": "hidden"}, "no registry “hidden” that you may know of"),
        ({"scope": "nowhere"}, "no registry “nowhere” that you may know of"),
        ({"scope": "harbour/team-b/*"}, "You may do none of this on harbour/team-b/*"),
    ],
)
def test_what_makes_no_sense_is_sent_back(
    reader: User, changes: dict[str, object], said: str
) -> None:
    answer = reassured(reader).post(NEW, {"label": "kept", "expires_at": soon()} | changes)
    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert not Secret.objects.exists()


def test_the_last_day_offered_is_one_that_is_taken(reader: User, settings: Settings) -> None:
    settings.PERSONAL_TOKEN_MAX_DAYS = 7
    client = reassured(reader)
    form = client.get(NEW).context["form"]
    last = form.fields["expires_at"].widget.attrs["max"]
    assert form["expires_at"].value().isoformat() == last
    assert client.post(NEW, {"label": "laptop", "expires_at": last}).status_code == 201


def test_nobody_chooses_whose_and_what_it_is(reader: User, owner: User) -> None:
    extra = {
        "user": str(owner.pk),
        "user_id": str(owner.pk),
        "kind": "adm",
        "key_id": "chosen",
        "digest": "chosen",
        "is_superuser": "on",
        "created_by": "anna",
        "last_used_from": "203.0.113.9",
    }
    fields = {"label": "laptop", "expires_at": soon()}
    assert reassured(reader).post(NEW, fields | extra).status_code == 201
    made = Secret.objects.get()
    assert (made.user, made.kind, made.created_by) == (reader, "pat", "otto")
    assert "chosen" not in (made.key_id, made.digest)
    assert made.last_used_from is None
    reader.refresh_from_db()
    assert not reader.is_superuser


def test_one_lists_ones_own_and_nobody_elses(reader: User, owner: User) -> None:
    mine, other = held(reader), held(owner)
    over = held(reader, label="over", expires_at=timezone.now() - timedelta(days=1))
    client = signed_in(reader)
    assert list(client.get("/access/tokens/").context["page"].rows) == [mine]
    assert list(client.get("/access/tokens/?state=ended").context["page"].rows) == [over]
    as_owner = signed_in(owner)
    assert list(as_owner.get("/access/tokens/?sort=ends").context["page"].rows) == [other]


def test_one_revokes_ones_own_and_nobody_elses(reader: User, viewer: User) -> None:
    """With, without, and with it elsewhere: managing one registry is not managing people."""
    token = held(reader)
    address = f"/access/tokens/{token.key_id}/revoke/"
    give(viewer, "owner", Scope("harbour"))
    for client in (signed_in(viewer), signed_in(User.objects.create_user("stranger"))):
        assert client.get(address).status_code == 404
        assert client.post(address).status_code == 404
    assert not Secret.objects.exclude(revoked_at=None).exists()
    own = signed_in(reader)
    assert "Revoke “laptop”" in own.get(address).content.decode()
    assert not Secret.objects.exclude(revoked_at=None).exists()
    assert own.post(address).headers["Location"] == "/access/tokens/"
    assert Secret.objects.exclude(revoked_at=None).get() == token


def test_who_manages_access_everywhere_revokes_anybodys(as_owner: Client, reader: User) -> None:
    token = held(reader)
    address = f"/access/tokens/{token.key_id}/revoke/"
    assert "A token of otto" in as_owner.get(address).content.decode()
    assert as_owner.post(address).headers["Location"] == "/access/credentials/"
    assert Secret.objects.exclude(revoked_at=None).get() == token
    assert AuditEntry.objects.latest("number").actor_label == "anna"


def test_a_secret_that_is_no_token_is_not_there(as_owner: Client) -> None:
    from access.models import ServicePrincipal

    machine = ServicePrincipal.objects.create(name="ci")
    Secret.objects.create(kind="sp", service_principal=machine, slot=1, key_id="k" * 10, digest="x")
    assert as_owner.post(f"/access/tokens/{'k' * 10}/revoke/").status_code == 404


def test_every_form_needs_its_token(reader: User) -> None:
    token = held(reader)
    client = Client(enforce_csrf_checks=True)
    client.cookies = reassured(reader).cookies
    for address in (NEW, f"/access/tokens/{token.key_id}/revoke/"):
        fields = {"label": "laptop", "expires_at": soon()}
        assert client.post(address, fields).status_code == 403, address
    assert Secret.objects.get().revoked_at is None
