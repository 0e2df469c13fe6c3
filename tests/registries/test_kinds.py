"""A kind's own settings and second credential, and finding out the kind."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import ClassVar

import pytest
from django.core.exceptions import ValidationError

from registries.actor import Actor
from registries.connection_checks import check_connection
from registries.connections import change_registry, connect_registry, needs_check, settings_of
from registries.connectors import CONNECTORS, Ability, Field
from registries.connectors.abilities import POWERS
from registries.connectors.standard import StandardConnector
from registries.models import ApiCredential, Registry
from registries.oci.client import Ping
from registries.registry_settings import RegistrySettings, cleaned
from tests.fakes import content
from tests.fakes.registry import FakeRegistry

ANNA = Actor(kind="user", id="1", label="anna")

pytestmark = pytest.mark.django_db(transaction=True)


class Quayside(StandardConnector):
    """A vendor of these tests' own."""

    kind: ClassVar[str] = "quayside"
    label: ClassVar[str] = "Quayside"
    judges_access: ClassVar[bool] = True
    own_permissions: ClassVar[str] = "the harbour master's"
    abilities: ClassVar[frozenset[Ability]] = frozenset({Ability.CATALOG})
    fields: ClassVar[tuple[Field, ...]] = (
        Field("pier", "Pier", required=True),
        Field("flag", "Flag", advanced=True),
        Field("api_username", "API user"),
        Field("api_secret", "API secret"),
    )
    address: ClassVar[str] = ""

    @classmethod
    def home(cls, host: str) -> str | None:
        return cls.address if host == "quayside.example" else None

    @classmethod
    def recognises(cls, host: str, ping: Ping) -> bool:
        return host == "127.0.0.1" and ping.service == "fake"


@pytest.fixture
def fake() -> Iterator[FakeRegistry]:
    with FakeRegistry() as fake:
        fake.push("team-a/api", content.image(), "v1")
        yield fake


@pytest.fixture(autouse=True)
def quayside(monkeypatch: pytest.MonkeyPatch, fake: FakeRegistry) -> None:
    monkeypatch.setitem(CONNECTORS, "quayside", Quayside)
    monkeypatch.setattr(Quayside, "address", fake.url)


def settings_for(fake: FakeRegistry, **changes: object) -> RegistrySettings:
    values: dict[str, object] = {
        "name": "yard",
        "url": fake.url,
        "allow_private": True,
        "kind": "quayside",
        "options": {"pier": " 7 "},
        "api_username": "robot",
        "api_secret": "a-secret",
    }
    return RegistrySettings(**(values | changes))  # type: ignore[arg-type]  # a test's own values


def refused(settings: RegistrySettings) -> dict[str, list[str]]:
    with pytest.raises(ValidationError) as caught:
        cleaned(settings)
    return caught.value.message_dict


# A kind's own settings ---------------------------------------------------------------------------


def test_options_are_kept_without_what_is_empty(fake: FakeRegistry) -> None:
    settings = settings_for(fake, options={"pier": " 7 ", "flag": " "})
    assert cleaned(settings).options == {"pier": "7"}


def test_a_missing_option_is_named_as_people_know_it(fake: FakeRegistry) -> None:
    assert refused(settings_for(fake, options={})) == {"pier": ["Quayside needs “Pier”."]}


def test_an_option_of_another_kind_is_refused_with_those_there_are(fake: FakeRegistry) -> None:
    told = refused(settings_for(fake, options={"pier": "7", "tenant": "x"}))["options"]
    assert told == ["Quayside has no setting “tenant”. It has: pier, flag."]


@pytest.mark.parametrize("text", ["two\nlines", "x" * 1001])
def test_an_option_is_one_line(fake: FakeRegistry, text: str) -> None:
    assert list(refused(settings_for(fake, options={"pier": text}))) == ["pier"]


def test_what_was_stored_reaches_the_connector(fake: FakeRegistry) -> None:
    registry = connect_registry(check=check_connection(settings_for(fake)), actor=ANNA)
    connection = Registry.objects.get().connection()
    assert connection.options == {"pier": "7"}
    assert connection.api_credentials == ("robot", "a-secret")
    assert settings_of(registry).api_secret is None


def test_a_stored_secret_does_not_follow_other_settings_of_the_kind(fake: FakeRegistry) -> None:
    registry = connect_registry(check=check_connection(settings_for(fake)), actor=ANNA)
    for changes in ({"options": {"pier": "8"}}, {"api_username": "mallory"}):
        settings = replace(settings_of(registry), **changes)
        assert needs_check(registry, settings)
        with pytest.raises(ValidationError, match="Enter the secret again"):
            check_connection(settings, stored=registry)


def test_a_new_secret_is_told_only_as_a_fact(fake: FakeRegistry) -> None:
    registry = connect_registry(check=check_connection(settings_for(fake)), actor=ANNA)
    settings = replace(settings_of(registry), api_secret="another")
    check = check_connection(settings, stored=registry)
    change_registry(registry=registry, settings=settings, check=check, actor=ANNA)
    assert ApiCredential.objects.get().secret.reveal() == "another"


def test_a_kind_without_a_second_credential_keeps_none(fake: FakeRegistry) -> None:
    registry = connect_registry(check=check_connection(settings_for(fake)), actor=ANNA)
    settings = settings_for(fake, kind="distribution", options={}, api_username="", api_secret=None)
    settings = replace(settings, username="", password=None)
    ApiCredential.objects.all().delete()
    check = check_connection(settings, stored=registry)
    change_registry(registry=registry, settings=settings, check=check, actor=ANNA)
    assert not ApiCredential.objects.exists()


# Finding out -------------------------------------------------------------------------------------


def found(fake: FakeRegistry, **changes: object) -> RegistrySettings:
    plain: dict[str, object] = {"kind": "", "api_username": "", "api_secret": None}
    return check_connection(settings_for(fake, **(plain | changes))).settings


def test_what_no_vendor_recognises_is_plain_distribution(fake: FakeRegistry) -> None:
    assert found(fake, options={}).kind == "distribution"


def test_a_registry_is_known_by_how_it_introduces_itself(fake: FakeRegistry) -> None:
    fake.sign_in.method, fake.sign_in.anonymous = "bearer", True
    settings = found(fake)
    assert (settings.kind, settings.url) == ("quayside", fake.url)
    assert "Authorization" not in fake.seen("GET")[0]
    assert fake.requests[0].authorization is None


def test_a_vendors_own_host_is_dialled_where_it_is_served(fake: FakeRegistry) -> None:
    settings = found(fake, url="quayside.example")
    assert (settings.kind, settings.url) == ("quayside", fake.url)
    assert settings.public_host == "quayside.example"


def test_a_kind_found_out_asks_for_what_it_needs(fake: FakeRegistry) -> None:
    with pytest.raises(ValidationError, match="Quayside needs"):
        found(fake, url="quayside.example", options={})


def test_what_does_not_answer_says_so_step_by_step() -> None:
    settings = RegistrySettings(name="yard", url="https://no-such-host.invalid")
    check = check_connection(settings)
    assert check.failure is not None
    assert check.failure.name == "dns"
    assert check.powers == ()


def test_a_check_that_passed_says_what_the_credential_may_do(fake: FakeRegistry) -> None:
    check = check_connection(settings_for(fake))
    told = {power.name: power.allowed for power in check.powers}
    assert tuple(told) == POWERS
    assert told == {"list": True, "pull": True, "delete": False, "webhooks": False}


def test_powers_come_from_what_the_token_server_grants(fake: FakeRegistry) -> None:
    fake.sign_in.method, fake.sign_in.anonymous = "bearer", True
    check = check_connection(
        settings_for(fake, kind="distribution", options={}, api_username="", api_secret=None)
    )
    told = {power.name: power.allowed for power in check.powers}
    assert (told["list"], told["pull"], told["delete"]) == (True, True, None)
