"""Connect a registry, change how it is connected, remove it. A connection is tried before it is kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods

from access.actions import Action
from access.networks import require_network
from access.policy import rights_of
from access.shortcuts import actor_of, get_registry_or_404, require
from access.trust_rules import may_reach_private
from dashboard.forms import RegistryForm, RemoveForm
from dashboard.htmx import render_page
from dashboard.runs.start import start_sync
from dashboard.views.people import signed_in
from registries.connection_checks import ConnectionCheck, check_connection
from registries.connections import (
    RegistryBusyError,
    change_registry,
    connect_registry,
    name_taken,
    needs_check,
    remove_registry,
    settings_of,
)
from registries.connectors import CONNECTORS
from registries.models import Registry
from registries.sync.run import AlreadyRunning
from registries.transactions import together

# The form is sent back with what is wrong: not a page that a reload may send again.
UNPROCESSABLE = 422

_STEPS = {
    "address": gettext_lazy("Address"),
    "dns": gettext_lazy("Host name"),
    "tcp": gettext_lazy("Port"),
    "tls": gettext_lazy("Certificate"),
    "api": gettext_lazy("Protocol"),
    "sign-in": gettext_lazy("Sign-in"),
    "catalog": gettext_lazy("Catalog"),
}

_POWERS = {
    "list": gettext_lazy("List repositories"),
    "pull": gettext_lazy("Read images"),
    "delete": gettext_lazy("Delete"),
    "webhooks": gettext_lazy("Set up webhooks"),
}

_form_page = require_http_methods(["GET", "HEAD", "POST"])


@never_cache
@sensitive_post_parameters()
@_form_page
def connect(request: HttpRequest) -> HttpResponse:
    """Try a connection out, or store it and start its first sync."""
    require(request.user, Action.REGISTRY_MANAGE)
    form = RegistryForm(request.POST or None)
    if request.method != "POST":
        return _page(request, {"form": form})
    if not form.is_valid() or _is_taken(form):
        return _refused(request, form)
    check = _check(form, stored=None)
    if check is None or not check.passed or _only_a_test(request):
        return _checked(request, form, check)
    try:
        registry = connect_registry(check=check, actor=actor_of(signed_in(request)))
    except ValidationError as error:  # somebody took the name a moment ago
        form.refuse(error)
        return _refused(request, form)
    return _first_sync(request, registry)


@never_cache
@sensitive_post_parameters()
@_form_page
def edit(request: HttpRequest, name: str) -> HttpResponse:
    """Change a connection; what is dialled otherwise than before is tried out first."""
    registry = get_registry_or_404(request.user, name, Action.REGISTRY_MANAGE)
    rights = rights_of(signed_in(request))
    form = RegistryForm(
        request.POST or None,
        stored=registry,
        may_open=may_reach_private(rights),
        initial=RegistryForm.initial_of(settings_of(registry)),
    )
    if request.method != "POST":
        return _page(request, {"form": form, "registry": registry})
    if not form.is_valid():
        return _refused(request, form)
    check = None
    if _only_a_test(request) or needs_check(registry, form.settings):
        check = _check(form, stored=registry)
        if check is None or not check.passed or _only_a_test(request):
            return _checked(request, form, check)
    settings = check.settings if check else form.settings  # its kind may have been found out
    with together():
        # As it is now: while it was tried out, private addresses may have been turned off.
        locked = Registry.objects.select_for_update().get(pk=registry.pk)
        require_network(rights, form.settings, settings_of(locked))
        change_registry(
            registry=locked, settings=settings, check=check, actor=actor_of(signed_in(request))
        )
    messages.success(request, _("The settings of %s were saved.") % registry.name)
    return redirect("registry-runs", registry.name)


@_form_page
def remove(request: HttpRequest, name: str) -> HttpResponse:
    """Forget a registry, once its name was typed."""
    registry = get_registry_or_404(request.user, name, Action.REGISTRY_MANAGE)
    form = RemoveForm(request.POST or None, registry=registry)
    if request.method == "POST" and form.is_valid():
        try:
            remove_registry(registry=registry, actor=actor_of(signed_in(request)))
        except RegistryBusyError:
            form.add_error(None, _("A sync of it is running: stop that first, then remove it."))
        else:
            messages.success(request, _("%s was removed from Portolan.") % registry.name)
            return redirect("registries")
    context = {
        "section": "registries",
        "registry": registry,
        "form": form,
        "running": registry.runs.active().first(),
    }
    status = UNPROCESSABLE if form.errors else 200
    return render(request, "dashboard/connect/remove.html", context, status=status)


def _only_a_test(request: HttpRequest) -> bool:
    return request.POST.get("action") == "test"


def _is_taken(form: RegistryForm) -> bool:
    """Found before anything is dialled; the action makes sure once more."""
    if not Registry.objects.filter(name=form.settings.name).exists():
        return False
    form.refuse(name_taken(form.settings.name))
    return True


@sensitive_variables()
def _check(form: RegistryForm, *, stored: Registry | None) -> ConnectionCheck | None:
    """The check of what was typed; None, with the form saying why, if it could not be tried."""
    try:
        return check_connection(form.settings, stored=stored)
    except ValidationError as error:
        form.refuse(error)
        return None


def _first_sync(request: HttpRequest, registry: Registry) -> HttpResponse:
    messages.success(request, _("%s is connected. Its first sync begins.") % registry.name)
    try:
        run = start_sync(registry, actor=actor_of(signed_in(request)))
    except AlreadyRunning as already:  # the schedule was quicker
        run = already.run
    return redirect("run", registry.name, run.pk)


def _checked(
    request: HttpRequest, form: RegistryForm, check: ConnectionCheck | None
) -> HttpResponse:
    if check is None:
        return _refused(request, form)
    steps = [(_STEPS[step.name], step) for step in check.steps]
    context = {
        "form": form,
        "registry": form.stored,
        "check": check,
        "steps": steps,
        "kind_label": CONNECTORS[check.settings.kind].label,
        "powers": [(_POWERS[power.name], power) for power in check.powers],
    }
    if _only_a_test(request):
        return _page(request, context)
    return _page(request, context | {"not_saved": True}, status=UNPROCESSABLE)


def _refused(request: HttpRequest, form: RegistryForm) -> HttpResponse:
    # htmx leaves the page as it is for any other status than success.
    status = 200 if _only_a_test(request) else UNPROCESSABLE
    return _page(request, {"form": form, "registry": form.stored}, status=status)


def _page(request: HttpRequest, context: Mapping[str, Any], status: int = 200) -> HttpResponse:
    return render_page(
        request,
        "dashboard/connect.html",
        {"section": "registries", **context},
        fragment="check",
        status=status,
    )
