"""When a subscription is stopped by itself: its receiver said that it is gone, or fails steadily."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from functools import partial
from smtplib import SMTPException
from uuid import UUID

from django.conf import settings
from django.core.mail import send_mail
from django.db import transaction
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from access.models import User
from registries.actor import SYSTEM
from webhooks import tasks
from webhooks.care import locked
from webhooks.models import Delivery, Subscription
from webhooks.outbound.recording import Failing, Recorded
from webhooks.switching import switch

log = logging.getLogger(__name__)

# Both must hold: a receiver that is rarely sent anything is not judged by one bad hour.
STEADY = timedelta(hours=24)
STEADY_FAILURES = 6


def fails_steadily(since: datetime, failures: int, *, at: datetime) -> bool:
    """Whether a receiver failed for so long, and so often in a row, that it is left alone."""
    return at - since >= STEADY and failures >= STEADY_FAILURES


def stop_those(recorded: Recorded) -> None:
    """Stop who wants nothing any more, and who failed for too long."""
    for subscription in recorded.gone:
        stop(subscription, because=_("The receiver answered 410: it is gone for good."))
    now = timezone.now()
    for failing in recorded.failing:
        if failing.subscription not in recorded.gone and fails_steadily(
            failing.since, failing.failures, at=now
        ):
            stop(failing.subscription, because=_reason(failing))


@transaction.atomic(durable=True)
def stop(subscription_id: UUID, *, because: str) -> None:
    """Let it be sent nothing more until somebody resumes it; what waits is held until then. Whoever
    looks after it is told by mail."""
    found = Subscription.objects.filter(pk=subscription_id).first()
    if found is None:
        return
    subscription = locked(found)
    if subscription.state != Subscription.State.ACTIVE:
        return
    switch(subscription, Subscription.State.STOPPED, because=because, actor=SYSTEM)
    waiting = Delivery.objects.filter(subscription=subscription, state=Delivery.State.WAITING)
    waiting.update(state=Delivery.State.HELD, reason=because[:255])
    # By a task: a mail server that is slow must not hold the deliveries of others.
    tell = partial(tasks.tell_of_stop.apply_async, (str(subscription.pk),), retry=False)
    transaction.on_commit(tell, robust=True)


def owners(subscription: Subscription) -> list[User]:
    """Who looks after it: the members of its team, or who made it."""
    if subscription.team is not None:
        people = User.objects.filter(memberships__team=subscription.team)
    else:
        people = User.objects.filter(pk__in=[subscription.created_by_id or 0])
    return list(people.filter(is_active=True).exclude(email="").order_by("username"))


def mail_owners(subscription_id: UUID) -> int:
    """Mail them why it stopped, where mail is set up; returns how many were told."""
    subscription = (
        Subscription.objects.select_related("team", "registry")
        .filter(pk=subscription_id, state=Subscription.State.STOPPED)
        .first()
    )
    if subscription is None or not settings.EMAIL_CONFIG_SET:
        return 0
    told = 0
    for person in owners(subscription):
        context = {
            "person": person,
            "subscription": subscription,
            "link": f"{settings.PUBLIC_URL}/webhooks/{subscription.pk}/",
        }
        body = render_to_string("webhooks/mail/stopped.txt", context)
        subject = _("Your webhook “%s” has stopped") % subscription.name
        try:
            told += send_mail(subject, body, None, [person.email])
        except (OSError, SMTPException):
            log.warning("The mail about webhook %s was not sent.", subscription.pk, exc_info=True)
    return told


def _reason(failing: Failing) -> str:
    since = failing.since.strftime("%Y-%m-%d %H:%M UTC")
    return ngettext(
        "No attempt succeeded since %(since)s (%(count)d in a row).",
        "No attempt succeeded since %(since)s (%(count)d in a row).",
        failing.failures,
    ) % {"since": since, "count": failing.failures}
