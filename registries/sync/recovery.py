"""What a dead worker, or a broker that lost its queue, left behind: found by looking at the rows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from registries.models import SyncBatch, SyncProblem, SyncRun
from registries.models.sync import HEARTBEAT_LOST_AFTER
from registries.sync.claims import is_lost, mark_lost
from registries.sync.run import finish_if_last
from registries.sync.shares import ATTEMPTS, WORKER_DIED

# A row waiting this long for its task is given to the queue once more.
WAITED_LONG = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class LostWork:
    """Ids of runs and batches that are waiting and that the queue should hear of again."""

    runs: list[int]
    batches: list[int]


def find_lost_work() -> LostWork:
    """Free what dead workers held, end what cannot go on, and say what is to be queued again."""
    work = LostWork([], [])
    for run in SyncRun.objects.active().select_related("registry"):
        if run.state == SyncRun.State.QUEUED:
            work.runs.extend(_waiting_too_long(run))
        elif run.batches.exists():
            work.batches.extend(_free_batches(run))
            finish_if_last(run)
        elif is_lost(run):
            mark_lost(run)
    return work


def _waiting_too_long(run: SyncRun) -> list[int]:
    now = timezone.now()
    # The conditional update lets one of several sweepers queue it.
    waited = SyncRun.objects.filter(
        pk=run.pk, state=SyncRun.State.QUEUED, heartbeat_at__lt=now - HEARTBEAT_LOST_AFTER / 2
    )
    return [run.pk] if waited.update(heartbeat_at=now) else []


@transaction.atomic
def _free_batches(run: SyncRun) -> list[int]:
    """Batches whose worker died wait again (or failed, after some tries); those to be queued."""
    now = timezone.now()
    silent = run.batches.filter(
        state=SyncBatch.State.RUNNING, heartbeat_at__lt=now - HEARTBEAT_LOST_AFTER
    ).select_for_update(skip_locked=True)
    freed: list[int] = []
    for batch in silent:
        if batch.attempts >= ATTEMPTS:
            _park(run, batch)
        else:
            freed.append(batch.pk)
    run.batches.filter(pk__in=freed).update(state=SyncBatch.State.WAITING, heartbeat_at=now)
    left = run.batches.filter(state__in=[SyncBatch.State.WAITING, SyncBatch.State.RUNNING])
    if not left.exists():
        return []
    # Somebody is at work on it or about to be: the run lives.
    SyncRun.objects.filter(pk=run.pk, state=SyncRun.State.RUNNING).update(heartbeat_at=now)
    if run.batches.filter(state=SyncBatch.State.RUNNING).exists():
        return freed  # the others wait their turn in the queue
    waiting = run.batches.filter(
        state=SyncBatch.State.WAITING, heartbeat_at__lt=now - WAITED_LONG
    ).select_for_update(skip_locked=True)
    forgotten = list(waiting.values_list("pk", flat=True))
    run.batches.filter(pk__in=forgotten).update(heartbeat_at=now)
    return [*freed, *forgotten]


def _park(run: SyncRun, batch: SyncBatch) -> None:
    """Try no more what may be killing the workers, and say so of each of its repositories."""
    run.batches.filter(pk=batch.pk).update(state=SyncBatch.State.FAILED)
    problems = [
        SyncProblem(
            run=run,
            repository=path,
            code=WORKER_DIED,
            message=_(
                "Workers died %(count)d times while reading this repository or those beside it."
            )
            % {"count": batch.attempts},
            advice=_("Look at the workers' log and memory; the next sync tries again."),
        )
        for path in batch.repositories
    ]
    SyncProblem.objects.bulk_create(problems)
    SyncRun.objects.filter(pk=run.pk).update(error_count=F("error_count") + len(problems))
