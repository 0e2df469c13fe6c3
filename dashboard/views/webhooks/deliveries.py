"""One delivery: the event, and every attempt with what was sent and what came back."""

from __future__ import annotations

import json
from dataclasses import dataclass
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from dashboard.views.access.asking import Asker
from dashboard.views.webhooks.asking import keeper, webhook_or_404
from dashboard.views.webhooks.webhook import deliveries_of
from webhooks.models import Attempt, Delivery, Subscription
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
    newest = list(found.attempts.order_by("-id")[:SHOWN])
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
                _readable(attempt.request_body),
                _readable(attempt.response_body),
            )
            for at, attempt in enumerate(newest)
        ],
        "total": total,
    }
    return render(request, "webhooks/delivery.html", context)


def delivery_or_404(one: Asker, webhook: Subscription, number: int) -> Delivery:
    found = deliveries_of(one, webhook).select_related("event").filter(pk=number).first()
    if found is None:
        raise Http404(_("This webhook has no such delivery."))
    return found


def _readable(body: str) -> str:
    """JSON with a line a value; anything else, or what was cut in the middle, as it came."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return body
    return (
        json.dumps(value, indent=2, ensure_ascii=False) if isinstance(value, dict | list) else body
    )
