"""What a run tells while it runs: counts, a heartbeat, problems. And where it hears "stop".

Counters are added, not set: a big run has many workers, each telling its share.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict
from functools import partial

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from registries.models import SyncBatch, SyncProblem, SyncRun
from registries.oci.transport import Stats
from registries.sync.staging import persistently
from registries.sync.tally import Tally

# Seconds between two writes of the run's row.
INTERVAL = 1.0


class RunEnded(Exception):  # noqa: N818  no error of ours: somebody ended the run
    """The run is not ours to continue: cancelled, or taken for lost and given to another worker."""


class RunCancelled(RunEnded):
    """Somebody asked the run to stop."""


class Progress(Tally):
    """One worker's share of a run's progress; `told` is called after each write with the run."""

    def __init__(
        self,
        run: SyncRun,
        *,
        batch: SyncBatch | None = None,
        told: Callable[[SyncRun], None] | None = None,
    ) -> None:
        super().__init__()
        self.run = run
        self.stats: Stats | None = None
        self._batch = batch
        self._told = told
        self._written: Counter[str] = Counter()
        self._problems_written = 0
        self._written_at = 0.0

    def enter(self, phase: SyncRun.Phase) -> None:
        """Begin the next phase of the run."""
        ours = SyncRun.objects.filter(pk=self.run.pk).exclude(phase=phase)
        persistently(partial(ours.update, phase=phase))
        self.flush()

    def tick(self) -> None:
        """Write, if the last write is long enough ago; raises RunEnded when it is over."""
        if time.monotonic() - self._written_at >= INTERVAL:
            self.flush()

    def flush(self) -> None:
        """Write now; raises RunCancelled or RunEnded when the run is not ours to continue."""
        persistently(self._write)
        if self._told is not None:
            self._told(self.run)
        if self.run.state != SyncRun.State.RUNNING:
            raise RunEnded
        if self.run.cancel_requested_at is not None:
            raise RunCancelled

    def _write(self) -> None:
        if self.stats is not None:
            self.counts["requests"] = self.stats.requests
            self.counts["throttled"] = self.stats.throttled
        counts = self.counts.copy()
        problems = self.problems[self._problems_written :]
        with transaction.atomic():
            now = timezone.now()
            SyncRun.objects.filter(pk=self.run.pk).update(
                heartbeat_at=now,
                **{name: F(name) + amount for name, amount in (counts - self._written).items()},
            )
            if self._batch is not None:
                SyncBatch.objects.filter(pk=self._batch.pk).update(heartbeat_at=now)
            SyncProblem.objects.bulk_create(
                SyncProblem(run=self.run, **asdict(problem)) for problem in problems
            )
        # Only now: what was rolled back is written by the next try.
        self._written = counts
        self._problems_written += len(problems)
        self.run.refresh_from_db()
        self._written_at = time.monotonic()
