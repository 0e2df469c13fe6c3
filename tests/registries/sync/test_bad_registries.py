"""The registry as a whole has a bad day: how the run ends, and that nothing is lost by it."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from registries.events import Event, RegistryImported, TagCreated
from registries.models import Registry, SyncRun
from registries.oci.connection import Connection
from tests.fakes.misbehaviour import (
    How,
    always,
    answers,
    hangs,
    hangs_up,
    path_has,
    throttles,
)
from tests.fakes.registry import FakeRegistry
from tests.fakes.sign_in import SignIn
from tests.registries.sync.bad_days import assert_recovers, fill
from tests.registries.sync.conftest import HASTY
from tests.registries.sync.counting import assert_counters_are_true
from tests.registries.sync.syncing import ours, problems, succeed, sync, theirs


def test_a_storm_of_429_is_waited_out(fake: FakeRegistry, registry: Registry) -> None:
    fill(fake)
    fake.misbehave(path_has("/v2/"), throttles("0", times=2))

    run = succeed(registry)

    assert ours(registry) == theirs(fake)
    assert run.throttled == 2
    assert run.requests == len(fake.requests)


@pytest.mark.parametrize("when", ["_catalog", "/v2/"])
@pytest.mark.parametrize("retry_after", ["0", "3600"])
def test_a_storm_of_429_without_end_ends_the_run(
    fake: FakeRegistry, registry: Registry, when: str, retry_after: str
) -> None:
    fill(fake)
    succeed(registry)
    before = ours(registry)
    fake.requests.clear()
    fake.misbehave(path_has("manifests" if when == "/v2/" else when), throttles(retry_after))

    run = sync(registry)

    assert run.state in ("partial", "failed")
    assert "throttled" in {code for *_, code in problems(run)}
    assert run.throttled >= 1
    assert len(fake.requests) < 100
    assert ours(registry) == before
    assert_recovers(registry, fake)


@pytest.mark.parametrize("how", [answers(500), answers(503), hangs_up(), hangs(), answers(401)])
def test_a_registry_that_fails_at_everything_is_soon_left_alone(
    fake: FakeRegistry, registry: Registry, monkeypatch: pytest.MonkeyPatch, how: How
) -> None:
    monkeypatch.setattr("registries.sync.reader.LISTED_TOGETHER", 10)
    fill(fake, 50)
    succeed(registry)
    before = ours(registry)
    fake.requests.clear()
    fake.misbehave(always, how)

    run = sync(registry)

    assert run.state == "failed"
    assert run.summary.startswith("The registry stopped answering: ")
    # The first rounds of repositories with some tries each, and not the others.
    assert len(set(fake.seen(part="tags/list"))) <= 30
    assert ours(registry) == before
    assert registry.health == Registry.Health.UNREACHABLE
    assert_recovers(registry, fake)


def test_a_registry_that_dies_after_half_leaves_what_it_proved(
    fake: FakeRegistry, registry: Registry, heard: list[Event], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("registries.sync.slices.READ_TOGETHER", 10)
    monkeypatch.setattr("registries.sync.reader.LISTED_TOGETHER", 5)
    fill(fake, 60)
    fake.die_after(100)

    run = sync(registry)

    assert run.state == "partial"
    assert run.summary.startswith("The registry stopped answering: ")
    assert registry.health == Registry.Health.DEGRADED
    held = ours(registry)
    assert 0 < sum(map(len, held.values())) < 120
    for path, tags in held.items():
        assert tags.items() <= theirs(fake)[path].items()
    assert_counters_are_true(registry)
    # The rest is still the first import: one event for all of it.
    assert registry.imported_at is None
    with FakeRegistry() as again:
        again.repositories = fake.repositories
        Registry.objects.update(url=again.url)
        succeed(registry)
        assert ours(registry) == theirs(fake)
    assert [event for event in heard if isinstance(event, TagCreated)] == []
    assert sum(isinstance(event, RegistryImported) for event in heard) == 1


def test_a_registry_that_died_between_two_syncs_loses_nothing(
    fake: FakeRegistry, registry: Registry
) -> None:
    fill(fake, 60)
    succeed(registry)
    before = ours(registry)
    fake.die_after(0)

    for _ in range(3):
        began = time.monotonic()
        run = sync(registry)
        assert run.state == "failed"
        assert time.monotonic() - began < 30
        assert registry.next_sync_at is not None

    assert ours(registry) == before


def test_a_password_that_is_wrong_is_said_in_words(registry: Registry) -> None:
    with FakeRegistry(sign_in=SignIn("basic")) as fake:
        fill(fake)
        Registry.objects.update(url=fake.url)

        run = sync(registry)

        assert run.state == "failed"
        assert problems(run) == {("", "", "authentication-failed")}
        assert registry.health_detail == run.summary
        assert len(fake.requests) < 5


def test_repositories_one_may_not_read_are_told_one_by_one(registry: Registry) -> None:
    closed = ["team/app1", "team/app3"]
    with FakeRegistry(sign_in=SignIn("bearer", anonymous=True, closed=closed)) as fake:
        fill(fake)
        Registry.objects.update(url=fake.url)

        run = sync(registry)

        assert run.state == "partial"
        assert {(path, reference) for path, reference, _ in problems(run)} == {
            (path, "") for path in closed
        }
        assert {path for path, tags in ours(registry).items() if tags} == {
            "team/app0",
            "team/app2",
        }


def test_a_hang_ends_within_its_limits(
    fake: FakeRegistry, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits = replace(HASTY, stall_seconds=0.2)
    monkeypatch.setattr(
        Registry,
        "connection",
        lambda self: Connection(url=self.url, allow_private=True, limits=limits),
    )
    fake.misbehave(always, hangs())

    run = sync(registry)

    assert run.state == "failed"
    assert "fell silent" in run.summary


def test_a_fault_of_our_own_is_called_by_its_name(
    fake: FakeRegistry, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(fake)

    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("registries.sync.reader.apply_readings", broken)

    with pytest.raises(ZeroDivisionError):
        sync(registry)

    run = SyncRun.objects.get()
    assert run.state == "failed"
    assert "ZeroDivisionError" in run.summary
    assert "bug" in run.summary
