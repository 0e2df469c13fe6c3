"""One delivery: the event, and every attempt with what was sent and what came back."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from access.actions import Action
from access.scopes import EVERYTHING
from dashboard.callers import Caller
from dashboard.views.access.asking import Asker
from dashboard.views.access.submitting import acted
from dashboard.views.webhooks.asking import keeper, webhook_or_404
from dashboard.views.webhooks.bodies import readable
from dashboard.views.webhooks.webhook import deliveries_of
from webhooks.models import Attempt, Delivery, Subscription
from webhooks.outbound import actions
from webhooks.outbound.message_id import message_id

# Attempts of a page: a day of retries is a dozen, sent again by hand a few dozen.
SHOWN = 50


@dataclass(frozen=True, slots=True)
class Shown:
    """An attempt as the page shows it."""

    attempt: Attempt
    number: int
    request_body: str
    response_body: str


@require_safe
def delivery(request: HttpRequest, pk: UUID, number: int) -> HttpResponse:
    one = keeper(request)
    webhook = webhook_or_404(one, pk)
    found = delivery_or_404(one, webhook, number)
    total = found.attempts.count()
    context = {
        "section": "webhooks",
        "webhook": webhook,
        "delivery": found,
        "event": found.event,
        "message_id": message_id(found.event),
        "attempts": [
            Shown(
                attempt,
                total - at,
                readable(attempt.request_body),
                readable(attempt.response_body),
            )
            for at, attempt in enumerate(attempts_of(one, found))
        ],
        "total": total,
    }
    return render(request, "webhooks/delivery.html", context)


@require_safe
def result(request: HttpRequest, pk: UUID, number: int) -> HttpResponse:
    """What came of a ping so far: the part of the webhook's page that asks until it knows."""
    one = keeper(request)
    webhook = webhook_or_404(one, pk)
    found = delivery_or_404(one, webhook, number)
    context = {"webhook": webhook, "ping": found, "attempt": found.attempts.last()}
    return render(request, "webhooks/ping.html", context)


@require_POST
def again(request: HttpRequest, pk: UUID, number: int) -> HttpResponse:
    """Send it again, from the first try on, with the same id."""
    one = keeper(request)
    webhook = webhook_or_404(one, pk)
    found = delivery_or_404(one, webhook, number)
    acted(request, lambda: _again(one, webhook, found))
    return redirect("delivery", webhook.pk, found.pk)


def _again(one: Asker, webhook: Subscription, found: Delivery) -> str:
    if not actions.redeliver(webhook, [found.pk], actor=one.actor):
        return _("It is on its way already, or held.")
    if webhook.state != Subscription.State.ACTIVE:
        return _("It is sent again as soon as the webhook goes on.")
    return _("It is sent again; reload the page to see what came of it.")


def attempts_of(one: Caller, found: Delivery) -> list[Attempt]:
    """The newest, newest first, with as much of their answers as he may read.

    An operator opens private networks for webhooks. Who manages webhooks of a part of the catalog
    must not read by them what stands in there: that is for who manages them everywhere.
    """
    newest = list(found.attempts.order_by("-id")[:SHOWN])
    if not one.rights.may(Action.WEBHOOK_MANAGE, EVERYTHING):
        for attempt in newest:
            if attempt.is_internal:
                attempt.withhold()
    return newest


def delivery_or_404(one: Caller, webhook: Subscription, number: int) -> Delivery:
    """One of its deliveries, with its event, if he may read that."""
    found = deliveries_of(one, webhook).select_related("event").filter(pk=number).first()
    if found is None:
        raise Http404(_("This webhook has no such delivery."))
    return found
