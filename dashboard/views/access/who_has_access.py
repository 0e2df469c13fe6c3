"""Who has access on a registry, a pattern or a repository, and by which way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import F
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from access import holders
from access.actions import Action
from access.models import ServicePrincipal, User
from access.scopes import Scope
from dashboard.callers import managed_scope
from dashboard.forms_access import WhoForm
from dashboard.htmx import render_page
from dashboard.pagination import CappedCount, Column, Order, Page, paginate
from dashboard.views.access.asking import Asker, manager
from dashboard.views.access.suggest import suggested_scopes
from registries.connectors import CONNECTORS
from registries.connectors.reports import NativeGrant
from registries.models import Registry, RegistryReport

MOST_NATIVE = 200
_PEOPLE = Order.read("", {"name": Column(F("username"), str)})
_MACHINES = Order.read("", {"name": Column(F("name"), str)})


@dataclass(frozen=True, slots=True)
class Native:
    """Rights given at the registry itself, the first of them, and how many there are."""

    label: str
    stored: RegistryReport
    grants: tuple[NativeGrant, ...]
    count: int


@require_safe
def who(request: HttpRequest) -> HttpResponse:
    """People or machines that may do something in all or a part of `?scope=`, a page at a time."""
    one = manager(request)
    form = WhoForm(request.GET if "scope" in request.GET else None)
    scope = form.cleaned_data["scope"] if form.is_valid() else None
    context: dict[str, Any] = {
        "section": "access",
        "form": form,
        "scope": scope,
        "scopes": suggested_scopes(one),
    }
    if scope is not None:
        managed_scope(one, scope)
        context["enforcement"] = _enforcement(scope)
        context["native"] = _native(one, scope)
        chosen = form.cleaned_data["action"]
        action = Action.parse(chosen) if chosen else None
        context |= _found(request, scope, action) | {"action": action}
    return render_page(request, "access/who/who.html", context, fragment="list")


def _enforcement(scope: Scope) -> str:
    """Where grants on this registry hold; nothing for everything, which has registries of all kinds."""
    kind = Registry.objects.filter(name=scope.registry).values_list("kind", flat=True).first()
    return CONNECTORS[kind].enforcement() if kind in CONNECTORS else ""


def _native(one: Asker, scope: Scope) -> Native | None:
    """What the vendor says of access, for who manages access to all of the registry."""
    if scope.registry is None or not one.manages(Scope(scope.registry)):
        return None
    stored = RegistryReport.objects.select_related("registry").filter(registry__name=scope.registry)
    if (row := stored.first()) is None or row.registry.kind not in CONNECTORS:
        return None
    access = row.report.access
    label = CONNECTORS[row.registry.kind].label
    return Native(label, row, access[:MOST_NATIVE], len(access)) if access else None


def _found(request: HttpRequest, scope: Scope, action: Action | None) -> dict[str, Any]:
    now = timezone.now()
    people = holders.people(scope, action, at=now)
    machines = holders.machines(scope, action, at=now)
    shows_machines = request.GET.get("show") == "machines"
    page: Page[User] | Page[ServicePrincipal]
    if shows_machines:
        page = paginate(machines, order=_MACHINES, query=request.GET)
        found = holders.explain_machines(page.rows, scope, action, at=now)
    else:
        page = paginate(people, order=_PEOPLE, query=request.GET)
        found = holders.explain_people(page.rows, scope, action, at=now)
    return {
        "shows_machines": shows_machines,
        "page": page,
        "holders": found,
        "people_count": CappedCount.of(people),
        "machine_count": CappedCount.of(machines),
        "public": holders.the_public(scope, action, at=now),
    }
