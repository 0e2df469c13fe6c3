"""Bad days of a registry during a sync: how the run ends, and that nothing is lost by them."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from datetime import timedelta

import pytest

from registries.events import Event, RegistryImported, TagCreated
from registries.models import Blob, ImageConfig, Manifest, Registry, Repository, SyncRun
from registries.oci.connection import Connection
from tests.fakes import content, misbehaviour
from tests.fakes.misbehaviour import (
    How,
    always,
    answers,
    answers_bare_404,
    hangs,
    hangs_up,
    lists,
    path_has,
    says,
    shows_a_web_page,
    streams,
    throttles,
)
from tests.fakes.registry import FakeRegistry
from tests.fakes.sign_in import SignIn
from tests.registries.sync.conftest import HASTY
from tests.registries.sync.counting import assert_counters_are_true
from tests.registries.sync.syncing import ours, present, problems, succeed, sync, theirs

MEGABYTE = 1024**2


def fill(fake: FakeRegistry, repositories: int = 4) -> None:
    for number in range(repositories):
        path = f"team/app{number}"
        fake.push(path, content.image(f"{path} 1"), "1")
        fake.push(path, content.image(f"{path} 2"), "2")


def assert_recovers(registry: Registry, fake: FakeRegistry) -> None:
    """Once the registry is well again, one sync makes everything true."""
    fake.behave()
    succeed(registry)
    assert ours(registry) == theirs(fake)
    assert registry.health == Registry.Health.HEALTHY
    assert registry.health_detail == ""
    assert_counters_are_true(registry)


# One repository of several has a bad day, each in its own way

BAD_MANIFESTS: dict[str, tuple[How, str]] = {
    "500": (answers(500), "server-failed"),
    "503 all the time": (answers(503), "server-failed"),
    "truncated JSON": (says('{"schemaVersion": 2, "manif'), "invalid-document"),
    "wrong digest": (
        says(
            content.image("another").raw,
            content.image().media_type,
            headers={"Docker-Content-Digest": "sha256:" + "0" * 64},
        ),
        "digest-mismatch",
    ),
    "100 MB, announced": (streams(100 * MEGABYTE, declared=True), "response-too-large"),
    "100 MB, unannounced": (streams(100 * MEGABYTE, declared=False), "response-too-large"),
    "a web page": (shows_a_web_page(), "not-a-registry"),
    "hangs": (hangs(), "unreachable"),
    "hangs midway": (hangs(after_headers=True), "unreachable"),
    "hangs up": (hangs_up(), "unreachable"),
    "403": (answers(403), "access-denied"),
    "an array": (says("[]"), "invalid-document"),
    "not JSON": (says(b"\x00\xff\xfe"), "invalid-document"),
}


@pytest.mark.parametrize(("how", "code"), BAD_MANIFESTS.values(), ids=BAD_MANIFESTS)
def test_a_manifest_that_cannot_be_read_costs_nothing_else(
    fake: FakeRegistry, registry: Registry, how: How, code: str
) -> None:
    fill(fake)
    fake.misbehave(path_has("team/app1/manifests/2", method="GET"), how)

    run = sync(registry)

    assert run.state == "partial"
    assert problems(run) == {("team/app1", "2", code)}
    expected = theirs(fake)
    del expected["team/app1"]["2"]
    assert ours(registry) == expected
    assert registry.health == Registry.Health.DEGRADED
    assert registry.health_detail == run.summary != ""
    assert run.finished_at is not None
    assert registry.next_sync_at == run.finished_at + timedelta(minutes=15)
    assert Repository.objects.get(path="team/app1").verified_at is None
    assert_counters_are_true(registry)
    assert_recovers(registry, fake)


BAD_LISTINGS: dict[str, tuple[How, str]] = {
    "500": (answers(500), "server-failed"),
    "401": (answers(401), "authentication-failed"),
    "403": (answers(403), "access-denied"),
    "truncated JSON": (says('{"tags": ["1", '), "invalid-document"),
    "no tags": (says("{}"), "invalid-document"),
    "a web page": (shows_a_web_page(), "not-a-registry"),
    "hangs": (hangs(), "unreachable"),
    "a bare 404": (answers_bare_404(), "not-found"),
    "a link to another host": (
        lists("tags", ["1"], '<https://evil.example.com/v2/x?n=1>; rel="next"'),
        "foreign-link",
    ),
    "an endless link": (misbehaviour.counts_links_for_ever("tags", "1"), "too-many-pages"),
    "64 MB": (streams(100 * MEGABYTE, declared=True), "response-too-large"),
}


@pytest.mark.parametrize(("how", "code"), BAD_LISTINGS.values(), ids=BAD_LISTINGS)
def test_a_tag_list_that_cannot_be_read_removes_nothing(
    fake: FakeRegistry, registry: Registry, how: How, code: str
) -> None:
    fill(fake)
    succeed(registry)
    before = ours(registry)
    fake.misbehave(path_has("team/app1/tags/list"), how)
    fake.push("team/app2", content.image("new"), "3")

    for _ in range(3):
        run = sync(registry)
        assert run.state == "partial"
        assert {it for it in problems(run) if it[0]} == {("team/app1", "", code)}

    assert ours(registry)["team/app1"] == before["team/app1"]
    assert ours(registry)["team/app2"] == theirs(fake)["team/app2"]
    assert_recovers(registry, fake)


def test_tags_null_is_a_repository_without_tags(fake: FakeRegistry, registry: Registry) -> None:
    fill(fake)
    fake.misbehave(path_has("team/app1/tags/list"), lists("tags", None))

    succeed(registry)

    assert ours(registry) == theirs(fake) | {"team/app1": {}}


def test_a_tag_without_a_manifest_is_told_and_removes_nothing(
    fake: FakeRegistry, registry: Registry
) -> None:
    fill(fake)
    succeed(registry)
    before = ours(registry)
    fake.repositories["team/app1"].manifests.clear()

    run = sync(registry)

    assert run.state == "partial"
    assert {it[:2] for it in problems(run)} == {("team/app1", "1"), ("team/app1", "2")}
    assert ours(registry) == before


# Repositories that vanish


def test_a_repository_that_vanishes_midway_is_no_problem_and_not_gone(
    fake: FakeRegistry, registry: Registry
) -> None:
    fill(fake)
    succeed(registry)
    fake.misbehave(path_has("team/app1/tags"), answers_name_unknown())

    succeed(registry)
    assert ours(registry) == theirs(fake)

    assert_recovers(registry, fake)  # and it is there again
    fake.misbehave(path_has("team/app1/tags"), answers_name_unknown())
    succeed(registry)
    assert ours(registry) == theirs(fake)  # once more the first time: the runs were not in a row


def answers_name_unknown() -> How:
    document = {"errors": [{"code": "NAME_UNKNOWN", "message": "repository name not known"}]}
    return misbehaviour.answers_with(404, json.dumps(document))


def test_a_bare_404_for_everything_is_a_proxy_and_proves_nothing(
    fake: FakeRegistry, registry: Registry
) -> None:
    fill(fake)
    succeed(registry)
    before = ours(registry)
    fake.misbehave(always, answers_bare_404())

    for _ in range(3):
        assert sync(registry).state == "failed"

    assert ours(registry) == before
    assert registry.health == Registry.Health.UNREACHABLE
    assert_recovers(registry, fake)


def test_an_image_without_a_tag_is_gone_only_when_the_registry_itself_says_so(
    fake: FakeRegistry, registry: Registry
) -> None:
    fill(fake)
    succeed(registry)
    moved, deleted = (fake.repositories["team/app1"].tags[tag] for tag in ("1", "2"))
    fake.push("team/app1", content.image("new"), "1")
    fake.delete_tag("team/app1", "2")
    del fake.repositories["team/app1"].manifests[deleted]
    fake.misbehave(path_has(moved), answers_bare_404())

    run = sync(registry)

    assert problems(run) == {("team/app1", moved, "not-found")}
    assert ours(registry) == theirs(fake)
    assert moved in present(registry, "team/app1")
    assert deleted not in present(registry, "team/app1")
    assert_counters_are_true(registry)


# The catalog


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


# The registry as a whole


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


# Hostile and broken content


def test_nul_and_broken_unicode_are_stored_without(fake: FakeRegistry, registry: Registry) -> None:
    labels = {"a\x00b": "c\x00d", "half": "\ud800", "fine": "ünïcode ☃"}
    image = content.image(labels=labels, annotations=labels)
    fake.push("app", image, "1")

    succeed(registry)

    manifest = Manifest.objects.get()
    expected = {"ab": "cd", "half": "", "fine": "ünïcode ☃"}
    assert manifest.annotations == expected
    stored = ImageConfig.objects.get(digest=manifest.config_digest).data["labels"]
    assert stored.items() >= expected.items()
    assert manifest.document == image.raw


def test_a_registry_may_say_nul_in_its_errors(fake: FakeRegistry, registry: Registry) -> None:
    fill(fake)
    document = {"errors": [{"code": "UNKNOWN\x00", "message": "a\x00b \ud800" + "x" * 10_000}]}
    fake.misbehave(path_has("app1/tags"), misbehaviour.answers_with(500, json.dumps(document)))

    run = sync(registry)

    assert run.state == "partial"
    problem = run.problems.get()
    assert "\x00" not in problem.message
    assert len(problem.message) < 1000


def test_absurdly_long_types_and_platforms_are_cut(fake: FakeRegistry, registry: Registry) -> None:
    long = "application/vnd." + "x" * 10_000
    fake.push("app", content.artifact(long, config=(b"{}", long)), "artifact")
    fake.push("app", content.typed_artifact(long), "layer")
    image = content.image(os="o" * 10_000, architecture="a" * 10_000)
    fake.push("app", image, "image")
    fake.push_index("app", [(image, "o" * 10_000, "a" * 10_000)], "index")

    succeed(registry)

    assert ours(registry) == theirs(fake)
    assert Manifest.objects.get(digest=image.digest).os == "o" * 64
    assert_counters_are_true(registry)


def test_claimed_sizes_that_no_column_holds_do_not_end_a_run(
    fake: FakeRegistry, registry: Registry
) -> None:
    largest = 2**63 - 1
    honest = content.image()
    document = honest.document
    for number, layer in enumerate(document["layers"]):
        layer |= {"size": largest, "digest": content.digest_of(b"liar%d" % number)}
    liar = content.Pushed(content.as_bytes(document), honest.media_type, honest.blobs)
    fake.push("team/app", liar, "1")
    fake.push("team/other", liar, "1")
    fake.push("team/app", honest, "2")
    fake.push_index("team/app", [(liar, "linux", "amd64")], "3")

    succeed(registry)

    assert ours(registry) == theirs(fake)
    assert registry.unique_bytes == largest
    assert Blob.objects.get(digest=content.digest_of(b"base")).size == 4


def test_more_layers_than_any_image_has_do_not_end_a_run(
    fake: FakeRegistry, registry: Registry
) -> None:
    layers = [{"digest": content.digest_of(b"x"), "size": 1} for _ in range(2**15 + 5)]
    document = content.image().document | {"layers": layers}
    monster = content.Pushed(json.dumps(document).encode(), content.image().media_type)
    assert len(monster.raw) < 4 * MEGABYTE
    fake.push("app", monster, "1")
    fake.push("app", content.image(), "2")

    sync(registry)

    assert ours(registry) == theirs(fake)


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
