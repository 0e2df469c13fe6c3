"""A big run's shares: rows that workers claim, hand in, and see the last of.

Every step is one conditional statement or a row lock, so that two workers never hold one share and
exactly one of them ends the run.
"""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from registries.connectors.base import RepositoryPage
from registries.models import SyncBatch, SyncRun
from registries.oci.outlines import Lock, RepositoryFacts
from registries.sync.claims import is_lost

State = SyncRun.State
Phase = SyncRun.Phase

# Repositories in a share of a run, and from how many on a run is shared out.
IN_BATCH = 100
FAN_OUT_FROM = 300
# A batch whose worker died this often is not tried again: it may be what kills them.
ATTEMPTS = 3
WORKER_DIED = "worker-died"


@transaction.atomic(durable=True)
def share_out(run: SyncRun, pages: Sequence[RepositoryPage]) -> list[SyncBatch]:
    """Write down a run's batches; done again (its commit was not heard of), it changes nothing."""
    if held := list(run.batches.order_by("pk")):
        return held
    # From here on the run is no single worker's: the end of this process is not the run's.
    SyncRun.objects.filter(pk=run.pk).update(worker="", heartbeat_at=timezone.now())
    return SyncBatch.objects.bulk_create(
        SyncBatch(
            run=run,
            phase=Phase.TAGS,
            listed=page.listed,
            repositories=list(page.paths[begin : begin + IN_BATCH]),
            facts=_facts(page, page.paths[begin : begin + IN_BATCH]),
        )
        for page in pages
        for begin in range(0, len(page.paths), IN_BATCH)
    )


def _facts(page: RepositoryPage, paths: Sequence[str]) -> dict[str, list[int | None]]:
    return {
        path: [page.facts[path].pull_count, page.facts[path].locks]
        for path in paths
        if path in page.facts
    }


def page_of(batch: SyncBatch) -> RepositoryPage:
    """The share as the page of the catalog that it was cut from."""
    facts = {
        path: RepositoryFacts(pulls, None if locks is None else Lock(locks))
        for path, (pulls, locks) in batch.facts.items()
    }
    return RepositoryPage(tuple(batch.repositories), listed=batch.listed, facts=facts)


def claim(batch_id: int) -> SyncBatch | None:
    """Take a waiting batch of a living run, by one conditional statement."""
    # The batch's state is a condition on its own row, not in a subquery: Postgres looks at it
    # again when another worker's claim was waited for.
    claimed = SyncBatch.objects.filter(
        pk=batch_id,
        state=SyncBatch.State.WAITING,
        run_id__in=SyncRun.objects.filter(state=State.RUNNING).values("pk"),
    ).update(state=SyncBatch.State.RUNNING, attempts=F("attempts") + 1, heartbeat_at=timezone.now())
    return SyncBatch.objects.select_related("run__registry").get(pk=batch_id) if claimed else None


@transaction.atomic(durable=True)
def hand_in(batch: SyncBatch, *, given_up: bool) -> SyncBatch | None:
    """Mark a batch as done; its details, if it read tags, become a batch behind all the others.

    A registry that stopped answering is not asked by the other batches either.
    """
    state = SyncBatch.State.FAILED if given_up else SyncBatch.State.DONE
    # One that was taken for dead and given to another worker is the other's to hand in.
    ours = SyncBatch.objects.filter(
        pk=batch.pk, state=SyncBatch.State.RUNNING, attempts=batch.attempts
    )
    if not ours.update(state=state):
        return None
    if given_up:
        waiting = SyncBatch.objects.filter(run=batch.run, state=SyncBatch.State.WAITING)
        waiting.update(state=SyncBatch.State.FAILED)
    if given_up or batch.phase != Phase.TAGS:
        return None
    return SyncBatch.objects.create(
        run=batch.run, phase=Phase.DETAILS, listed=batch.listed, repositories=batch.repositories
    )


@transaction.atomic(durable=True)
def is_last(run: SyncRun) -> bool:
    """Whether no batch is left, asked under a lock on the run: exactly one worker hears yes."""
    locked = SyncRun.objects.select_for_update().get(pk=run.pk)
    if locked.state != State.RUNNING or (locked.phase == Phase.FINISH and not is_lost(locked)):
        return False
    left = Q(state__in=[SyncBatch.State.WAITING, SyncBatch.State.RUNNING])
    if not locked.batches.exists() or locked.batches.filter(left).exists():
        return False
    locked.phase, locked.heartbeat_at = Phase.FINISH, timezone.now()
    locked.save(update_fields=["phase", "heartbeat_at"])
    return True
