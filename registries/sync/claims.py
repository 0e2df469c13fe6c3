"""Who runs what: one run a registry at a time, and a run whose worker died is known as lost."""

from __future__ import annotations

import os
import socket
from datetime import timedelta
from pathlib import Path

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from registries.actor import Actor
from registries.models import Registry, SyncRun
from registries.models.sync import HEARTBEAT_LOST_AFTER

RETRY_AFTER_LOSS = timedelta(minutes=1)


class AlreadyRunning(Exception):  # noqa: N818  it is a state of affairs, named as people say it
    """Another run of this registry is under way: `run`."""

    def __init__(self, run: SyncRun) -> None:
        super().__init__(_("A sync of this registry is already under way."))
        self.run = run


def request_run(
    registry: Registry, *, trigger: SyncRun.Trigger, full: bool = False, actor: Actor
) -> SyncRun:
    """A new run, waiting to be started; raises AlreadyRunning while another one lives.

    A run whose worker died is marked as lost on the way; what it stored stays, and the new run
    reads the rest.
    """
    for _attempt in range(2):
        try:
            with transaction.atomic():
                return SyncRun.objects.create(
                    registry=registry,
                    trigger=trigger,
                    full=full,
                    actor_kind=actor.kind,
                    actor_id=actor.id,
                    actor_label=actor.label,
                )
        except IntegrityError:
            active = SyncRun.objects.active().filter(registry=registry).first()
            if active is not None and not mark_lost(active):
                raise AlreadyRunning(active) from None
    active = SyncRun.objects.active().get(registry=registry)
    raise AlreadyRunning(active)


def start(run: SyncRun) -> bool:
    """Claim a waiting run for this process; False if somebody else did, or it was cancelled."""
    now = timezone.now()
    claimed = SyncRun.objects.filter(pk=run.pk, state=SyncRun.State.QUEUED).update(
        state=SyncRun.State.RUNNING, started_at=now, heartbeat_at=now, worker=this_worker()
    )
    run.refresh_from_db()
    return bool(claimed)


def cancel_run(run: SyncRun, *, actor: Actor) -> None:
    """Ask a run to stop; one that has not begun stops at once, the others within seconds."""
    now = timezone.now()
    summary = _("Cancelled by %s.") % actor.label
    waiting = SyncRun.objects.filter(pk=run.pk, state=SyncRun.State.QUEUED)
    if not waiting.update(state=SyncRun.State.CANCELLED, finished_at=now, summary=summary):
        SyncRun.objects.filter(
            pk=run.pk, state=SyncRun.State.RUNNING, cancel_requested_at__isnull=True
        ).update(cancel_requested_at=now, summary=summary)


def mark_lost(run: SyncRun) -> bool:
    """Mark an active run whose worker died; returns whether it was (or had ended meanwhile)."""
    if not is_lost(run):
        return False
    lost = SyncRun.objects.active().filter(pk=run.pk, heartbeat_at=run.heartbeat_at)
    now = timezone.now()
    if lost.update(
        state=SyncRun.State.LOST,
        finished_at=now,
        summary=_("Its worker died. What it read is kept; the next sync reads the rest."),
    ):
        # Soon, but not at once: what killed this worker may kill the next one, too.
        Registry.objects.filter(pk=run.registry_id, sync_interval__isnull=False).update(
            next_sync_at=now + RETRY_AFTER_LOSS
        )
    return not SyncRun.objects.active().filter(pk=run.pk).exists()


def is_lost(run: SyncRun) -> bool:
    """Whether a run's worker is known to be dead, or has been silent for too long.

    A run that was shared out has no worker of its own.
    """
    if run.state == SyncRun.State.RUNNING and _died_here(run.worker):
        return True
    return timezone.now() - run.heartbeat_at > HEARTBEAT_LOST_AFTER


def this_worker() -> str:
    """This process for others to tell whether it lives: host, process id, and when it began."""
    return f"{socket.gethostname()}:{os.getpid()}:{_began(os.getpid())}"


def _died_here(worker: str) -> bool:
    """Whether a worker was a process of this host and is no more; its id may be another's now."""
    host, _colon, process = worker.partition(":")
    pid, _colon, began = process.partition(":")
    if host != socket.gethostname() or not pid.isdigit() or not Path("/proc/self/stat").exists():
        return False
    return _began(int(pid)) != began


def _began(pid: int) -> str:
    """When a process began, in the kernel's ticks since boot; empty if there is none, or no Linux."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except OSError:
        return ""
    # Fields after the command's closing parenthesis: state is the 3rd of all, the start the 22nd.
    return stat.rpartition(")")[2].split()[19]
