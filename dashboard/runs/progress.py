"""What a run's stored numbers say about how far it is: functions of values, the clock included."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from registries.models import SyncRun

# Estimates from less than this jump about and mislead.
EARLIEST_ESTIMATE = timedelta(seconds=3)
_PHASES = tuple(SyncRun.Phase)


@dataclass(frozen=True, slots=True)
class Step:
    """A phase of a run; `state` is "done", "current" or "ahead"."""

    label: str
    state: str


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is. `total` is 0 and `left` None while nobody can know.

    `rate` is requests a second over the whole run; `left` the time the current phase will take.
    """

    steps: tuple[Step, ...]
    done: int
    total: int
    elapsed: timedelta
    rate: float
    left: timedelta | None

    @property
    def percent(self) -> int:
        return min(100, 100 * self.done // self.total) if self.total else 0


def progress_of(run: SyncRun, *, now: datetime) -> Progress:
    """What the run's page shows at `now`, from the run's row alone."""
    done, total = _counted(run)
    elapsed = elapsed_of(run, now=now)
    seconds = elapsed.total_seconds()
    rate = run.requests / seconds if seconds > 0 else 0.0
    return Progress(
        steps=_steps(run),
        done=done,
        total=total,
        elapsed=elapsed,
        rate=rate,
        left=_left(run, done, total, elapsed, rate) if run.is_active else None,
    )


def elapsed_of(run: SyncRun, *, now: datetime) -> timedelta:
    """How long the run took, or has been taking; zero while it waits."""
    if run.started_at is None:
        return timedelta(0)
    return max((run.finished_at or now) - run.started_at, timedelta(0))


def _counted(run: SyncRun) -> tuple[int, int]:
    """(done, of how many) in the current phase."""
    match run.phase:
        case SyncRun.Phase.TAGS:
            return run.repositories_done, run.repositories_found
        case SyncRun.Phase.DETAILS:
            return run.details_done, run.details_found
        case _:
            return 0, 0


def _left(run: SyncRun, done: int, total: int, elapsed: timedelta, rate: float) -> timedelta | None:
    if elapsed < EARLIEST_ESTIMATE or not done or done > total:
        return None
    if run.phase == SyncRun.Phase.DETAILS:
        # The phase's own beginning is not kept; a detail is one request, and their rate is known.
        return timedelta(seconds=(total - done) / rate) if rate else None
    return elapsed * (total - done) / done


def _steps(run: SyncRun) -> tuple[Step, ...]:
    if run.state == SyncRun.State.SUCCEEDED:
        return tuple(Step(str(phase.label), "done") for phase in _PHASES)
    if run.state == SyncRun.State.QUEUED:
        return tuple(Step(str(phase.label), "ahead") for phase in _PHASES)
    at = _PHASES.index(SyncRun.Phase(run.phase))
    return tuple(
        Step(
            str(phase.label),
            "done" if place < at else "current" if place == at else "ahead",
        )
        for place, phase in enumerate(_PHASES)
    )
