"""The catalog has a bad day: refused, cut short, leading elsewhere, full of impossible names."""

from __future__ import annotations

import pytest

from registries.events import Event, RegistryImported, RepositoryGone, TagCreated, TagDeleted
from registries.models import Registry, Repository, SyncRun, Tag
from registries.sync.presence import TOO_MANY
from tests.fakes import content, misbehaviour
from tests.fakes.misbehaviour import (
    answers,
    lists,
    path_has,
)
from tests.fakes.registry import FakeRegistry
from tests.registries.sync.bad_days import assert_recovers, fill
from tests.registries.sync.syncing import ours, problems, succeed, sync, theirs


@pytest.mark.parametrize("status", [401, 403, 404, 500])
def test_a_refused_catalog_fails_a_registry_of_which_nothing_is_known(
    fake: FakeRegistry, registry: Registry, status: int
) -> None:
    fill(fake)
    fake.misbehave(path_has("_catalog"), answers(status))

    run = sync(registry)

    assert (run.state, run.error_count) == ("failed", 1)
    assert run.summary
    assert registry.health == Registry.Health.UNREACHABLE
    assert registry.health_detail == run.summary
    assert registry.imported_at is None
    assert registry.next_sync_at is not None
    assert not Repository.objects.exists()
    assert_recovers(registry, fake)


@pytest.mark.parametrize("status", [401, 403, 404, 500])
def test_a_refused_catalog_leaves_the_known_repositories_to_be_read(
    fake: FakeRegistry, registry: Registry, status: int
) -> None:
    fill(fake)
    succeed(registry)
    fake.misbehave(path_has("_catalog"), answers(status))
    fake.push("team/app1", content.image("new"), "3")

    run = sync(registry)

    assert run.state == "partial"
    assert {it[0] for it in problems(run)} == {""}
    assert ours(registry) == theirs(fake)
    assert not run.catalog_complete


def test_a_catalog_that_breaks_off_proves_what_it_named(
    fake: FakeRegistry, registry: Registry, heard: list[Event]
) -> None:
    fill(fake)
    endless = misbehaviour.counts_links_for_ever("repositories", "team/app0")
    fake.misbehave(path_has("_catalog"), endless)

    run = sync(registry)

    assert run.state == "partial"
    assert ours(registry) == {"team/app0": theirs(fake)["team/app0"]}
    assert not any(isinstance(event, RegistryImported) for event in heard)
    assert_recovers(registry, fake)


def test_a_catalog_that_goes_on_elsewhere_is_not_followed_and_proves_no_absence(
    fake: FakeRegistry, registry: Registry
) -> None:
    fill(fake)
    succeed(registry)
    link = '<https://evil.example.com/v2/_catalog?last=x>; rel="next"'
    fake.misbehave(path_has("_catalog"), lists("repositories", ["team/app0"], link))

    for _ in range(3):
        run = sync(registry)
        assert run.state == "partial"
        assert problems(run) == {("", "", "foreign-link")}

    assert ours(registry) == theirs(fake)


def test_a_catalog_that_names_impossible_repositories_is_read_without_them(
    fake: FakeRegistry, registry: Registry, heard: list[Event]
) -> None:
    fill(fake)
    names = ["team/app0", "../etc", "UPPER", "a" * 300, "nul\x00", "", None, 7, {"x": 1}, "a//b"]
    fake.misbehave(path_has("_catalog"), lists("repositories", names))

    succeed(registry)

    assert set(ours(registry)) == {"team/app0"}


def test_a_name_listed_twice_is_read_once(
    fake: FakeRegistry, registry: Registry, heard: list[Event]
) -> None:
    fill(fake)
    succeed(registry)
    fake.push("team/new", content.image("new"), "1")
    heard.clear()
    fake.requests.clear()
    fake.misbehave(path_has("_catalog"), lists("repositories", sorted(fake.repositories) * 3))
    fake.misbehave(path_has("team/new/tags"), lists("tags", ["1", "1", "1"]))

    run = succeed(registry)

    assert ours(registry) == theirs(fake)
    assert len(fake.seen(part="team/new/tags")) == 1
    assert run.repositories_found == run.repositories_done == 5
    assert sum(isinstance(event, TagCreated) for event in heard) == 1


# A registry without its storage -----------------------------------------------------------------


@pytest.fixture
def large(fake: FakeRegistry, registry: Registry) -> None:
    for number in range(TOO_MANY + 2):
        fake.push(f"team/app-{number}", content.image("one for all"), "latest")
    succeed(registry)
    Tag.objects.update(pull_count=7)


def test_a_registry_that_lost_its_storage_loses_nothing_here(
    large: None, fake: FakeRegistry, registry: Registry, heard: list[Event]
) -> None:
    kept, before = dict(fake.repositories), ours(registry)
    fake.repositories.clear()
    for _ in range(3):
        run = sync(registry)
        (problem,) = run.problems.all()
        assert (run.state, problem.code) == (SyncRun.State.PARTIAL, "mostly-missing")
        assert f"{TOO_MANY + 2} repositories" in problem.message
    assert registry.health == Registry.Health.DEGRADED
    assert ours(registry) == before
    fake.repositories.update(kept)
    succeed(registry)
    assert ours(registry) == before
    assert set(Tag.objects.values_list("pull_count", flat=True)) == {7}
    assert not [event for event in heard if isinstance(event, TagDeleted | RepositoryGone)]


def test_a_full_sync_believes_that_most_of_it_is_gone(
    large: None, fake: FakeRegistry, registry: Registry
) -> None:
    fake.repositories.clear()
    sync(registry)
    assert ours(registry)
    sync(registry, full=True)
    assert ours(registry) == {}


def test_half_of_a_registry_may_go_at_once(
    large: None, fake: FakeRegistry, registry: Registry
) -> None:
    for number in range(TOO_MANY // 2 + 1):
        fake.delete_repository(f"team/app-{number}")
    sync(registry)
    sync(registry)
    assert ours(registry) == theirs(fake)
