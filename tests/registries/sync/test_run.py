"""A sync from its request to its end, against an honest registry."""

from __future__ import annotations

import io
import json
from collections import Counter
from datetime import datetime
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from registries.actor import SYSTEM, Actor
from registries.events import (
    ArtifactGone,
    Event,
    RegistryImported,
    RepositoryAppeared,
    RepositoryGone,
    SyncEnded,
    TagCreated,
    TagDeleted,
    TagMoved,
)
from registries.models import Registry, Repository, SyncRun, TagMove
from registries.sync import progress
from registries.sync.run import AlreadyRunning, cancel_run, execute_run, request_run
from tests.fakes import content
from tests.fakes.misbehaviour import answers, path_has
from tests.fakes.registry import FakeRegistry
from tests.registries.sync.counting import assert_counters_are_true
from tests.registries.sync.syncing import ours, succeed, sync, theirs

ANNA = Actor(kind="user", id="7", label="anna")


def fill(fake: FakeRegistry) -> None:
    """A small company's registry."""
    for path in ("team-a/api", "team-a/web", "tools/deep/down/cli", "busybox"):
        for version in ("1.0", "1.1"):
            fake.push(path, content.image(f"{path} {version}"), version)
        fake.push(path, content.image(f"{path} 1.1"), "latest")


def changes(heard: list[Event]) -> list[Event]:
    return [event for event in heard if not isinstance(event, SyncEnded)]


def test_a_first_import_is_one_event_and_no_move(
    fake: FakeRegistry, registry: Registry, heard: list[Event]
) -> None:
    fill(fake)

    run = succeed(registry)

    assert ours(registry) == theirs(fake)
    (event,) = changes(heard)
    assert isinstance(event, RegistryImported)
    assert (event.registry, event.repositories, event.tags) == ("harbour", 4, 12)
    assert not TagMove.objects.exists()
    assert (run.added, run.moved, run.removed) == (12, 0, 0)
    assert registry.imported_at is not None


def test_a_later_sync_tells_of_every_change(
    fake: FakeRegistry, registry: Registry, heard: list[Event]
) -> None:
    fill(fake)
    succeed(registry)
    heard.clear()
    old = fake.repositories["team-a/api"].tags["1.1"]
    new = fake.push("team-a/api", content.image("moved"), "latest")
    fresh = fake.push("team-b/new", content.image("fresh"), "1")
    dropped = fake.repositories["team-a/web"].tags["1.0"]
    fake.delete_tag("team-a/web", "1.0")

    run = succeed(registry)

    assert ours(registry) == theirs(fake)
    news = changes(heard)
    assert {type(it) for it in news} == {RepositoryAppeared, TagCreated, TagDeleted, TagMoved}
    assert len(news) == 4
    assert (run.added, run.moved, run.removed) == (1, 1, 1)
    moves = set(TagMove.objects.values_list("repository__path", "tag", "old_digest", "new_digest"))
    assert moves == {
        ("team-a/api", "latest", old, new),
        ("team-b/new", "1", "", fresh),
        ("team-a/web", "1.0", dropped, ""),
    }
    assert set(TagMove.objects.values_list("source", "actor_kind", "actor_label")) == {
        ("sync", "system", "Portolan")
    }


def test_a_repository_is_gone_when_two_syncs_found_nothing(
    fake: FakeRegistry, registry: Registry, heard: list[Event]
) -> None:
    fill(fake)
    succeed(registry)
    fake.delete_repository("busybox")
    heard.clear()

    succeed(registry)
    assert "busybox" in ours(registry)
    assert not changes(heard)

    run = succeed(registry)
    assert ours(registry) == theirs(fake)
    assert run.removed == 3
    assert [type(it) for it in changes(heard)] == [
        *[TagDeleted] * 3,
        *[ArtifactGone] * 2,
        RepositoryGone,
    ]


def test_a_repository_that_comes_back_appears_again(
    fake: FakeRegistry, registry: Registry, heard: list[Event]
) -> None:
    fill(fake)
    succeed(registry)
    away = fake.repositories.pop("busybox")
    succeed(registry)
    succeed(registry)
    assert "busybox" not in ours(registry)
    heard.clear()

    fake.repositories["busybox"] = away
    succeed(registry)

    assert ours(registry) == theirs(fake)
    assert [type(it) for it in changes(heard)] == [RepositoryAppeared] + [TagCreated] * 3
    assert_counters_are_true(registry)


# What an unchanged registry costs


def rows_written() -> Counter[str]:
    """By table and column of the statistics: rows written so far in this test's transaction."""
    with connection.cursor() as cursor:
        cursor.execute("""
            SELECT relname, n_tup_ins, n_tup_upd, n_tup_del FROM pg_stat_xact_user_tables
             WHERE schemaname = 'public' AND n_tup_ins + n_tup_upd + n_tup_del > 0
        """)
        return Counter(
            {
                f"{table} {what}": count
                for table, *counts in cursor.fetchall()
                for what, count in zip(("inserted", "updated", "deleted"), counts, strict=True)
            }
        )


def test_an_unchanged_registry_costs_one_request_a_tag_and_no_row(
    fake: FakeRegistry, registry: Registry, heard: list[Event]
) -> None:
    fill(fake)
    fake.push_index("team-a/multi", [(content.image("amd"), "linux", "amd64")], "1")
    fake.push("empty", content.image("untagged"))
    succeed(registry)
    verified = verified_at()
    fake.requests.clear()
    heard.clear()
    before = rows_written()

    run = succeed(registry)

    written = {what.removeprefix("registries_"): n for what, n in (rows_written() - before).items()}
    assert written.pop("syncrun inserted") == 1
    del written["syncrun updated"], written["registry updated"]  # its own row, and synced_at
    assert written == {"repository updated": 6}  # verified_at
    after = verified_at()
    assert all(after[path] > verified[path] for path in verified)
    asked = Counter(method for method, path in requests(fake) if "/manifests/" in path)
    assert asked == {"HEAD": 13}
    assert len(fake.requests) == 13 + 1 + 6  # the tags, the catalog, the tag lists
    assert run.requests == len(fake.requests)
    assert (run.added, run.moved, run.removed, run.manifests_fetched) == (0, 0, 0, 0)
    assert not changes(heard)


def verified_at() -> dict[str, datetime]:
    rows = Repository.objects.exclude(verified_at=None).values_list("path", "verified_at")
    return {path: at for path, at in rows if at is not None}


def requests(fake: FakeRegistry) -> list[tuple[str, str]]:
    return [(it.method, it.path) for it in fake.requests]


def test_a_full_sync_reads_every_manifest_again_and_changes_nothing(
    fake: FakeRegistry, registry: Registry, heard: list[Event]
) -> None:
    fill(fake)
    succeed(registry)
    fake.requests.clear()
    heard.clear()

    run = succeed(registry, full=True)

    read = {path for method, path in requests(fake) if method == "GET" and "/manifests/" in path}
    assert len(read) == 12
    assert (run.added, run.moved, run.removed) == (0, 0, 0)
    assert not changes(heard)
    assert_counters_are_true(registry)


def test_many_tags_of_one_repository_come_in_slices(
    fake: FakeRegistry, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("slices.TAGS_IN_SLICE", "slices.READ_TOGETHER", "reader.DETAILED_TOGETHER"):
        monkeypatch.setattr(f"registries.sync.{name}", 7)
    for number in range(40):
        fake.push("big", content.image(f"image {number % 9}"), f"1.{number}")
    fill(fake)
    succeed(registry)
    assert ours(registry) == theirs(fake)

    for number in range(40):
        if number % 2:
            fake.delete_tag("big", f"1.{number}")
    run = succeed(registry)

    assert ours(registry) == theirs(fake)
    assert run.removed == 20
    assert_counters_are_true(registry)


# Which repositories


def test_names_and_patterns_choose_what_is_read(fake: FakeRegistry, registry: Registry) -> None:
    fill(fake)
    registry.repository_names = ["busybox", "team-a/*"]
    registry.save()

    succeed(registry)

    assert set(ours(registry)) == {"busybox", "team-a/api", "team-a/web"}


def test_a_list_of_names_needs_no_catalog(fake: FakeRegistry, registry: Registry) -> None:
    fill(fake)
    fake.catalog = False
    registry.repository_names = ["busybox", "not/there"]
    registry.save()

    run = succeed(registry)

    assert ours(registry) == {"busybox": theirs(fake)["busybox"]}
    assert not fake.seen(part="_catalog")
    assert registry.imported_at is not None
    assert run.repositories_found == 2


# One run at a time


def test_only_one_run_of_a_registry_lives(fake: FakeRegistry, registry: Registry) -> None:
    waiting = request_run(registry, trigger=SyncRun.Trigger.MANUAL, actor=ANNA)

    with pytest.raises(AlreadyRunning) as refused:
        request_run(registry, trigger=SyncRun.Trigger.SCHEDULE, actor=SYSTEM)

    assert refused.value.run == waiting
    execute_run(waiting)
    assert request_run(registry, trigger=SyncRun.Trigger.MANUAL, actor=ANNA).state == "queued"


def test_a_run_is_carried_out_once(fake: FakeRegistry, registry: Registry) -> None:
    run = request_run(registry, trigger=SyncRun.Trigger.MANUAL, actor=ANNA)
    execute_run(run)
    asked = len(fake.requests)

    assert execute_run(SyncRun.objects.get(pk=run.pk)) == []
    assert len(fake.requests) == asked


def test_a_run_that_waits_is_cancelled_at_once(fake: FakeRegistry, registry: Registry) -> None:
    run = request_run(registry, trigger=SyncRun.Trigger.MANUAL, actor=ANNA)

    cancel_run(run, actor=ANNA)
    execute_run(run)

    run.refresh_from_db()
    assert (run.state, run.summary) == ("cancelled", "Cancelled by anna.")
    assert run.finished_at is not None
    assert not fake.requests


def test_a_run_under_way_stops_when_it_is_cancelled_and_keeps_what_it_has(
    fake: FakeRegistry, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "INTERVAL", 0.0)
    monkeypatch.setattr("registries.sync.slices.READ_TOGETHER", 1)
    fill(fake)

    def cancel_midway(run: SyncRun) -> None:
        if run.tags_seen:
            cancel_run(run, actor=ANNA)

    run = sync(registry, told=cancel_midway)

    assert (run.state, run.summary) == ("cancelled", "Cancelled by anna.")
    assert 0 < sum(map(len, ours(registry).values())) < 12
    assert registry.imported_at is None
    assert registry.health == Registry.Health.UNKNOWN
    succeed(registry)
    assert ours(registry) == theirs(fake)


# What is told while it runs, and at its end


def test_progress_is_written_while_it_runs(
    fake: FakeRegistry, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "INTERVAL", 0.0)
    monkeypatch.setattr("registries.sync.slices.READ_TOGETHER", 1)
    monkeypatch.setattr("registries.sync.reader.DETAILED_TOGETHER", 2)
    fill(fake)
    told: list[dict[str, Any]] = []

    def look(run: SyncRun) -> None:
        told.append({**SyncRun.objects.filter(pk=run.pk).values().get()})

    run = sync(registry, told=look)

    phases = list(dict.fromkeys(row["phase"] for row in told))
    assert phases == ["discover", "tags", "details", "finish"]
    for name in ("repositories_done", "tags_seen", "manifests_fetched", "details_done", "requests"):
        seen = [row[name] for row in told]
        assert seen == sorted(seen)
        assert seen[-1] == getattr(run, name), name
        assert len(set(seen)) > 2, name
    assert all(row["heartbeat_at"] > row["started_at"] for row in told)
    assert (run.repositories_done, run.repositories_found) == (4, 4)
    assert run.details_done == run.details_found == 8


def test_the_end_of_a_run_sets_health_and_the_next_date(
    fake: FakeRegistry, registry: Registry
) -> None:
    fill(fake)

    run = succeed(registry)

    assert registry.health == Registry.Health.HEALTHY
    assert registry.synced_at == run.started_at
    assert run.finished_at is not None
    assert registry.sync_interval is not None
    assert registry.next_sync_at == run.finished_at + registry.sync_interval


def test_a_registry_without_a_schedule_gets_no_date(fake: FakeRegistry, registry: Registry) -> None:
    registry.sync_interval = None
    registry.save()

    succeed(registry)

    assert registry.next_sync_at is None
    assert not Registry.objects.due(timezone.now()).exists()


# The command


def test_the_command_ends_with_one_line_of_json(fake: FakeRegistry, registry: Registry) -> None:
    fill(fake)
    fake.push_index("team-a/multi", [(content.image("amd"), "linux", "amd64")], "1")
    out = io.StringIO()

    call_command("sync", "harbour", "--json", stdout=out)

    said = json.loads(out.getvalue().strip().splitlines()[-1])
    assert said.pop("seconds") > 0
    assert said == {
        "status": "succeeded",
        "repositories": 5,
        "tags": 13,
        "artifacts": 10,
        "manifests_fetched": 10,
        "requests": len(fake.requests),
        "added": 13,
        "moved": 0,
        "removed": 0,
        "errors": 0,
    }


def test_the_command_says_in_words_what_it_did(fake: FakeRegistry, registry: Registry) -> None:
    fill(fake)
    out = io.StringIO()

    call_command("sync", "harbour", stdout=out)

    assert "4 repositories asked; tags: 12 added, 0 moved, 0 removed" in out.getvalue()


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_on_a_terminal_a_bar_shows_how_far_it_is(
    fake: FakeRegistry, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(fake)
    monkeypatch.setattr(progress, "INTERVAL", 0.0)
    monkeypatch.setattr("sys.stderr", terminal := Terminal())
    monkeypatch.setenv("COLUMNS", "120")

    call_command("sync", "harbour", stdout=io.StringIO())

    shown = terminal.getvalue()
    # The bar is drawn ten times a second and at its end; what came before may have been too quick.
    assert "4/4" in shown
    assert f"{len(fake.requests)} requests" in shown


def test_without_a_terminal_no_bar_is_drawn(
    fake: FakeRegistry, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(fake)
    monkeypatch.setattr("sys.stderr", log := io.StringIO())

    call_command("sync", "harbour", stdout=io.StringIO())

    assert log.getvalue() == ""


def test_the_command_fails_when_the_registry_cannot_be_read(
    fake: FakeRegistry, registry: Registry
) -> None:
    fake.catalog = False
    out, err = io.StringIO(), io.StringIO()

    with pytest.raises(SystemExit) as exited:
        call_command("sync", "harbour", "--json", stdout=out, stderr=err)

    assert exited.value.code == 1
    assert json.loads(out.getvalue())["status"] == "failed"


def test_the_command_ends_well_when_only_a_part_failed(
    fake: FakeRegistry, registry: Registry
) -> None:
    fill(fake)
    fake.misbehave(path_has("busybox/tags"), answers(500))
    out = io.StringIO()

    call_command("sync", "harbour", "--json", stdout=out)

    assert json.loads(out.getvalue())["status"] == "partial"
    assert json.loads(out.getvalue())["errors"] == 1


def test_the_command_knows_no_other_names(registry: Registry) -> None:
    with pytest.raises(CommandError, match=r"no registry named 'lake'.*Connected are: harbour"):
        call_command("sync", "lake")


def test_the_command_does_not_wait_behind_another_run(registry: Registry) -> None:
    run = request_run(registry, trigger=SyncRun.Trigger.MANUAL, actor=ANNA)

    with pytest.raises(CommandError, match=rf"already under way \(run {run.pk}\)"):
        call_command("sync", "harbour")
