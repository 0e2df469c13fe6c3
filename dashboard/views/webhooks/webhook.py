"""One webhook: how it is doing, what it sent, and switching it off and on."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.db.models import F, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from dashboard.callers import Caller
from dashboard.forms_webhooks import AgainForm, DeliveryFilterForm
from dashboard.htmx import render_page
from dashboard.pagination import CappedCount, Column, Order, paginate
from dashboard.views.access.asking import Asker, ids_of
from dashboard.views.access.submitting import acted
from dashboard.views.webhooks.asking import keeper, webhook_or_404
from webhooks import switching
from webhooks.catalog import Topic
from webhooks.figures import days_of
from webhooks.models import Attempt, Delivery, Subscription
from webhooks.outbound import actions as outbound
from webhooks.readable import told_to_manager

ORDERS = {"id": Column(F("id"), int, descending_first=True)}
NEWEST = Order.read("", ORDERS)
# So many are sent again by one click; who failed more often clicks again.
AT_ONCE = 10_000
PAUSE, RESUME, RESUME_WITHOUT = "pause", "resume", "resume-without"


@require_safe
def webhook(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Its state and what to do about it, the last day, and the log of its deliveries."""
    one = keeper(request)
    shown = webhook_or_404(one, pk)
    now = timezone.now()
    form = DeliveryFilterForm(request.GET)
    readable = deliveries_of(one, shown)
    found = readable
    if form.is_valid():
        # A part is enough for people; programs name whole paths, which an index has.
        part = form.cleaned_data["repository"]
        found = narrowed(readable, form.cleaned_data).filter(event__repository__contains=part)
    page = paginate(found.select_related("event"), order=NEWEST, query=request.GET)
    held = shown.deliveries.filter(state=Delivery.State.HELD)
    context = {
        "section": "webhooks",
        "webhook": shown,
        "form": form,
        "page": page,
        "rows": with_last_attempts(list(page.rows)),
        "count": CappedCount.beside(page, found),
        "day": days_of([shown.pk], now=now)[shown.pk],
        "held": CappedCount.of(held),
        "topics": [topic.label for topic in shown.subscribed],
        "old_secret_until": shown.old_secret_until if _has_two_secrets(shown, now) else None,
        "retention_days": settings.EVENT_RETENTION_DAYS,
        # Ids of its own: the filter of the log has a "since", too.
        "again": AgainForm(
            initial={"since": timezone.localtime(now - timedelta(days=1))}, auto_id="again_%s"
        ),
        **_ping_of(readable, request.GET.get("ping", "")),
    }
    return render_page(request, "webhooks/webhook.html", context, fragment="log")


@require_POST
def switch(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Pause it, or let it go on with what was held meanwhile or without."""
    one = keeper(request)
    shown = webhook_or_404(one, pk)
    wanted = request.POST.get("state", "")
    if wanted == PAUSE:
        acted(request, lambda: _pause(one, shown))
    elif wanted in (RESUME, RESUME_WITHOUT):
        acted(request, lambda: _resume(one, shown, send_held=wanted == RESUME))
    return redirect("webhook", shown.pk)


@require_POST
def ping(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Send a test message; the page it leads back to waits for what comes of it."""
    one = keeper(request)
    shown = webhook_or_404(one, pk)
    sent = outbound.ping(shown, actor=one.actor)
    return redirect(f"{reverse('webhook', args=[shown.pk])}?ping={sent.pk}")


@require_POST
def again(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Send again all that was given up since a time, as far as one may read it."""
    one = keeper(request)
    shown = webhook_or_404(one, pk)
    form = AgainForm(request.POST)
    if form.is_valid():
        acted(request, lambda: _again(one, shown, form.cleaned_data["since"]))
    else:
        messages.error(request, _("Say since when, in the past."))
    return redirect("webhook", shown.pk)


def deliveries_of(one: Caller, shown: Subscription) -> QuerySet[Delivery]:
    """Those of its deliveries whose events he may read."""
    return shown.deliveries.filter(told_to_manager(one.rights, through="event__"))


def narrowed(found: QuerySet[Delivery], wanted: Mapping[str, Any]) -> QuerySet[Delivery]:
    """Those that pass a filter's `state`, `topic`, `since` and `until` (days)."""
    if state := wanted.get("state"):
        found = found.filter(state=state)
    if topic := wanted.get("topic"):
        found = found.filter(event__topic=topic)
    if day := wanted.get("since"):
        found = found.filter(created_at__gte=datetime.combine(day, time.min, UTC))
    if day := wanted.get("until"):
        found = found.filter(created_at__lte=datetime.combine(day, time.max, UTC))
    return found


def with_last_attempts(rows: list[Delivery]) -> list[tuple[Delivery, Attempt | None]]:
    """Each with its last attempt, of which only what a list shows is read."""
    newest = (
        Attempt.objects.filter(delivery__in=rows)
        .order_by("delivery_id", "-id")
        .distinct("delivery_id")
        .only("delivery_id", "at", "seconds", "status", "error")
    )
    by_delivery = {attempt.delivery_id: attempt for attempt in newest}
    return [(delivery, by_delivery.get(delivery.pk)) for delivery in rows]


def _ping_of(readable: QuerySet[Delivery], number: str) -> dict[str, object]:
    """The ping that was just sent, if the address names one."""
    found = readable.filter(pk__in=ids_of([number]), event__topic=Topic.PING).first()
    return {"ping": found, "attempt": found.attempts.last()} if found is not None else {}


def _has_two_secrets(shown: Subscription, now: datetime) -> bool:
    return shown.old_secret_until is not None and shown.old_secret_until > now


def _pause(one: Asker, shown: Subscription) -> str:
    switching.pause_subscription(
        shown, reason=_("Paused by %s.") % one.actor.label, rights=one.rights, actor=one.actor
    )
    return _("The webhook is paused: what happens from now on is held.")


def _resume(one: Asker, shown: Subscription, *, send_held: bool) -> str:
    _webhook, number = switching.resume_subscription(
        shown, send_held=send_held, rights=one.rights, actor=one.actor
    )
    if not number:
        return _("The webhook sends again.")
    if send_held:
        return (
            ngettext(
                "The webhook sends again, also the %d message that was held.",
                "The webhook sends again, also the %d messages that were held.",
                number,
            )
            % number
        )
    return (
        ngettext(
            "The webhook sends again, without the %d message that was held.",
            "The webhook sends again, without the %d messages that were held.",
            number,
        )
        % number
    )


def failed_since(one: Caller, shown: Subscription, since: datetime) -> list[int]:
    """The oldest of what was given up since then, as far as he may read it."""
    failed = deliveries_of(one, shown).filter(state=Delivery.State.GIVEN_UP, ended_at__gte=since)
    return list(failed.order_by("id").values_list("pk", flat=True)[:AT_ONCE])


def _again(one: Asker, shown: Subscription, since: datetime) -> str:
    number = outbound.redeliver(shown, failed_since(one, shown, since), actor=one.actor)
    return ngettext("%d message is sent again.", "%d messages are sent again.", number) % number
