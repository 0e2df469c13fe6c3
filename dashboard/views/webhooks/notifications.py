"""A registry's notifications: how it is set up, its secrets, and what came of what it told."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db.models import F, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.cache import add_never_cache_headers
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from access.actions import Action
from access.policy import may
from access.scopes import Scope
from access.shortcuts import get_registry_or_404
from dashboard.forms_notifications import NotificationFilter
from dashboard.htmx import render_page
from dashboard.pagination import Column, Order, paginate
from dashboard.views.access.asking import Asker, asker
from dashboard.views.access.reassured import reassure
from dashboard.views.access.submitting import acted
from registries.models import Registry
from webhooks.inbound import secrets as actions
from webhooks.inbound.secrets import Made
from webhooks.inbound.setup import guides
from webhooks.models import InboundSecret, Notification

CREATED = 201
ORDERS = {"came": Column(F("received_at"), datetime, descending_first=True)}
_NEWEST = Order.read("", ORDERS)


@dataclass(frozen=True, slots=True)
class Row:
    """A notification, and how many seconds after it came it was handled."""

    notification: Notification
    seconds: float | None


@require_safe
def notifications(request: HttpRequest, name: str) -> HttpResponse:
    """For who may read the registry; what strangers wrote is shown to who manages it."""
    registry = get_registry_or_404(request.user, name, Action.REGISTRY_READ)
    can_manage = may(request.user, Action.REGISTRY_MANAGE, Scope(registry.name))
    form = NotificationFilter(request.GET)
    rows = registry.notifications.all() if can_manage else registry.notifications.defer("body")
    page = paginate(form.narrow(rows), order=_NEWEST, query=request.GET)
    context = {
        "section": "registries",
        "registry": registry,
        "can_manage": can_manage,
        "can_add": can_manage and _live(registry).count() < actions.MOST_LIVE,
        "secrets": _live(registry).order_by("created_at"),
        "guides": guides(registry.name, settings.PUBLIC_URL, first=registry.kind),
        "form": form,
        "page": page,
        "rows": [Row(it, _seconds(it)) for it in page.rows],
        "retention_days": settings.EVENT_RETENTION_DAYS,
    }
    return render_page(request, "webhooks/inbound/page.html", context, fragment="results")


@require_POST
def create(request: HttpRequest, name: str) -> HttpResponse:
    """A new secret, shown this once, where it belongs: in the registry's configuration."""
    one, registry = _managed(request, name)
    reassure(request)  # who took a session over must not leave with a secret that outlives it
    made: list[Made] = []
    acted(request, lambda: _create(one, registry, made))
    if not made:
        return redirect("notifications", registry.name)
    context = {
        "section": "registries",
        "registry": registry,
        "text": made[0].text,
        "is_second": _live(registry).count() > 1,
        "guides": guides(registry.name, settings.PUBLIC_URL, made[0].text, first=registry.kind),
    }
    response = render(request, "webhooks/inbound/made.html", context, status=CREATED)
    add_never_cache_headers(response)  # no-store is among them
    return response


@require_http_methods(["GET", "HEAD", "POST"])
def remove(request: HttpRequest, name: str, pk: UUID) -> HttpResponse:
    """Ask once more, and then let it work no more."""
    one, registry = _managed(request, name)
    secret = registry.inbound_secrets.filter(pk=pk).first()
    if secret is None:
        raise Http404(_("This registry has no such secret."))
    if request.method == "POST":
        acted(request, lambda: _remove(one, secret))
        return redirect("notifications", registry.name)
    context = {"section": "registries", "registry": registry, "secret": secret}
    return render(request, "webhooks/inbound/remove.html", context)


def _managed(request: HttpRequest, name: str) -> tuple[Asker, Registry]:
    one = asker(request)
    return one, get_registry_or_404(one.user, name, Action.REGISTRY_MANAGE)


def _live(registry: Registry) -> QuerySet[InboundSecret]:
    return InboundSecret.objects.live(timezone.now()).filter(registry=registry)


def _seconds(it: Notification) -> float | None:
    return (it.handled_at - it.received_at).total_seconds() if it.handled_at else None


def _create(one: Asker, registry: Registry, made: list[Made]) -> str:
    made.append(actions.create_secret(registry, rights=one.rights, actor=one.actor))
    return _("The secret is made.")


def _remove(one: Asker, secret: InboundSecret) -> str:
    actions.remove_secret(secret, rights=one.rights, actor=one.actor)
    return _("The secret works no more.")
