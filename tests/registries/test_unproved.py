"""Connections that nobody could try out: stored as they are, and never leading a secret elsewhere."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from registries.actor import SYSTEM
from registries.changing.outcomes import asked
from registries.connection_checks import ConnectionCheck, check_connection, check_connections
from registries.connection_secrets import lacks_secret
from registries.connections import (
    NotProvedError,
    change_registry,
    change_unproved,
    connect_registry,
    connect_unproved,
    settings_of,
)
from registries.models import ApiCredential, Registry, RegistryCredential, SyncRun
from registries.oci.errors import AuthenticationFailed
from registries.registry_settings import RegistrySettings
from registries.sync.run import execute_run, request_run
from tests.fakes import doors

pytestmark = pytest.mark.django_db(transaction=True)

NAMED = RegistrySettings(
    name="production", url="https://registry.example.com", kind="distribution", username="robot"
)
AZURE = replace(NAMED, kind="acr", username="", api_username="app")


def stored(settings: RegistrySettings) -> Registry:
    return connect_unproved(settings=settings, actor=SYSTEM)


def test_a_user_name_is_stored_without_its_secret_until_that_is_entered() -> None:
    registry = stored(NAMED)
    assert settings_of(registry) == NAMED
    assert lacks_secret(NAMED, registry)
    with pytest.raises(AuthenticationFailed, match="secret of robot is not here"):
        registry.connection()
    change_unproved(registry=registry, settings=replace(NAMED, password="x"), actor=SYSTEM)
    assert registry.connection().credentials == ("robot", "x")
    assert not lacks_secret(NAMED, registry)


def test_the_same_holds_for_the_second_account_of_a_kind() -> None:
    registry = stored(AZURE)
    assert settings_of(registry) == AZURE
    with pytest.raises(AuthenticationFailed, match="secret of app is not here"):
        registry.connection()
    change_unproved(registry=registry, settings=replace(AZURE, api_secret="x"), actor=SYSTEM)
    assert registry.connection().api_credentials == ("app", "x")


def test_its_first_sync_says_what_is_missing_and_dials_nobody() -> None:
    run = request_run(stored(NAMED), trigger=SyncRun.Trigger.COMMAND, full=False, actor=SYSTEM)
    execute_run(run)
    run.refresh_from_db()
    assert run.state == "failed"
    assert "The secret of robot is not here" in run.summary
    assert "apply the file with it" in run.summary


def test_what_a_person_asks_of_it_is_refused_in_words() -> None:
    async def nothing(_connector: Any) -> None:
        raise AssertionError("dialled")

    assert isinstance(asked(stored(NAMED), nothing), AuthenticationFailed)


def test_an_empty_secret_is_none_where_a_check_asks_for_it() -> None:
    registry = stored(NAMED)
    with pytest.raises(ValidationError, match="Give the password"):
        check_connection(NAMED, stored=registry)
    with pytest.raises(ValidationError, match="Give the secret"):
        check_connection(AZURE, stored=stored(replace(AZURE, name="azure")))


def test_another_name_takes_the_place_of_one_without_a_secret() -> None:
    registry = stored(NAMED)
    change_unproved(registry=registry, settings=replace(NAMED, username="other"), actor=SYSTEM)
    assert RegistryCredential.objects.get().username == "other"


@pytest.mark.parametrize(
    "changes",
    [{"url": "https://elsewhere.example.com"}, {"kind": "zot"}, {"username": "other"}],
)
def test_a_stored_password_is_not_led_elsewhere(changes: dict[str, Any]) -> None:
    registry = stored(replace(NAMED, password="x"))
    with pytest.raises(ValidationError, match="Enter the password again"):
        change_unproved(registry=registry, settings=replace(NAMED, **changes), actor=SYSTEM)
    assert settings_of(registry) == NAMED
    moved = replace(NAMED, **changes, password="new")
    change_unproved(registry=registry, settings=moved, actor=SYSTEM)
    assert Registry.objects.get().connection().credentials == (moved.username, "new")


def test_a_stored_second_secret_is_not_led_elsewhere() -> None:
    registry = stored(replace(AZURE, api_secret="x"))
    with pytest.raises(ValidationError, match="Enter the secret again"):
        change_unproved(registry=registry, settings=replace(AZURE, url="other.io"), actor=SYSTEM)
    assert ApiCredential.objects.get().secret.reveal() == "x"


def test_it_must_be_said_of_which_kind_it_is() -> None:
    with pytest.raises(ValidationError, match="Say of which kind"):
        stored(replace(NAMED, kind=""))
    assert not Registry.objects.exists()


def test_the_ordinary_ways_still_want_a_proof() -> None:
    registry = stored(NAMED)
    with pytest.raises(NotProvedError):
        connect_registry(check=ConnectionCheck(replace(NAMED, name="b"), ()), actor=SYSTEM)
    with pytest.raises(NotProvedError):
        change_registry(
            registry=registry, settings=replace(NAMED, url="b.io"), check=None, actor=SYSTEM
        )


def test_several_are_tried_at_once_each_with_its_own_outcome() -> None:
    with doors.served(doors.SmallRegistry) as address:
        good = RegistrySettings(
            name="a",
            url=f"http://{address}",
            kind="distribution",
            allow_private=True,
            username=doors.USER,
            password=doors.PASSWORD,
        )
        outcomes = check_connections(
            [
                (good, None),
                (replace(good, password="wrong"), None),
                (replace(good, password=None), None),
                (replace(good, kind="nonsense"), None),
                *([(good, None)] * 10),
            ]
        )
    assert isinstance(outcomes[0], ConnectionCheck)
    assert outcomes[0].passed
    assert isinstance(outcomes[1], ConnectionCheck)
    assert outcomes[1].failure is not None
    assert outcomes[1].failure.name == "sign-in"
    assert isinstance(outcomes[2], ValidationError)
    assert isinstance(outcomes[3], ValidationError)
    assert all(isinstance(one, ConnectionCheck) and one.passed for one in outcomes[4:])
