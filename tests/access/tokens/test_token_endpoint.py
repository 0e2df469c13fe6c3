"""`/auth/token`, asked in every form: who gets a token, and what it allows."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

import jwt
import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from access.models import AdminAccount, AuditEntry, Grant, Role, Secret, User
from access.scopes import Scope
from access.tokens.forms import MOST_BYTES
from access.tokens.scope import MOST_SCOPES
from registries.models import Registry
from tests import catalog
from tests.access.tokens import asking
from tests.access.tokens.asking import access, get, post, read
from tests.cast import give

pytestmark = pytest.mark.django_db

APP = "repository:team-a/app"


@pytest.fixture
def client() -> Client:
    return Client(enforce_csrf_checks=True)


@pytest.fixture(autouse=True)
def harbour(db: None) -> Registry:
    return catalog.registry("harbour")


@pytest.fixture
def pusher(harbour: Registry) -> asking.Login:
    """A machine that pushes below team-a."""
    return asking.login(asking.machine("ci", "pusher", Scope("harbour", "team-a/*")))


def soon() -> Any:
    return timezone.now() + timedelta(hours=1)


def test_a_pusher_gets_pull_and_push_under_its_pattern_and_less_elsewhere(
    client: Client, pusher: asking.Login
) -> None:
    asked = [f"{APP}:pull,push", "repository:team-b/app:pull,push", "repository:team-a:pull"]
    assert access(client, get(client, asked, pusher)) == {APP: ["pull", "push"]}
    assert access(client, post(client, " ".join(asked), pusher)) == {APP: ["pull", "push"]}


def test_a_reader_is_not_refused_and_gets_no_push(client: Client, viewer: User) -> None:
    who = asking.token_of(viewer, soon())
    assert access(client, get(client, f"{APP}:push,pull", who)) == {APP: ["pull"]}
    assert access(client, get(client, f"{APP}:push", who)) == {}
    entry = AuditEntry.objects.latest("number")
    assert (entry.event, entry.target, entry.way) == ("token refused", "user:viktor", "docker")
    assert (entry.actor_label, entry.registry) == ("viktor", "harbour")
    assert entry.new == {"account": "user:viktor", "asked": f"{APP}:push", "because": "not granted"}


def test_a_login_check_gets_a_token_that_allows_nothing(
    client: Client, pusher: asking.Login
) -> None:
    said = get(client, (), pusher, account="ci", client_id="docker", offline_token="true")
    assert access(client, said) == {}
    assert read(client, said.json()["token"])["sub"] == "ci"
    assert "refresh_token" not in said.json()


def test_the_answer_has_both_names_of_the_token_and_says_how_long_it_is_good(
    client: Client, pusher: asking.Login
) -> None:
    said = get(client, f"{APP}:pull", pusher)
    body = said.json()
    assert body["token"] == body["access_token"]
    assert body["expires_in"] == 300
    assert body["issued_at"].endswith("Z")
    assert said.headers["Cache-Control"] == "no-store"
    form = post(client, f"{APP}:pull,push", pusher).json()
    assert (form["scope"], form["token_type"]) == (f"{APP}:pull,push", "Bearer")


def test_times_are_whole_seconds_begin_in_the_past_and_every_token_is_one_of_its_kind(
    client: Client, pusher: asking.Login, settings: Settings
) -> None:
    settings.TOKEN_LIFETIME_SECONDS = 120
    tokens = [get(client, f"{APP}:pull", pusher).json()["token"] for _ in range(2)]
    one, two = (read(client, token) for token in tokens)
    assert all(type(one[name]) is int for name in ("exp", "nbf", "iat"))
    assert one["exp"] - one["iat"] == 120
    assert one["nbf"] <= one["iat"] - 60
    assert abs(one["iat"] - time.time()) < 30
    assert one["aud"] == "harbour"
    assert one["jti"] != two["jti"]
    header = jwt.get_unverified_header(tokens[0])
    assert (header["typ"], header["alg"]) == ("JWT", "ES256")
    assert not {"x5c", "jwk"} & set(header)


def test_the_public_gets_what_was_granted_to_everybody(
    client: Client, harbour: Registry, pusher: asking.Login
) -> None:
    asked = ["repository:public/app:pull,push", f"{APP}:pull"]
    assert access(client, get(client, asked)) == {}
    puller = Role.objects.get(name="puller")
    Grant.objects.create(is_public=True, role=puller, registry=harbour, path="public/*")
    for said in (get(client, asked), post(client, " ".join(asked))):
        assert access(client, said) == {"repository:public/app": ["pull"]}
        assert read(client, said.json()["token"])["sub"] == ""
    assert "repository:public/app" in access(client, get(client, asked, pusher))


def test_the_catalog_is_listed_by_who_may(client: Client, viewer: User) -> None:
    asked = "registry:catalog:*"
    assert access(client, get(client, asked, asking.token_of(viewer, soon()))) == {
        "registry:catalog": ["*"]
    }
    assert access(client, get(client, asked)) == {}


def test_nothing_is_allowed_in_a_registry_that_is_not_there_and_nothing_tells_so(
    client: Client, owner: User
) -> None:
    who = asking.token_of(owner, soon())
    said = get(client, f"{APP}:pull", who, service="nowhere")
    assert read(client, said.json()["token"], "nowhere")["access"] == []


def test_a_token_is_for_one_registry(client: Client, viewer: User) -> None:
    catalog.registry("other")
    token = get(client, f"{APP}:pull", asking.token_of(viewer, soon())).json()["token"]
    with pytest.raises(jwt.InvalidAudienceError):
        read(client, token, "other")


def test_a_grant_elsewhere_allows_nothing_here(client: Client, outsider: User) -> None:
    catalog.registry("other")
    give(outsider, "owner", Scope("other"))
    who = asking.token_of(outsider, soon())
    assert access(client, get(client, f"{APP}:pull,push,delete", who)) == {}


def test_a_grant_that_ended_allows_nothing(client: Client, outsider: User) -> None:
    grant = give(outsider, "pusher", Scope("harbour"))
    who = asking.token_of(outsider, soon())
    assert access(client, get(client, f"{APP}:push", who)) == {APP: ["push"]}
    Grant.objects.filter(pk=grant.pk).update(until=timezone.now())
    assert access(client, get(client, f"{APP}:push", who)) == {}


def test_a_narrow_token_of_an_owner_is_narrow(client: Client, owner: User) -> None:
    who = asking.token_of(owner, soon(), actions=["content read"], scopes=["harbour/team-a/*"])
    asked = [f"{APP}:pull,push", "repository:team-b/app:pull"]
    assert access(client, get(client, asked, who)) == {APP: ["pull"]}


@pytest.mark.parametrize(
    "limits",
    [{"actions": ["fly"]}, {"scopes": ["a b"]}, {"scopes": [""], "actions": ["content read"]}],
)
def test_limits_that_this_version_does_not_know_allow_nothing(
    client: Client, owner: User, limits: dict[str, list[str]]
) -> None:
    who = asking.token_of(owner, soon(), **limits)
    assert access(client, get(client, f"{APP}:pull", who)) == {}


def test_an_exchanged_secret_is_its_machines(client: Client, pusher: asking.Login) -> None:
    machine = asking.machine("cd", "puller", Scope("harbour"))
    text = asking.secret(Secret.Kind.EXCHANGED, soon(), service_principal=machine)
    assert text.startswith("ptl_oidc_")
    assert access(client, get(client, f"{APP}:pull,push", ("cd", text))) == {APP: ["pull"]}


def test_an_admin_account_has_all_of_its_registry_and_every_use_is_audited(
    client: Client, harbour: Registry
) -> None:
    catalog.registry("other")
    account = AdminAccount.objects.create(registry=harbour, enabled_at=timezone.now())
    who = ("harbour", asking.secret(Secret.Kind.ADMIN, admin_account=account))
    before = AuditEntry.objects.latest("number").number
    asked = [f"{APP}:*", "registry:catalog:*"]
    for _ in range(2):
        assert access(client, get(client, asked, who)) == {
            APP: ["pull", "push", "delete"],
            "registry:catalog": ["*"],
        }
    said = get(client, asked, who, service="other")
    assert read(client, said.json()["token"], "other")["access"] == []
    entries = AuditEntry.objects.filter(number__gt=before, event="admin account used")
    assert [(one.target, one.registry) for one in entries] == [("admin:harbour", "harbour")] * 3


def test_the_largest_token_goes_into_a_header(client: Client, owner: User) -> None:
    owner.username = "a" * 150
    owner.save()
    asked = [
        f"repository:{number:02}{'a' * 253}:pull,push,delete" for number in range(2 * MOST_SCOPES)
    ]
    said = get(client, asked, asking.token_of(owner, soon()))
    assert len(access(client, said)) == MOST_SCOPES
    assert len(said.json()["token"]) < 8 * 1024


# Tokens that are none ------------------------------------------------------------------------------


def forged(token: str, **changes: str) -> dict[str, str]:
    """Tampered copies of a token, by what was done to them."""
    header, body, signature = token.split(".")
    claims = jwt.decode(token, options={"verify_signature": False})
    wider = {**claims, "access": [{"type": "repository", "name": "x", "actions": ["*"]}]}
    kid = jwt.get_unverified_header(token)["kid"]
    none = jwt.encode(wider, "", algorithm="none", headers={"kid": kid})
    wide = none.split(".")[1]
    return {
        "another body": f"{header}.{wide}.{signature}",
        "no algorithm": none,
        "no signature": f"{header}.{body}.",
        "another signature": f"{header}.{body}.{signature[::-1]}",
        "a key of one's own": jwt.encode(wider, "x" * 40, algorithm="HS256", headers={"kid": kid}),
    }


def test_a_token_that_was_tampered_with_is_none(client: Client, pusher: asking.Login) -> None:
    token = get(client, f"{APP}:pull", pusher).json()["token"]
    assert read(client, token)
    for what, forgery in forged(token).items():
        with pytest.raises(jwt.InvalidTokenError):
            pytest.fail(f"{what}: {read(client, forgery)}")


def test_a_token_that_is_replayed_after_its_end_is_none(
    client: Client, pusher: asking.Login, settings: Settings
) -> None:
    settings.TOKEN_LIFETIME_SECONDS = 1
    token = get(client, f"{APP}:pull", pusher).json()["token"]
    time.sleep(1.1)
    with pytest.raises(jwt.ExpiredSignatureError):
        read(client, token)


# Requests that are none ----------------------------------------------------------------------------


@pytest.mark.parametrize("service", ["", "Harbour", "a b", "harbour\n", "x" * 64, "../x", "ä"])
def test_a_service_is_named_like_a_registry(client: Client, service: str) -> None:
    said = get(client, f"{APP}:pull", service=service)
    assert said.status_code == 400
    assert said.json()["error"] == "invalid_request"


@pytest.mark.parametrize("grant_type", ["", "refresh_token", "client_credentials", "PASSWORD"])
def test_other_grant_types_are_not_offered(
    client: Client, pusher: asking.Login, grant_type: str
) -> None:
    said = post(client, f"{APP}:pull", pusher, grant_type=grant_type, refresh_token="x")
    assert said.status_code == 400
    assert said.json()["error"] == "unsupported_grant_type"


@pytest.mark.parametrize(
    ("kind", "length", "status"),
    [
        ("multipart/form-data; boundary=x", 100, 400),
        ("application/json", 100, 400),
        ("", 100, 400),
        (asking.FORM, MOST_BYTES + 1, 413),
    ],
)
def test_strangers_are_read_nothing_of_but_short_forms(
    client: Client, kind: str, length: int, status: int
) -> None:
    said = asking.unread(client, "/auth/token", kind, length)
    assert (said.status_code, said.json()["error"]) == (status, "invalid_request")
    assert said.json()["errors"][0]["message"] == said.json()["error_description"]


@pytest.mark.parametrize(
    ("form", "kind"),
    [("&".join(["a=1"] * 2000), asking.FORM), ("a=1", f"{asking.FORM}; charset=utf-16")],
)
def test_a_form_that_cannot_be_read_is_told_so_in_the_protocols_words(
    client: Client, form: str, kind: str
) -> None:
    said = client.post("/auth/token", form, content_type=kind)
    assert (said.status_code, said.json()["error"]) == (400, "invalid_request")


@pytest.mark.parametrize("method", ["put", "delete", "patch", "head"])
def test_other_methods_are_refused(client: Client, method: str) -> None:
    assert getattr(client, method)("/auth/token").status_code == 405


def test_a_form_needs_no_cookie_and_no_csrf_token(client: Client, pusher: asking.Login) -> None:
    assert post(client, f"{APP}:pull", pusher).status_code == 200


def test_a_secret_in_the_address_is_not_looked_at(client: Client, pusher: asking.Login) -> None:
    name, password = pusher
    said = get(client, f"{APP}:pull", None, username=name, password=password)
    assert access(client, said) == {}


def test_who_is_signed_in_at_the_browser_is_nobody_here(as_owner: Client) -> None:
    assert access(as_owner, get(as_owner, f"{APP}:pull")) == {}


@pytest.mark.parametrize(
    "asked", ["repository", "a" * 100_000, "repository:\x00:pull", "repository:ä:pull", "::*"]
)
def test_scopes_that_are_none_allow_nothing(
    client: Client, pusher: asking.Login, asked: str
) -> None:
    assert access(client, get(client, asked, pusher)) == {}
    assert access(client, post(client, asked, pusher)) == {}
