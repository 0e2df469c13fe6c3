"""What the vendor tells of a registry: usage, warnings, webhooks; and what can be done about them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from access.actions import Action
from access.policy import may
from access.scopes import Scope
from access.shortcuts import get_registry_or_404
from dashboard.browse.at_vendor import require_telling, told_or_404
from dashboard.views.access.asking import Asker, asker
from dashboard.views.access.submitting import acted
from registries import reports
from registries.changing import vendor as vendor_changes
from registries.connectors import CONNECTORS, Ability
from registries.connectors.reports import NativeWebhook
from registries.models import Registry
from registries.oci.errors import RegistryError
from webhooks.inbound.native import set_up


@require_safe
def vendor(request: HttpRequest, name: str) -> HttpResponse:
    """For who may read the registry; webhooks and what to do are for who manages it."""
    registry = get_registry_or_404(request.user, name, Action.REGISTRY_READ)
    told = told_or_404(registry)
    context = {
        "section": "registries",
        "registry": registry,
        "label": told.kind.label,
        "stored": told.stored,
        "report": told.report,
        "warnings": [(it, told.remedy_for(it.code)) for it in told.report.warnings],
        "offers": list(told.offers()),
        "can_manage": may(request.user, Action.REGISTRY_MANAGE, Scope(registry.name)),
        "has_webhooks": told.has_webhooks,
        "can_ping": Ability.PINGS in told.kind.abilities,
        "webhooks_are_for": told.kind.webhooks_are_for,
        "notifies": told.notifies,
        "tells_access": Ability.ACCESS in told.kind.abilities,
        "can_see_access": may(request.user, Action.ACCESS_MANAGE, Scope(registry.name)),
    }
    return render(request, "dashboard/vendor/vendor.html", context)


@require_POST
def read(request: HttpRequest, name: str) -> HttpResponse:
    """Ask the vendor now."""
    _one, registry = _managed(request, name)
    acted(request, lambda: _read(registry))
    return redirect("vendor", registry.name)


@require_http_methods(["GET", "HEAD", "POST"])
def remedy(request: HttpRequest, name: str, code: str) -> HttpResponse:
    """Ask once more, and then have the vendor do it."""
    one, registry = _managed(request, name)
    words = vendor_changes.remedies_of(registry).get(code)
    if words is None:
        raise Http404(_("Registries of this kind have no such setting."))
    do = vendor_changes.do_remedy
    if request.method == "POST":
        _acted(request, lambda: do(registry=registry, code=code, actor=one.actor))
        return redirect("vendor", registry.name)
    return render(request, "dashboard/vendor/confirm.html", _context(registry, words=words))


@require_POST
def create_webhook(request: HttpRequest, name: str) -> HttpResponse:
    """Set up the one that notifies Portolan, with a secret that nobody sees."""
    one, registry = _managed(request, name)
    project = request.POST.get("project", "").strip()[:255]
    _acted(request, lambda: _create(one, registry, project))
    return redirect("vendor", registry.name)


@require_POST
def ping_webhook(request: HttpRequest, name: str) -> HttpResponse:
    """Have a test notification sent."""
    _one, registry = _managed(request, name)
    webhook = told_or_404(registry).webhook_or_404(request.POST.get("webhook", ""))
    ping = vendor_changes.ping_webhook
    _acted(request, lambda: ping(registry=registry, webhook_id=webhook.id))
    return redirect("vendor", registry.name)


@require_http_methods(["GET", "HEAD", "POST"])
def remove_webhook(request: HttpRequest, name: str) -> HttpResponse:
    """Ask once more, and then have the vendor remove it."""
    one, registry = _managed(request, name)
    webhook = told_or_404(registry).webhook_or_404(request.GET.get("webhook", ""))
    if request.method == "POST":
        _acted(request, lambda: _remove(one, registry, webhook))
        return redirect("vendor", registry.name)
    words = _("Remove the webhook")
    context = _context(registry, words=words, webhook=webhook)
    return render(request, "dashboard/vendor/confirm.html", context)


def _managed(request: HttpRequest, name: str) -> tuple[Asker, Registry]:
    one = asker(request)
    registry = get_registry_or_404(one.user, name, Action.REGISTRY_MANAGE)
    require_telling(registry)
    return one, registry


def _context(registry: Registry, **more: Any) -> dict[str, Any]:
    label = CONNECTORS[registry.kind].label
    return {"section": "registries", "registry": registry, "label": label, **more}


def _acted(request: HttpRequest, act: Callable[[], str]) -> None:
    """Do it and say what came of it, also what the vendor said against it."""

    def told() -> str:
        try:
            return act()
        except RegistryError as error:
            raise ValidationError(f"{error} {error.advice}") from None

    acted(request, told)


def _read(registry: Registry) -> str:
    stored = reports.read_report(registry)
    if stored.problem:
        raise ValidationError(stored.problem)
    return _("This is what is told now.")


def _create(one: Asker, registry: Registry, project: str) -> str:
    webhook = set_up(
        registry,
        portolan=settings.PUBLIC_URL,
        project=project,
        rights=one.rights,
        actor=one.actor,
    )
    return _("The webhook %s is set up. From now on the registry tells what happens.") % (
        webhook.name
    )


def _remove(one: Asker, registry: Registry, webhook: NativeWebhook) -> str:
    vendor_changes.delete_webhook(registry=registry, webhook_id=webhook.id, actor=one.actor)
    return _("The webhook is removed. Its secret still works, until you remove that, too.")
