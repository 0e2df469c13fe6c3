"""Docker's access to a registry for programs: its setup, the admin account, a token tried out."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from access.models import AdminAccount, AuditEntry, Secret, Team, User
from access.scopes import Scope
from access.tokens import log, signing
from registries.models import Registry
from tests import catalog
from tests.access.tokens import asking
from tests.cast import give, signed_in
from tests.dashboard.api.client import Api, token_of
from tests.reassured import reassured

pytestmark = pytest.mark.django_db
DOCKER = "/registries/harbour/docker"
ON = {"admin_account": {"enabled": True}}
OFF = {"admin_account": {"enabled": False}}


@pytest.fixture(autouse=True)
def harbour(db: None) -> Registry:
    return catalog.registry("harbour")


def test_the_setup_is_what_each_registry_needs(api_owner: Api, settings: Settings) -> None:
    settings.PUBLIC_URL = "https://portolan.example.com"
    answer = api_owner.get(DOCKER)
    shown = answer.json()
    (key,) = signing.ensured()
    assert shown["takes_tokens"] is True
    for name in ("distribution_2", "distribution_3"):
        assert 'realm: "https://portolan.example.com/auth/token"' in shown["setup"][name]
        assert 'service: "harbour"' in shown["setup"][name]
    assert '"bearer"' in shown["setup"]["zot"]
    assert shown["setup"]["certificates"] == key.certificate
    assert f'"kid": "{key.kid}"' in shown["setup"]["jwks"]
    assert "PRIVATE" not in answer.content.decode()
    assert shown["admin_account"] == {
        "enabled": False,
        "enabled_at": None,
        "username": "harbour",
        "may_hand_out": True,
        "passwords": [],
    }
    Registry.objects.update(kind="acr")
    assert api_owner.get(DOCKER).json()["takes_tokens"] is False


def test_the_account_is_switched_on_given_a_password_once_and_switched_off(
    api_owner: Api,
) -> None:
    assert api_owner.patch(DOCKER, ON).json()["admin_account"]["enabled"] is True
    made = api_owner.post(f"{DOCKER}/passwords/2")
    assert made.status_code == 201
    assert "no-store" in made.headers["Cache-Control"]
    text = made.json()["secret"]
    assert (made.json()["slot"], made.json()["username"]) == (2, "harbour")
    assert asking.get(Client(), (), ("harbour", text)).status_code == 200
    shown = api_owner.get(DOCKER)
    assert [one["key_id"] for one in shown.json()["admin_account"]["passwords"]] == [
        made.json()["key_id"]
    ]
    assert text not in shown.content.decode()
    api_owner.patch(DOCKER, OFF)
    assert asking.get(Client(), (), ("harbour", text)).status_code == 401
    switched = AuditEntry.objects.filter(event="admin account switched")
    assert [entry.actor_label for entry in switched] == ["anna", "anna"]


def test_a_new_password_ends_the_one_in_its_place(api_owner: Api) -> None:
    api_owner.patch(DOCKER, ON)
    first, second = (api_owner.post(f"{DOCKER}/passwords/1").json() for _ in range(2))
    assert asking.get(Client(), (), ("harbour", first["secret"])).status_code == 401
    assert asking.get(Client(), (), ("harbour", second["secret"])).status_code == 200


def test_of_an_account_that_is_off_none_is_made(api_owner: Api) -> None:
    answer = api_owner.post(f"{DOCKER}/passwords/1")
    assert (answer.status_code, answer.json()["detail"]) == (
        422,
        "The admin account is switched off.",
    )
    assert api_owner.post(f"{DOCKER}/passwords/3").status_code == 404
    assert not Secret.objects.filter(kind="adm").exists()


def test_a_session_that_was_taken_over_makes_none(owner: User, api_owner: Api) -> None:
    api_owner.patch(DOCKER, ON)
    refused = Api(client=signed_in(owner)).post(f"{DOCKER}/passwords/1")
    assert refused.status_code == 403
    assert not Secret.objects.filter(kind="adm").exists()
    assert Api(client=reassured(owner)).post(f"{DOCKER}/passwords/1").status_code == 201


def test_a_token_that_allows_less_hands_out_nothing(owner: User) -> None:
    narrow = Api(token_of(owner, actions=["access manage"], scopes=["harbour"]))
    assert narrow.get(DOCKER).json()["admin_account"]["may_hand_out"] is False
    assert narrow.patch(DOCKER, ON).status_code == 403
    AdminAccount.objects.create(registry=Registry.objects.get(), enabled_at=catalog.NOON)
    assert narrow.post(f"{DOCKER}/passwords/1").status_code == 403
    assert narrow.patch(DOCKER, OFF).status_code == 200
    assert not Secret.objects.filter(kind="adm").exists()


def test_a_change_of_what_changed_since_is_refused(api_owner: Api) -> None:
    read = {"If-Match": api_owner.get(DOCKER).headers["ETag"]}
    assert api_owner.patch(DOCKER, ON, headers=read).status_code == 200
    assert api_owner.patch(DOCKER, OFF, headers=read).status_code == 412
    unknown = api_owner.patch(DOCKER, {"admin_account": {"enable": False}})
    assert unknown.json()["errors"][0]["field"] == "admin_account.enable"
    assert AdminAccount.objects.get().enabled_at is not None


def test_who_does_not_manage_access_to_all_of_it_is_refused(
    api_outsider: Api, outsider: User
) -> None:
    assert api_outsider.get(DOCKER).status_code == 404
    assert api_outsider.patch(DOCKER, ON).status_code == 404
    give(outsider, "owner", Scope("harbour", "team-a/*"))
    api = Api.of(outsider)
    for answer in (
        api.get(DOCKER),
        api.patch(DOCKER, ON),
        api.post(f"{DOCKER}/passwords/1"),
        api.get(f"{DOCKER}/tokens"),
    ):
        assert answer.status_code == 403
    assert not AdminAccount.objects.exists()


def test_a_token_is_tried_out_for_somebody(api_owner: Api) -> None:
    asking.machine("ci", "pusher", Scope("harbour", "team-a/*"))
    asked = "repository:team-a/app:pull,push,delete repository:b:pull"
    rows = api_owner.get(f"{DOCKER}/trial", principal="sp:ci", scope=asked).json()["items"]
    assert [(row["name"], row["allowed"]) for row in rows] == [
        ("team-a/app", ["pull", "push"]),
        ("b", []),
    ]
    assert log.flush() == 0


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"principal": "sp:nobody", "scope": "repository:b:pull"}, "principal"),
        ({"principal": "team:crew", "scope": "repository:b:pull"}, "principal"),
        ({"principal": "somebody", "scope": "repository:b:pull"}, "principal"),
        ({"principal": "anonymous", "scope": "b"}, "scope"),
        ({"principal": "anonymous"}, "scope"),
    ],
)
def test_a_question_that_makes_no_sense_is_refused(
    api_owner: Api, query: dict[str, Any], field: str
) -> None:
    Team.objects.create(name="crew")
    answer = api_owner.get(f"{DOCKER}/trial", **query)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, field)


def test_recent_tokens_of_this_registry_are_listed(api_owner: Api) -> None:
    other = catalog.registry("other")
    who = asking.login(asking.machine("ci", "pusher", Scope("harbour")))
    asking.get(Client(), "repository:team-a/app:pull", who)
    asking.get(Client(), "registry:catalog:*", service=other.name)
    log.flush()
    rows = api_owner.get(f"{DOCKER}/tokens").json()["items"]
    assert [(row["principal"], row["access"]) for row in rows] == [
        ("sp:ci", {"team-a/app": ["pull"]})
    ]
