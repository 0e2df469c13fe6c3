"""One repository of several has a bad day: what it costs, and that nothing is lost by it."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from registries.models import Registry, Repository
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
)
from tests.fakes.registry import FakeRegistry
from tests.registries.sync.bad_days import MEGABYTE, assert_recovers, fill
from tests.registries.sync.counting import assert_counters_are_true
from tests.registries.sync.syncing import ours, present, problems, succeed, sync, theirs

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
