"""Who works on what, and how silence is understood. Real kills are in test_recovery.py."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from registries import tasks
from registries.actor import SYSTEM
from registries.connectors.base import RepositoryPage
from registries.events import Event, RegistryImported
from registries.models import Artifact, Registry, SyncBatch, SyncProblem, SyncRun
from registries.models.sync import HEARTBEAT_LOST_AFTER
from registries.sync import recovery, shares
from registries.sync import run as runs
from registries.sync.claims import AlreadyRunning, is_lost, request_run, this_worker
from registries.sync.recovery import find_lost_work
from registries.sync.run import execute_run, finish_if_last, work_on_batch
from tests.fakes import content
from tests.fakes.misbehaviour import answers, path_has
from tests.fakes.registry import FakeRegistry
from tests.registries.sync.counting import assert_counters_are_true
from tests.registries.sync.syncing import ours, succeed, theirs

State = SyncRun.State
LONG_AGO = HEARTBEAT_LOST_AFTER + timedelta(seconds=30)


@pytest.fixture(autouse=True)
def small_shares(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shares, "FAN_OUT_FROM", 6)
    monkeypatch.setattr(shares, "IN_BATCH", 2)


def request(registry: Registry) -> SyncRun:
    return request_run(registry, trigger=SyncRun.Trigger.SCHEDULE, actor=SYSTEM)


def share_out(registry: Registry, fake: FakeRegistry, repositories: int = 8) -> list[SyncBatch]:
    for number in range(repositories):
        fake.push(f"team/app{number}", content.image(f"app {number}"), "1", "2")
    return execute_run(request(registry), fan_out=True)


def set_back(by: timedelta = LONG_AGO) -> None:
    """Let time pass for everything that says when it last was heard of."""
    for model in (SyncRun, SyncBatch):
        for row in model._default_manager.all():
            row.heartbeat_at -= by
            row.save(update_fields=["heartbeat_at"])


def work_off(batches: list[SyncBatch]) -> None:
    """What workers do with a queue."""
    queue = [batch.pk for batch in batches]
    while queue:
        if following := work_on_batch(queue.pop(0)):
            queue.append(following.pk)


# Runs


@pytest.mark.parametrize("worker", ["elsewhere:1:1", ""], ids=["another host", "nobody"])
def test_a_silent_run_is_lost_and_makes_way(registry: Registry, worker: str) -> None:
    run = request(registry)
    SyncRun.objects.filter(pk=run.pk).update(state=State.RUNNING, worker=worker)

    with pytest.raises(AlreadyRunning):
        request(registry)
    set_back()
    following = request(registry)

    run.refresh_from_db()
    assert (run.state, following.state) == ("lost", "queued")
    assert run.summary.startswith("Its worker died.")


def test_a_run_whose_process_is_no_more_is_lost_at_once(registry: Registry) -> None:
    run = request(registry)
    here, pid, began = this_worker().split(":")
    SyncRun.objects.filter(pk=run.pk).update(state=State.RUNNING, worker=this_worker())
    with pytest.raises(AlreadyRunning):
        request(registry)

    # The same process id, given by the kernel to somebody who came later.
    SyncRun.objects.filter(pk=run.pk).update(worker=f"{here}:{pid}:{int(began) - 1}")
    request(registry)

    run.refresh_from_db()
    assert run.state == "lost"


def test_a_lost_run_is_followed_soon_but_not_at_once(registry: Registry) -> None:
    run = request(registry)
    SyncRun.objects.filter(pk=run.pk).update(state=State.RUNNING, worker="elsewhere:1:1")
    set_back()

    assert find_lost_work() == recovery.LostWork([], [])

    run.refresh_from_db()
    registry.refresh_from_db()
    assert run.state == "lost"
    assert run.finished_at is not None
    assert registry.next_sync_at == run.finished_at + timedelta(minutes=1)


def test_a_run_that_waits_too_long_is_queued_again_once(registry: Registry) -> None:
    run = request(registry)
    assert find_lost_work().runs == []

    set_back(HEARTBEAT_LOST_AFTER / 2 + timedelta(seconds=1))

    assert find_lost_work().runs == [run.pk]
    assert find_lost_work().runs == []


def test_whoever_is_due_is_asked_for_once(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    queued: list[int] = []
    monkeypatch.setattr(tasks.sync_registry, "delay", queued.append)
    Registry.objects.create(name="later", url="https://later.example.com", next_sync_at=None)

    tasks.start_due_syncs()
    tasks.start_due_syncs()

    run = SyncRun.objects.get()
    assert (run.registry, run.trigger, queued) == (registry, "schedule", [run.pk])


# Batches


def test_a_big_registry_is_shared_out_and_comes_whole(
    fake: FakeRegistry, registry: Registry, heard: list[Event]
) -> None:
    batches = share_out(registry, fake)
    assert len(batches) == 4

    work_off(batches)

    run = SyncRun.objects.get()
    registry.refresh_from_db()
    assert (run.state, run.summary) == ("succeeded", "")
    assert ours(registry) == theirs(fake)
    assert (run.repositories_found, run.repositories_done, run.tags_seen) == (8, 8, 16)
    assert run.requests == len(fake.requests)
    assert set(run.batches.values_list("state", "attempts")) == {("done", 1)}
    assert set(Artifact.objects.values_list("details", flat=True)) == {"complete"}
    assert sum(isinstance(event, RegistryImported) for event in heard) == 1
    assert_counters_are_true(registry)


def test_a_registry_with_a_budget_is_not_shared_out_past_it(
    fake: FakeRegistry, registry: Registry
) -> None:
    registry.requests_per_minute = 60_000
    registry.save()

    # Each worker would keep the budget for itself, and all of them together would not.
    assert share_out(registry, fake) == []

    assert SyncRun.objects.get().state == "succeeded"
    assert ours(registry) == theirs(fake)


def test_a_run_is_shared_out_once_though_its_commit_was_not_heard_of(
    fake: FakeRegistry, registry: Registry
) -> None:
    batches = share_out(registry, fake)
    paths = [path for batch in batches for path in batch.repositories]

    # The connection was lost between Postgres's commit and its answer, so it is tried again.
    again = shares.share_out(SyncRun.objects.get(), [RepositoryPage(tuple(paths))])

    assert again == batches
    assert SyncBatch.objects.count() == len(batches)


def test_a_shared_run_outlives_the_process_that_shared_it_out(
    fake: FakeRegistry, registry: Registry
) -> None:
    batches = share_out(registry, fake)
    run = SyncRun.objects.get()

    assert run.worker == ""
    assert not is_lost(run)
    with pytest.raises(AlreadyRunning):
        request(registry)
    work_off(batches)
    run.refresh_from_db()
    assert run.state == "succeeded"


def test_a_batch_whose_worker_died_is_given_to_another(
    fake: FakeRegistry, registry: Registry
) -> None:
    first, *others = share_out(registry, fake)
    assert shares.claim(first.pk) is not None  # and then silence
    assert find_lost_work().batches == []
    work_off(others)

    set_back()
    assert find_lost_work().batches == [first.pk]
    work_off([first])

    run = SyncRun.objects.get()
    assert run.state == "succeeded"
    assert ours(registry) == theirs(fake)


def test_a_batch_that_kills_its_workers_is_parked_and_named(
    fake: FakeRegistry, registry: Registry
) -> None:
    first, *others = share_out(registry, fake)
    work_off(others)
    for _ in range(shares.ATTEMPTS):
        assert shares.claim(first.pk) is not None
        set_back()
        lost = find_lost_work().batches
    assert lost == []

    run = SyncRun.objects.get()
    first.refresh_from_db()
    assert (first.state, first.attempts) == ("failed", 3)
    assert run.state == "partial"
    assert run.summary.startswith("Workers died 3 times")
    named = SyncProblem.objects.filter(run=run, code="worker-died")
    assert sorted(named.values_list("repository", flat=True)) == sorted(first.repositories)
    assert run.error_count == 2
    registry.refresh_from_db()
    assert registry.imported_at is None  # a part of the import is still to come
    succeed(registry)
    assert ours(registry) == theirs(fake)


def test_batches_whose_tasks_were_lost_are_queued_again_unless_somebody_is_at_work(
    fake: FakeRegistry, registry: Registry
) -> None:
    batches = share_out(registry, fake)
    waiting = sorted(batch.pk for batch in batches)
    set_back(recovery.WAITED_LONG + timedelta(seconds=1))

    claimed = shares.claim(waiting[0])
    assert claimed is not None
    assert find_lost_work().batches == []

    assert shares.hand_in(claimed, given_up=False) is not None
    assert sorted(find_lost_work().batches) == waiting[1:]
    assert find_lost_work().batches == []


def test_a_run_whose_last_worker_died_while_counting_is_ended(
    fake: FakeRegistry, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    batches = share_out(registry, fake)
    with monkeypatch.context() as patch:
        patch.setattr(runs, "finish", lambda *_, **__: None)  # dies here
        work_off(batches)
    run = SyncRun.objects.get()
    assert (run.state, run.phase) == ("running", "finish")
    find_lost_work()
    run.refresh_from_db()
    assert run.state == "running"  # it may still be counting

    set_back()
    find_lost_work()

    run.refresh_from_db()
    assert run.state == "succeeded"
    registry.refresh_from_db()
    assert_counters_are_true(registry)


def test_a_worker_taken_for_dead_does_not_hand_in_for_its_successor(
    fake: FakeRegistry, registry: Registry
) -> None:
    first = share_out(registry, fake)[0]
    slow = shares.claim(first.pk)
    assert slow is not None
    set_back()
    find_lost_work()
    quick = shares.claim(first.pk)
    assert quick is not None

    assert shares.hand_in(slow, given_up=False) is None
    assert shares.hand_in(quick, given_up=False) is not None
    assert SyncBatch.objects.filter(phase="details").count() == 1


def test_a_batch_tried_again_does_not_count_an_absence_twice(
    fake: FakeRegistry, registry: Registry
) -> None:
    work_off(share_out(registry, fake))
    registry.refresh_from_db()
    fake.delete_repository("team/app0")
    batches = execute_run(request(registry), fan_out=True)
    (first,) = (batch for batch in batches if "team/app0" in batch.repositories)
    hand_in, shares.hand_in = shares.hand_in, lambda *_, **__: None  # dies just before
    try:
        work_on_batch(first.pk)
    finally:
        shares.hand_in = hand_in
    set_back()
    assert first.pk in find_lost_work().batches

    work_off(batches)

    assert SyncRun.objects.latest("id").state == "succeeded"
    assert "team/app0" in ours(registry)


def test_batches_of_a_registry_that_lost_its_storage_remove_nothing_and_say_so_once(
    fake: FakeRegistry, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("registries.sync.presence.TOO_MANY", 5)
    work_off(share_out(registry, fake))
    registry.refresh_from_db()
    before = ours(registry)
    fake.repositories.clear()
    for _ in range(2):
        work_off(execute_run(request(registry), fan_out=True))
        run = SyncRun.objects.latest("id")
        assert (run.state, run.error_count) == ("partial", 1)
        assert [problem.code for problem in run.problems.all()] == ["mostly-missing"]
    assert ours(registry) == before


def test_a_registry_that_stopped_answering_one_batch_is_not_asked_by_the_others(
    fake: FakeRegistry, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("registries.sync.guard.ENOUGH", 2)
    batches = share_out(registry, fake)
    fake.misbehave(path_has("tags/list"), answers(503))
    fake.requests.clear()

    work_off(batches)

    run = SyncRun.objects.get()
    assert run.state == "failed"
    assert run.summary.startswith("The registry stopped answering: ")
    assert len(set(fake.seen(part="tags/list"))) == 2


def test_a_cancelled_run_is_worked_on_no_more(fake: FakeRegistry, registry: Registry) -> None:
    batches = share_out(registry, fake)
    runs.cancel_run(SyncRun.objects.get(), actor=SYSTEM)
    fake.requests.clear()

    work_off(batches)

    assert SyncRun.objects.get().state == "cancelled"
    assert not fake.seen(part="manifests")
    assert set(SyncBatch.objects.values_list("state", flat=True)) == {"waiting", "running"}
    finish_if_last(SyncRun.objects.get())
    assert SyncRun.objects.get().state == "cancelled"


@pytest.mark.django_db(transaction=True)
def test_of_two_workers_only_one_gets_a_batch(fake: FakeRegistry, registry: Registry) -> None:
    batch = share_out(registry, fake)[0]
    answers: list[Any] = []

    def second() -> None:
        answers.append(shares.claim(batch.pk))
        connection.close()

    with transaction.atomic():
        assert shares.claim(batch.pk) is not None
        other = threading.Thread(target=second)
        other.start()
        _wait_until_somebody_waits()
    other.join(10)

    assert answers == [None]
    batch.refresh_from_db()
    assert batch.attempts == 1


def _wait_until_somebody_waits() -> None:
    deadline = timezone.now() + timedelta(seconds=20)
    while timezone.now() < deadline:
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
            if cursor.fetchone()[0]:
                return
            cursor.execute("SELECT pg_stat_clear_snapshot()")
    raise AssertionError("The second worker did not wait for the first.")
