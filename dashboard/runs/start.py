"""Start a sync because somebody asked: a row that people see at once, and a task that carries it out.
And have a single document read."""

from __future__ import annotations

import logging

from kombu.exceptions import OperationalError

from registries.actor import Actor
from registries.documents import forget_what_went_wrong
from registries.models import Artifact, Registry, SyncRun
from registries.sync.run import request_run
from registries.tasks import read_document, sync_registry

logger = logging.getLogger(__name__)


def start_sync(registry: Registry, *, actor: Actor, full: bool = False) -> SyncRun:
    """The new run, waiting for a worker; raises AlreadyRunning while another one lives."""
    run = request_run(registry, trigger=SyncRun.Trigger.MANUAL, full=full, actor=actor)
    try:
        sync_registry.delay(run.pk)  # request_run has committed
    except OperationalError:
        # The row is the truth and the task a hint: the sweep finds the run once the broker is back.
        logger.warning("The broker does not answer; run %s waits for the sweep.", run.pk)
    return run


def start_reading(artifact: Artifact, *, actor: Actor) -> None:
    """Have a worker read a manifest that only the registry's listing has described."""
    forget_what_went_wrong(artifact)
    repository = artifact.repository
    try:
        read_document.delay(
            repository.registry_id,
            repository.path,
            artifact.manifest.digest,
            (actor.kind, actor.id, actor.label),
        )
    except OperationalError:
        # Whoever waits sees that nothing comes, and asks again.
        logger.warning("The broker does not answer; a document is not being read.")
