"""The page about docker's access to a registry: setup, a token tried out, the admin account."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from access.models import AdminAccount, AuditEntry, Grant, Role, Secret, Team, User
from access.scopes import Scope
from access.secrets import parse
from access.tokens import log, signing
from registries.models import Registry
from tests import catalog
from tests.access.tokens import asking
from tests.cast import give, signed_in
from tests.reassured import reassured

pytestmark = pytest.mark.django_db(transaction=True)
PAGE = "/r/harbour/-/docker"


@pytest.fixture(autouse=True)
def harbour(db: None) -> Registry:
    return catalog.registry("harbour")


@pytest.fixture
def as_owner_of_harbour(outsider: User) -> Client:
    give(outsider, "owner", Scope("harbour"))
    return reassured(outsider)


@pytest.fixture
def as_sure_owner(owner: User) -> Client:
    """Who has just given the password again."""
    return reassured(owner)


def account() -> AdminAccount | None:
    return AdminAccount.objects.filter(enabled_at__isnull=False).first()


def shown_secret(response: Any) -> str:
    found = re.search(r"ptl_adm_\w+", response.content.decode())
    assert found
    return found[0]


# Who may -------------------------------------------------------------------------------------------


def test_who_sees_nothing_of_the_registry_finds_no_page(as_outsider: Client) -> None:
    for path in (PAGE, f"{PAGE}/admin/1"):
        assert as_outsider.get(path).status_code == 404
    for path in (f"{PAGE}/admin", f"{PAGE}/admin/1"):
        assert as_outsider.post(path, {"state": "on"}).status_code == 404
    assert account() is None


@pytest.mark.parametrize(
    ("role", "scope"), [("reader", "harbour"), ("contributor", "harbour"), ("owner", "harbour/a/*")]
)
def test_who_does_not_manage_access_to_all_of_it_is_refused(
    outsider: User, role: str, scope: str
) -> None:
    give(outsider, role, Scope.parse(scope))
    client = signed_in(outsider)
    for path in (PAGE, f"{PAGE}/admin/1"):
        assert client.get(path).status_code == 403
    for path in (f"{PAGE}/admin", f"{PAGE}/admin/1"):
        assert client.post(path, {"state": "on"}).status_code == 403
    assert account() is None
    assert "Docker access" not in client.get("/r/harbour/").content.decode()


def test_an_owner_of_another_registry_finds_no_page(outsider: User) -> None:
    catalog.registry("other")
    give(outsider, "owner", Scope("other"))
    client = signed_in(outsider)
    assert client.get(PAGE).status_code == 404
    assert client.post(f"{PAGE}/admin", {"state": "on"}).status_code == 404
    assert account() is None


def test_an_owner_of_the_registry_may_do_all_of_it(as_owner_of_harbour: Client) -> None:
    assert "Docker access" in as_owner_of_harbour.get("/r/harbour/").content.decode()
    assert as_owner_of_harbour.get(PAGE).status_code == 200
    as_owner_of_harbour.post(f"{PAGE}/admin", {"state": "on"})
    assert account()
    assert as_owner_of_harbour.post(f"{PAGE}/admin/1").status_code == 201


def test_who_only_manages_access_switches_it_off_and_not_on(outsider: User, owner: User) -> None:
    role = Role.objects.create(name="keeper", label="Keeper", actions=["access manage"])
    registry = Registry.objects.get()
    Grant.objects.create(user=outsider, role=role, registry=registry)
    AdminAccount.objects.create(registry=registry, enabled_at=catalog.NOON)
    client = signed_in(outsider)
    assert client.get(f"{PAGE}/admin/1").status_code == 403
    assert client.post(f"{PAGE}/admin/1").status_code == 403
    client.post(f"{PAGE}/admin", {"state": "off"})
    assert account() is None
    assert client.post(f"{PAGE}/admin", {"state": "on"}).status_code == 403
    assert account() is None


# Setup ---------------------------------------------------------------------------------------------


def test_the_page_has_what_each_registry_needs(as_owner: Client, settings: Settings) -> None:
    settings.PUBLIC_URL = "https://portolan.example.com"
    page = unescape(as_owner.get(PAGE).content.decode())
    (key,) = signing.ensured()
    for text in (
        'realm: "https://portolan.example.com/auth/token"',
        'service: "harbour"',
        'issuer: "https://portolan.example.com"',
        "rootcertbundle:",
        'signingalgorithms: ["ES256"]',
        '"bearer"',
        key.certificate.strip(),
        f'"kid": "{key.kid}"',
        "token_certificate",
    ):
        assert text in page, text
    assert "PRIVATE" not in page


def test_a_registry_that_judges_by_itself_is_said_to(as_owner: Client) -> None:
    Registry.objects.update(kind="acr")
    page = as_owner.get(PAGE).content.decode()
    assert "judges by itself" in page
    assert "rootcertbundle" not in page


# A token tried out ---------------------------------------------------------------------------------


def tried(client: Client, who: str, scope: str) -> Any:
    return client.get(PAGE, {"who": who, "scope": scope})


def test_a_token_is_tried_out_for_somebody(as_owner: Client) -> None:
    asking.machine("ci", "pusher", Scope("harbour", "team-a/*"))
    asked = "repository:team-a/app:pull,push,delete repository:b:pull"
    answers = tried(as_owner, "sp:ci", asked).context["answers"]
    assert [(one.name, allowed and allowed.actions) for one, allowed in answers] == [
        ("team-a/app", ("pull", "push")),
        ("b", None),
    ]
    assert not AuditEntry.objects.filter(event="token refused", target="sp:ci").exists()
    assert log.flush() == 0


def test_a_token_is_tried_out_for_the_public(as_owner: Client) -> None:
    Grant.objects.create(is_public=True, role=Role.objects.get(name="puller"))
    ((_asked, allowed),) = tried(as_owner, "anonymous", "repository:b:pull").context["answers"]
    assert allowed.actions == ("pull",)


@pytest.mark.parametrize(
    ("who", "scope", "says"),
    [
        ("sp:nobody", "repository:b:pull", "There is no sp:nobody"),
        ("team:crew", "repository:b:pull", "does not sign in"),
        ("somebody", "repository:b:pull", "is nobody"),
        ("anonymous", "b", "as docker does"),
        ("anonymous", "", "required"),
        ("anonymous", "<script>:a:pull", "&lt;script&gt;"),
    ],
)
def test_a_question_that_makes_no_sense_is_told_so(
    as_owner: Client, who: str, scope: str, says: str
) -> None:
    Team.objects.create(name="crew")
    shown = tried(as_owner, who, scope)
    assert shown.status_code == 200
    assert says in shown.content.decode()


# The admin account ---------------------------------------------------------------------------------


def test_it_is_switched_on_given_a_password_once_and_switched_off(as_sure_owner: Client) -> None:
    assert "Make one" not in as_sure_owner.get(PAGE).content.decode()
    as_sure_owner.post(f"{PAGE}/admin", {"state": "on"})
    assert "Make one" in as_sure_owner.get(PAGE).content.decode()

    assert "shown on the next page, once" in as_sure_owner.get(f"{PAGE}/admin/2").content.decode()
    assert not Secret.objects.exists()
    made = as_sure_owner.post(f"{PAGE}/admin/2")
    assert "no-store" in made.headers["Cache-Control"]
    text = shown_secret(made)
    presented = parse(text)
    assert presented is not None
    assert Secret.objects.get().slot == 2
    assert asking.get(Client(), (), ("harbour", text)).status_code == 200
    assert text not in as_sure_owner.get(PAGE).content.decode()

    as_sure_owner.post(f"{PAGE}/admin", {"state": "off"})
    assert asking.get(Client(), (), ("harbour", text)).status_code == 401


def test_a_session_that_was_taken_over_makes_no_password(as_owner: Client) -> None:
    as_owner.post(f"{PAGE}/admin", {"state": "on"})
    for asked in (as_owner.get(f"{PAGE}/admin/1"), as_owner.post(f"{PAGE}/admin/1")):
        assert asked.headers["Location"].startswith("/accounts/reauthenticate/?next=")
    assert not Secret.objects.exists()


def test_a_password_of_an_account_that_is_off_is_not_made(as_sure_owner: Client) -> None:
    assert as_sure_owner.post(f"{PAGE}/admin/1", follow=True).status_code == 200
    assert not Secret.objects.exists()


@pytest.mark.parametrize("slot", ["0", "3", "99"])
def test_there_are_two_passwords(as_owner: Client, slot: str) -> None:
    as_owner.post(f"{PAGE}/admin", {"state": "on"})
    assert as_owner.post(f"{PAGE}/admin/{slot}").status_code == 404


def test_fields_that_are_not_asked_for_change_nothing(as_sure_owner: Client) -> None:
    catalog.registry("other")
    extra = {"registry": "other", "slot": "1", "kind": "pat", "expires_at": "2000-01-01"}
    as_sure_owner.post(f"{PAGE}/admin", {"state": "on", **extra})
    as_sure_owner.post(f"{PAGE}/admin/2", extra)
    secret = Secret.objects.get()
    assert (secret.kind, secret.slot, secret.expires_at) == ("adm", 2, None)
    assert secret.admin_account is not None
    assert secret.admin_account.registry.name == "harbour"


def test_forms_need_the_csrf_token(owner: User) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(owner)
    for path in (f"{PAGE}/admin", f"{PAGE}/admin/1"):
        assert strict.post(path, {"state": "on"}).status_code == 403
    assert account() is None


def test_a_link_switches_nothing(as_owner: Client) -> None:
    assert as_owner.get(f"{PAGE}/admin", {"state": "on"}).status_code == 405
    assert account() is None


# Recent tokens -------------------------------------------------------------------------------------


def test_recent_tokens_of_this_registry_are_listed(as_owner: Client, viewer: User) -> None:
    other = catalog.registry("other")
    who = asking.login(asking.machine("ci", "pusher", Scope("harbour")))
    asking.get(Client(), "repository:team-a/app:pull", who)
    asking.get(Client(), "registry:catalog:*", service=other.name)
    log.flush()
    tokens = as_owner.get(PAGE).context["tokens"]
    assert [(one.principal, one.access) for one in tokens] == [("sp:ci", {"team-a/app": ["pull"]})]
