"""Runs of the sync: start one, watch it, see why it failed, stop it."""

from __future__ import annotations

from datetime import datetime

from django.contrib import messages
from django.db.models import F
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from access.actions import Action
from access.policy import may
from access.scopes import Scope
from access.shortcuts import actor_of, get_registry_or_404
from dashboard.htmx import render_page
from dashboard.pagination import Column, Order, paginate
from dashboard.runs import problems as run_problems
from dashboard.runs.problems import causes_of
from dashboard.runs.progress import elapsed_of, progress_of
from dashboard.runs.start import start_sync
from dashboard.views.people import signed_in
from registries.models import Registry, SyncProblem, SyncRun
from registries.sync.run import AlreadyRunning, cancel_run

POLL_SECONDS = 2
COLUMNS = {"queued": Column(F("queued_at"), datetime, descending_first=True)}
_NEWEST = Order.read("", COLUMNS)
_AS_FOUND = Order.read("", run_problems.COLUMNS)


@require_safe
def runs(request: HttpRequest, name: str) -> HttpResponse:
    """A registry's runs, newest first."""
    registry = get_registry_or_404(request.user, name, Action.REGISTRY_READ)
    page = paginate(registry.runs.all(), order=_NEWEST, query=request.GET)
    now = timezone.now()
    context = {
        "section": "registries",
        "registry": registry,
        "can_manage": may(request.user, Action.REGISTRY_MANAGE, Scope(registry.name)),
        "page": page,
        "rows": [(run, elapsed_of(run, now=now)) for run in page.rows],
        "active": next((run for run in page.rows if run.is_active), None),
    }
    return render_page(request, "dashboard/runs.html", context, fragment="list")


@require_safe
def run(request: HttpRequest, name: str, pk: int) -> HttpResponse:
    """One run: live while it runs, then its result; each problem with what to do about it."""
    registry = get_registry_or_404(request.user, name, Action.REGISTRY_READ)
    shown = _run_or_404(registry, pk)
    problems = SyncProblem.objects.filter(run=shown)
    cause = request.GET.get("cause", "")
    context = {
        "section": "registries",
        "registry": registry,
        "run": shown,
        "can_manage": may(request.user, Action.REGISTRY_MANAGE, Scope(registry.name)),
        "progress": progress_of(shown, now=timezone.now()),
        "causes": causes_of(problems),
        "cause": cause,
        "page": paginate(
            problems.filter(code=cause) if cause else problems, order=_AS_FOUND, query=request.GET
        ),
        "poll_seconds": POLL_SECONDS,
    }
    return render_page(request, "dashboard/run.html", context, fragment="run")


@require_POST
def sync(request: HttpRequest, name: str) -> HttpResponse:
    """Start a run and lead to it; if one is running already, lead to that one."""
    registry = get_registry_or_404(request.user, name, Action.REGISTRY_MANAGE)
    try:
        started = start_sync(
            registry, actor=actor_of(signed_in(request)), full="full" in request.POST
        )
    except AlreadyRunning as already:
        messages.info(request, _("A sync of %s is running already: this one.") % registry.name)
        started = already.run
    return redirect("run", registry.name, started.pk)


@require_POST
def cancel(request: HttpRequest, name: str, pk: int) -> HttpResponse:
    """Ask a run to stop; it does so after the batch at hand, and keeps what it has proved."""
    registry = get_registry_or_404(request.user, name, Action.REGISTRY_MANAGE)
    shown = _run_or_404(registry, pk)
    if shown.is_active:
        cancel_run(shown, actor=actor_of(signed_in(request)))
    return redirect("run", registry.name, shown.pk)


def _run_or_404(registry: Registry, pk: int) -> SyncRun:
    found = registry.runs.filter(pk=pk).first()
    if found is None:
        raise Http404(_("There is no such run of this registry."))
    return found
