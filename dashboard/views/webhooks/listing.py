"""The webhooks that one may manage, and how their deliveries went."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import F, OuterRef, Q, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from access.reach import exactly, lying_in
from access.scopes import Scope, above
from dashboard.forms_webhooks import WebhookFilterForm
from dashboard.htmx import render_page
from dashboard.pagination import CappedCount, Column, Order, Page, paginate
from dashboard.views.access.suggest import suggested_scopes
from dashboard.views.webhooks.asking import keeper
from webhooks.care import manageable
from webhooks.figures import Day, days_of, together
from webhooks.models import Delivery, Subscription

COLUMNS = {"name": Column(F("name"), str)}


@dataclass(frozen=True, slots=True)
class Row:
    webhook: Subscription
    day: Day


@require_safe
def webhooks(request: HttpRequest) -> HttpResponse:
    """What one may manage, filtered; with the last day of what the page shows."""
    one = keeper(request)
    form = WebhookFilterForm(request.GET)
    found = manageable(one.rights)
    if form.is_valid():
        found = narrowed(found, form.cleaned_data)
    order = Order.read(request.GET.get("sort", ""), COLUMNS)
    page = paginate(with_last_delivery(found), order=order, query=request.GET)
    now = timezone.now()
    days = days_of((webhook.pk for webhook in page.rows), now=now)
    context = {
        "section": "webhooks",
        "form": form,
        "order": order,
        "page": page,
        "rows": _rows(page, days),
        "day": together(days.values(), now=now),
        "count": CappedCount.beside(page, found),
        "scopes": suggested_scopes(one),
    }
    return render_page(request, "webhooks/list.html", context, fragment="list")


def _rows(page: Page[Subscription], days: Mapping[UUID, Day]) -> list[Row]:
    return [Row(webhook, days[webhook.pk]) for webhook in page.rows]


def with_last_delivery(found: QuerySet[Subscription]) -> QuerySet[Subscription]:
    """With `last_at` and `last_state` of each one's newest delivery."""
    newest = Delivery.objects.filter(subscription=OuterRef("pk")).order_by("-id")
    return found.annotate(
        last_at=Subquery(newest.values("created_at")[:1]),
        last_state=Subquery(newest.values("state")[:1]),
    )


def narrowed(found: QuerySet[Subscription], wanted: Mapping[str, Any]) -> QuerySet[Subscription]:
    """Those that pass a filter's `q`, `scope` and `state`."""
    if text := wanted.get("q"):
        found = found.filter(Q(name__icontains=text) | Q(host__icontains=text))
    if wanted.get("scope") is not None:
        found = found.filter(_touching(wanted["scope"]))
    state = wanted.get("state")
    if state == "failing":
        return found.filter(failing_since__isnull=False)
    return found.filter(state=state) if state else found


def _touching(scope: Scope) -> Q:
    """Webhooks that send anything of what happens in the scope."""
    condition = lying_in([scope]) | exactly(scope)
    for wider in above(scope):
        condition |= exactly(wider)
    return condition
