"""Celery's way in: ids in, one function called. Rows are the truth and tasks are hints, so each
of these may come twice, late or never; `recover_lost_work` sees to the last.
"""

from __future__ import annotations

import logging

from celery import shared_task
from django.utils import timezone

from registries import reports
from registries.actor import SYSTEM, Actor
from registries.documents import read_document as read_one_document
from registries.models import Registry, SyncRun, TagMove
from registries.oci.reference import Digest
from registries.sync import recovery, run
from registries.sync.refresh import refresh_repository

log = logging.getLogger(__name__)

# A run may take hours. Nothing hangs (each request has its limits), and nothing runs twice when
# the broker hands a long task out again: runs and batches are claimed in the database.
HOURS = 6 * 3600


@shared_task
def start_due_syncs() -> None:
    """Beat, every few seconds: begin the syncs whose registries' own schedule says so."""
    for registry in Registry.objects.due(timezone.now()):
        try:
            waiting = run.request_run(registry, trigger=SyncRun.Trigger.SCHEDULE, actor=SYSTEM)
        except run.AlreadyRunning:
            continue
        sync_registry.delay(waiting.pk)


@shared_task(soft_time_limit=HOURS - 60, time_limit=HOURS)
def sync_registry(run_id: int) -> None:
    if waiting := SyncRun.objects.select_related("registry").filter(pk=run_id).first():
        for batch in run.execute_run(waiting, fan_out=True):
            sync_batch.delay(batch.pk)
        if reports.is_due(waiting.registry, timezone.now()):
            read_report.delay(waiting.registry_id)


@shared_task(soft_time_limit=HOURS - 60, time_limit=HOURS)
def sync_batch(batch_id: int) -> None:
    if following := run.work_on_batch(batch_id):
        sync_batch.delay(following.pk)


@shared_task
def read_report(registry_id: int) -> None:
    """Read what the vendor tells of a registry besides its content."""
    if registry := Registry.objects.filter(pk=registry_id).first():
        reports.read_report(registry)


@shared_task
def recover_lost_work() -> None:
    """Beat, every half minute: hand out again what a dead worker or a lost queue left behind."""
    lost = recovery.find_lost_work()
    for run_id in lost.runs:
        sync_registry.delay(run_id)
    for batch_id in lost.batches:
        sync_batch.delay(batch_id)


@shared_task
def refresh(registry_id: int, path: str, tag: str | None = None) -> None:
    """Read one repository (or tag) that a registry's notification named."""
    if registry := Registry.objects.filter(pk=registry_id).first():
        actor = Actor("registry", str(registry.pk), registry.name)
        tally = refresh_repository(
            registry, path, tag=tag, source=TagMove.Source.NOTIFICATION, actor=actor
        )
        for problem in tally.problems:
            log.warning("%s/%s: %s", registry.name, path, problem.message)


@shared_task
def read_document(registry_id: int, path: str, digest: str, actor: tuple[str, str, str]) -> None:
    """Read one manifest that somebody opened and only a listing had described."""
    if registry := Registry.objects.filter(pk=registry_id).first():
        read_one_document(registry, path, Digest(digest), actor=Actor(*actor))
