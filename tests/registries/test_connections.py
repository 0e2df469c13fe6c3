"""Connecting, changing, removing: proved before it is stored, told as events, secrets kept."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from hypothesis import given
from hypothesis import strategies as st

from registries import connection_checks
from registries.actor import Actor
from registries.connection_checks import ConnectionCheck, check_connection
from registries.connections import (
    NotProvedError,
    RegistryBusyError,
    change_registry,
    connect_registry,
    remove_registry,
    settings_of,
)
from registries.connectors import CheckStep
from registries.events import (
    Event,
    RegistryChanged,
    RegistryConnected,
    RegistryRemoved,
    happened,
)
from registries.models import (
    Artifact,
    Manifest,
    Namespace,
    Registry,
    RegistryCredential,
    Repository,
    SyncProblem,
    SyncRun,
    Tag,
    TagMove,
)
from registries.oci.connection import Limits
from registries.registry_settings import RegistrySettings, cleaned
from tests import addresses
from tests.fakes import doors

ANNA = Actor(kind="user", id="1", label="anna")
DIGEST = "sha256:" + "a" * 64

# The actions insist on being the outermost transaction.
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def heard() -> Iterator[list[Event]]:
    received: list[Event] = []

    def receive(events: tuple[Event, ...], **_: Any) -> None:
        received.extend(events)

    happened.connect(receive)
    yield received
    happened.disconnect(receive)


@pytest.fixture
def address() -> Iterator[str]:
    with doors.served(doors.SmallRegistry) as address:
        yield f"http://{address}"


def settings_for(address: str, **changes: Any) -> RegistrySettings:
    values: dict[str, Any] = {
        "name": "production",
        "url": address,
        "allow_private": True,
        "username": doors.USER,
        "password": doors.PASSWORD,
    }
    return RegistrySettings(**(values | changes))


@pytest.fixture
def registry(address: str) -> Registry:
    return connect_registry(check=check_connection(settings_for(address)), actor=ANNA)


# Connecting --------------------------------------------------------------------------------------


def test_a_proved_connection_is_stored_and_soon_due(registry: Registry, address: str) -> None:
    assert not Registry.objects.due(registry.created_at).exists()  # who connects may sync first
    stored = Registry.objects.due(registry.created_at + timedelta(minutes=2)).get()
    assert (stored.name, stored.url, stored.kind) == ("production", address, "distribution")
    assert stored.connection().credentials == (doors.USER, doors.PASSWORD)


def test_connecting_is_told_without_the_secret(address: str, heard: list[Event]) -> None:
    connect_registry(check=check_connection(settings_for(address)), actor=ANNA)
    (event,) = heard
    assert isinstance(event, RegistryConnected)
    assert event.url == address
    assert doors.PASSWORD not in repr(heard)


def test_an_unproved_connection_is_not_stored(address: str, heard: list[Event]) -> None:
    check = check_connection(settings_for(address, password="wrong"))
    assert check.failure is not None
    with pytest.raises(NotProvedError):
        connect_registry(check=check, actor=ANNA)
    assert not Registry.objects.exists()
    assert not RegistryCredential.objects.exists()
    assert heard == []


def test_a_check_without_steps_proves_nothing(address: str) -> None:
    assert not ConnectionCheck(settings_for(address), ()).passed


def test_a_name_is_given_once(registry: Registry, address: str, heard: list[Event]) -> None:
    with pytest.raises(ValidationError, match="already a registry named “production”"):
        connect_registry(check=check_connection(settings_for(address)), actor=ANNA)
    assert Registry.objects.count() == 1
    assert heard == []


def test_a_failing_receiver_takes_the_registry_back(address: str) -> None:
    def fail(**_: Any) -> None:
        raise ValueError("the outbox cannot be written")

    happened.connect(fail)
    try:
        with pytest.raises(ValueError, match="outbox"):
            connect_registry(check=check_connection(settings_for(address)), actor=ANNA)
    finally:
        happened.disconnect(fail)
    assert not Registry.objects.exists()


# What may be wrong at the other end --------------------------------------------------------------


def failure_of(settings: RegistrySettings) -> CheckStep:
    failure = check_connection(settings).failure
    assert failure is not None
    assert failure.detail.endswith(".")
    assert failure.advice.endswith(".")
    assert doors.PASSWORD not in failure.detail + failure.advice
    return failure


def test_an_unknown_host_fails_at_dns() -> None:
    failure = failure_of(settings_for("https://registry.does-not-exist.invalid"))
    assert failure.name == "dns"
    assert "registry.does-not-exist.invalid" in failure.detail


def test_a_closed_port_fails_at_tcp() -> None:
    assert failure_of(settings_for(f"https://{doors.closed()}")).name == "tcp"


def test_a_web_page_is_not_taken_for_a_registry() -> None:
    with doors.served(doors.WebPage) as address:
        failure = failure_of(settings_for(f"http://{address}"))
    assert failure.name == "api"
    assert "docker login" in failure.advice


def test_a_wrong_password_fails_at_sign_in(address: str) -> None:
    failure = failure_of(settings_for(address, password="wrong"))
    assert failure.name == "sign-in"
    assert "password" in failure.advice


def test_an_expired_certificate_fails_at_tls(tmp_path: Path) -> None:
    context, pem = doors.certificate(tmp_path, days=-2)
    with doors.served(doors.SmallRegistry, context) as address:
        failure = failure_of(settings_for(f"https://{address}", ca_certificate=pem))
    assert failure.name == "tls"
    assert "expired" in failure.detail


def test_an_own_authority_is_trusted_once_it_is_given(tmp_path: Path) -> None:
    context, pem = doors.certificate(tmp_path, days=30)
    with doors.served(doors.SmallRegistry, context) as address:
        assert failure_of(settings_for(f"https://{address}")).name == "tls"
        assert check_connection(settings_for(f"https://{address}", ca_certificate=pem)).passed


def test_silence_is_not_waited_for_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    short = Limits(connect_seconds=0.2, stall_seconds=0.2, total_seconds=0.5, attempts=1)
    monkeypatch.setattr(connection_checks, "PATIENCE", short)
    with doors.silent() as address:
        assert failure_of(settings_for(f"http://{address}")).name == "api"
        assert failure_of(settings_for(f"https://{address}")).name == "tls"


def test_a_private_address_is_not_dialled_unless_allowed() -> None:
    with doors.served(doors.SmallRegistry) as address:
        failure = failure_of(settings_for(f"https://{address}", allow_private=False))
    assert failure.name == "address"
    assert "allow private" in failure.advice


def test_without_a_catalog_repositories_must_be_named() -> None:
    with doors.served(doors.OpenRegistry) as address:
        settings = settings_for(f"http://{address}", username="", password=None)
        assert failure_of(settings).name == "catalog"
        assert check_connection(replace(settings, repository_names=("team-a/api",))).passed


# Changing ----------------------------------------------------------------------------------------


def unchanged_but(registry: Registry, **changes: Any) -> RegistrySettings:
    return replace(settings_of(registry), **changes)


def test_the_schedule_changes_without_dialling(registry: Registry, heard: list[Event]) -> None:
    settings = unchanged_but(registry, sync_interval=timedelta(hours=1), public_host="hub.example")
    change_registry(registry=registry, settings=settings, check=None, actor=ANNA)
    registry.refresh_from_db()
    assert registry.sync_interval == timedelta(hours=1)
    (event,) = heard
    assert isinstance(event, RegistryChanged)
    assert event.changes == (
        ("public_host", "", "hub.example"),
        ("sync_interval", "every 15 min", "every 60 min"),
    )


def test_the_schedule_can_be_switched_off(registry: Registry) -> None:
    settings = unchanged_but(registry, sync_interval=None)
    changed = change_registry(registry=registry, settings=settings, check=None, actor=ANNA)
    assert changed.next_sync_at is None


def test_a_password_left_empty_stays(registry: Registry) -> None:
    settings = unchanged_but(registry, repository_names=("team-a/*",))
    check = check_connection(settings, stored=registry)
    change_registry(registry=registry, settings=settings, check=check, actor=ANNA)
    assert registry.connection().credentials == (doors.USER, doors.PASSWORD)


def test_a_new_password_replaces_the_old_and_is_told_only_as_a_fact(
    registry: Registry, heard: list[Event], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doors, "PASSWORD", "another-one")
    settings = unchanged_but(registry, password="another-one")
    check = check_connection(settings, stored=registry)
    change_registry(registry=registry, settings=settings, check=check, actor=ANNA)
    assert registry.connection().credentials == (doors.USER, "another-one")
    (event,) = heard
    assert isinstance(event, RegistryChanged)
    assert event.changes == (("password", "", ""),)


def test_a_stored_password_is_not_sent_to_another_address(registry: Registry) -> None:
    with doors.served(doors.SmallRegistry) as elsewhere:
        settings = unchanged_but(registry, url=f"http://{elsewhere}")
        with pytest.raises(ValidationError, match="Enter the password again"):
            check_connection(settings, stored=registry)


def test_a_stored_password_is_not_used_with_another_name(registry: Registry) -> None:
    with pytest.raises(ValidationError, match="Enter the password again"):
        check_connection(unchanged_but(registry, username="mallory"), stored=registry)


def test_a_new_address_is_not_stored_without_its_proof(registry: Registry, address: str) -> None:
    moved = unchanged_but(registry, url="https://elsewhere.example", password="x")
    proof_of_another = check_connection(settings_for(address))
    for check in (None, proof_of_another):
        with pytest.raises(NotProvedError):
            change_registry(registry=registry, settings=moved, check=check, actor=ANNA)
    registry.refresh_from_db()
    assert registry.url == address


def test_a_user_taken_away_takes_the_password_along(registry: Registry) -> None:
    with doors.served(doors.OpenRegistry) as elsewhere:
        settings = unchanged_but(
            registry, url=f"http://{elsewhere}", username="", repository_names=("team-a/api",)
        )
        check = check_connection(settings, stored=registry)
        change_registry(registry=registry, settings=settings, check=check, actor=ANNA)
    assert not RegistryCredential.objects.exists()


def test_saving_what_was_there_tells_nothing(registry: Registry, heard: list[Event]) -> None:
    settings = settings_of(registry)
    change_registry(registry=registry, settings=settings, check=None, actor=ANNA)
    assert heard == []


# Removing ----------------------------------------------------------------------------------------


def fill(registry: Registry) -> Manifest:
    manifest = Manifest.objects.get_or_create(
        digest=DIGEST,
        defaults={
            "media_type": "application/vnd.oci.image.manifest.v1+json",
            "kind": Manifest.Kind.IMAGE,
            "size": 1,
            "total_size": 1,
            "raw": b"{}",
        },
    )[0]
    repository = Repository.objects.create(registry=registry, path="team-a/api")
    artifact = Artifact.objects.create(repository=repository, manifest=manifest)
    Tag.objects.create(
        repository=repository,
        name="1.0",
        artifact=artifact,
        version_key="1.0",
        dated_at=registry.created_at,
        dated_by=Tag.DatedBy.SEEN,
    )
    TagMove.objects.create(
        registry=registry,
        repository=repository,
        tag="1.0",
        new_digest=DIGEST,
        source=TagMove.Source.SYNC,
        actor_kind="system",
        actor_label="Portolan",
    )
    Namespace.objects.create(registry=registry, path="team-a")
    run = SyncRun.objects.create(
        registry=registry,
        trigger=SyncRun.Trigger.MANUAL,
        state=SyncRun.State.PARTIAL,
        actor_kind="user",
        actor_label="anna",
    )
    SyncProblem.objects.create(run=run, code="not-found", message="gone")
    return manifest


def test_removing_takes_all_of_one_registry_and_nothing_of_another(
    registry: Registry, heard: list[Event]
) -> None:
    other = Registry.objects.create(name="other", url="https://other.example.com")
    fill(registry)
    fill(other)
    remove_registry(registry=registry, actor=ANNA)
    assert [type(event) for event in heard] == [RegistryRemoved]
    assert not RegistryCredential.objects.exists()
    for model in (Repository, Artifact, Tag, TagMove, Namespace, SyncRun, SyncProblem):
        assert model._default_manager.count() == 1, model
    assert Manifest.objects.count() == 1  # content is shared, whoever held it


def test_a_registry_is_not_removed_under_a_running_sync(registry: Registry) -> None:
    SyncRun.objects.create(
        registry=registry, trigger=SyncRun.Trigger.MANUAL, actor_kind="user", actor_label="anna"
    )
    with pytest.raises(RegistryBusyError):
        remove_registry(registry=registry, actor=ANNA)
    assert Registry.objects.exists()


# What makes no sense is refused before anything is dialled ----------------------------------------


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("registry.example.com", "https://registry.example.com"),
        ("  https://Registry.Example.COM/ ", "https://registry.example.com"),
        ("https://registry.example.com/v2/", "https://registry.example.com"),
        ("registry:5000", "https://registry:5000"),
        ("https://[2001:db8::1]:5000", "https://[2001:db8::1]:5000"),
    ],
)
def test_an_address_is_stored_as_it_will_be_dialled(typed: str, meant: str) -> None:
    assert cleaned(RegistrySettings(name="x", url=typed)).url == meant


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", "Production"),
        ("name", "-production"),
        ("name", "a" * 64),
        ("kind", "floppy"),
        ("url", ""),
        ("url", "ftp://registry.example.com"),
        ("url", "https://anna:secret@registry.example.com"),
        ("url", "https://registry.example.com/harbor/projects"),
        ("url", "https://registry.example.com:port"),
        ("url", "https://not a host"),
        ("url", "https://" + "a" * 300 + ".example.com"),
        ("url", "http://registry.example.com"),
        ("public_host", "registry.example.com/path"),
        ("ca_certificate", "not a certificate"),
        ("ca_certificate", "-----BEGIN CERTIFICATE-----\né"),
        ("url", "https://[::1"),
        ("url", "https://[]@"),
        ("public_host", "[]@"),
        ("repository_names", ("Team-A/api",)),
        ("repository_names", ("team a/*",)),
        ("sync_interval", timedelta(seconds=1)),
        ("sync_interval", timedelta(minutes=-5)),
        ("sync_interval", timedelta(days=400)),
        ("username", "an:na"),
    ],
)
def test_a_mistake_is_refused_at_its_field(field: str, value: Any) -> None:
    settings = replace(
        RegistrySettings(name="production", url="https://registry.example.com"), **{field: value}
    )
    with pytest.raises(ValidationError) as refusal:
        cleaned(settings)
    assert list(refusal.value.message_dict) == [field]


@given(
    text=addresses.nearly,
    field=st.sampled_from(("name", "url", "kind", "public_host", "ca_certificate", "username")),
)
def test_whatever_text_comes_it_is_a_setting_or_a_mistake_at_its_field(
    text: str, field: str
) -> None:
    values: dict[str, Any] = {"name": "production", "url": "https://registry.example.com"}
    with suppress(ValidationError):
        assert cleaned(RegistrySettings(**values | {field: text}, allow_private=True))


def test_all_mistakes_are_told_at_once() -> None:
    with pytest.raises(ValidationError) as refusal:
        cleaned(RegistrySettings(name="", url="", username="an:na"))
    assert set(refusal.value.message_dict) == {"name", "url", "username"}


def test_a_password_is_not_part_of_how_settings_look() -> None:
    assert doors.PASSWORD not in repr(settings_for("https://registry.example.com"))


def test_a_setting_of_its_kind_that_can_be_none_is_refused_in_words() -> None:
    options = {"subscription": "ours", "resource_group": "harbours"}
    settings = RegistrySettings(
        name="azure", url="https://contoso.azurecr.io", kind="acr", options=options
    )
    with pytest.raises(ValidationError, match="by its id"):
        connection_checks.check_connection(settings)
