"""Celery's way in. Rows are the truth and tasks are hints: each may come twice, late or never."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from webhooks import wake
from webhooks.inbound import retention


@shared_task
def handle_notifications() -> None:
    """Read from the registries what their notifications named, until none is waiting."""
    from webhooks.inbound.working import handle_in_turn  # noqa: PLC0415

    wake.begun(handle_notifications)
    if handle_in_turn():
        wake.now(handle_notifications)


@shared_task
def deliver() -> None:
    """Send what is due, until nothing is."""
    # Loaded in workers alone: web processes import this module to wake them.
    from webhooks.outbound.deliver import deliver_in_turn  # noqa: PLC0415

    wake.begun(deliver)
    if deliver_in_turn():
        wake.now(deliver)


@shared_task
def tell_of_stop(subscription_id: str) -> None:
    """Mail who looks after a webhook that stopped after failures."""
    from webhooks.outbound.stopping import mail_owners  # noqa: PLC0415

    mail_owners(UUID(subscription_id))


@shared_task
def forget_old_events() -> None:
    """Beat, every night: delete what is too old: events with their deliveries and attempts, and
    notifications of registries."""
    from webhooks.outbound.retention import forget_before  # noqa: PLC0415

    retention.forget_old(timezone.now())
    if days := settings.EVENT_RETENTION_DAYS:
        forget_before(timezone.now() - timedelta(days=days))


@shared_task
def mail_each() -> None:
    """Beat, every minute: mail what happened to who wants to hear of it soon."""
    from webhooks import mails  # noqa: PLC0415

    mails.mail_each(now=timezone.now())


@shared_task
def mail_digests() -> None:
    """Beat, every hour: send the daily mails that are due."""
    from webhooks import mails  # noqa: PLC0415

    mails.mail_digests(now=timezone.now())
