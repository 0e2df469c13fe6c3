"""What access does by the clock. Each of these may come twice, late or never."""

from __future__ import annotations

import logging

from celery import shared_task
from django.conf import settings
from django.db import OperationalError
from django.utils import timezone

from access import expiring, grants, kept_answers, keyring, months, trail
from access.tokens import exchange, signing
from registries.actor import SYSTEM

log = logging.getLogger(__name__)


@shared_task
def end_grants() -> None:
    """Beat, every minute: take away what ended. It allows nothing since its end already."""
    grants.end_grants(timezone.now())


@shared_task
def warn_of_ends() -> None:
    """Beat, every day: tell of secrets that end soon."""
    expiring.warn(timezone.now(), actor=SYSTEM)


@shared_task
def forget_exchanged_secrets() -> None:
    """Beat, every quarter of an hour: delete exchanged secrets that ended a day before, and what
    is kept of the tokens that bought them."""
    keyring.forget_ended(timezone.now())
    exchange.forget_spent(timezone.now())


@shared_task
def forget_ended_keys() -> None:
    """Beat, every hour: delete signing keys of which no token is good any more."""
    signing.forget_ended(timezone.now())


@shared_task(autoretry_for=(OperationalError,), retry_backoff=60, max_retries=5)
def keep_trail() -> None:
    """Beat, every day: make the logs' months ahead, drop those that are too old."""
    months.trim(
        audit_months=settings.AUDIT_RETENTION_MONTHS,
        token_log_months=settings.TOKEN_LOG_RETENTION_MONTHS,
        actor=SYSTEM,
    )


@shared_task
def verify_trail() -> None:
    """Beat, every day, and when somebody asks for it: is the audit log whole?"""
    verdict = trail.verify_and_remember()
    if not verdict.holds:
        log.error("%s", verdict.sentence)


@shared_task
def forget_kept_answers() -> None:
    """Beat, every hour: a day after it was sent, an idempotency key may be used again."""
    kept_answers.forget_old(timezone.now())
