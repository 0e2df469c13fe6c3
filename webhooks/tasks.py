"""Celery's way in. Rows are the truth and tasks are hints: each may come twice, late or never."""

from __future__ import annotations

from celery import shared_task

from webhooks import wake
from webhooks.inbound.handle import handle_waiting
from webhooks.outbound.deliver import deliver_due


@shared_task
def handle_notifications() -> None:
    """Read from the registries what their notifications named, until none is waiting."""
    wake.begun(handle_notifications)
    handle_waiting()


@shared_task
def deliver() -> None:
    """Send what is due, until nothing is."""
    wake.begun(deliver)
    deliver_due()
