"""Machines: those of one's teams, or all; made, changed, switched off and on, removed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models import F, Q, QuerySet, Value
from django.db.models.functions import Coalesce
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from access import keyring
from access import machines as actions
from access.actions import Action
from access.machine_secrets import secrets_of
from access.models import Grant, Secret, ServicePrincipal, Team
from access.models.machines import ServicePrincipalQuerySet
from access.models.roles import NO_END
from access.policy import visible_registries
from access.scopes import EVERYTHING
from dashboard.callers import Caller
from dashboard.forms_machines import MachineFilterForm, MachineForm
from dashboard.htmx import render_page
from dashboard.pagination import CappedCount, Column, Order, paginate
from dashboard.views.access.asking import Asker, asker
from dashboard.views.access.rows import SOON, rows_of
from dashboard.views.access.submitting import DONE, acted, submitted

NEVER = datetime(1, 1, 1, tzinfo=UTC)
# What a machine's page shows of its past, and of its grants; lists of their own have all.
ENDED_SHOWN = 10
GRANTS_SHOWN = 200
COLUMNS = {
    "name": Column(F("name"), str),
    "used": Column(Coalesce("used_at", Value(NEVER)), datetime, descending_first=True),
    "ends": Column(Coalesce("ends_at", Value(NO_END)), datetime),
}

_form_page = require_http_methods(["GET", "HEAD", "POST"])


@require_safe
def machines(request: HttpRequest) -> HttpResponse:
    """The machines that one may know of, filtered."""
    one = asker(request)
    visible = actions.visible_machines(one.user, one.rights)
    teams = Team.objects.filter(service_principals__in=visible).distinct()
    form = MachineFilterForm(request.GET, teams=teams.values_list("name", flat=True))
    found = visible.with_use(timezone.now())
    if form.is_valid():
        found = narrowed(found, form.cleaned_data)
    order = Order.read(request.GET.get("sort", ""), COLUMNS)
    context = {
        "section": "access",
        "form": form,
        "order": order,
        "page": paginate(found.select_related("team"), order=order, query=request.GET),
        "count": CappedCount.of(found),
        "soon": timezone.now() + SOON,
        "may_create": actions.ownable_teams(one.user, one.rights).exists() or _rules(one),
    }
    return render_page(request, "access/machines/list.html", context, fragment="list")


@_form_page
def create(request: HttpRequest) -> HttpResponse:
    """A machine that may do nothing yet; its page leads on."""
    one = asker(request)
    teams = teams_for_new(one)
    form = MachineForm(request.POST or None, teams=_names(teams), needs_team=not _rules(one))
    status = submitted(request, form, lambda: _create(one, form, teams))
    if status is DONE:
        return redirect("access-machine", form.cleaned_data["name"])
    context = {"section": "access", "form": form}
    return render(request, "access/machines/create.html", context, status=status)


@require_safe
def machine(request: HttpRequest, name: str) -> HttpResponse:
    """What a machine may do and why, its two secrets, and who owns it."""
    one = asker(request)
    shown = machine_or_404(one, name)
    now = timezone.now()
    cares = actions.may_care(shown, one.rights, one.user)
    places = secrets_of(shown)
    grants = _grants(one, shown, cares=cares)
    used = shown.secrets.exclude(last_used_at=None).order_by("-last_used_at").first()
    context = {
        "section": "access",
        "machine": shown,
        "places": places,
        "has_free_place": None in places,
        "soon": now + SOON,
        "ended": shown.secrets.filter(kind=Secret.Kind.SERVICE).exclude(keyring.live(now))[
            :ENDED_SHOWN
        ],
        "exchanged": shown.secrets.filter(keyring.live(now), kind=Secret.Kind.EXCHANGED).count(),
        "rules": shown.trust_rules.all(),
        "used": used,
        "rows": rows_of(grants[:GRANTS_SHOWN], one),
        "cares": cares,
        "controls": _controls(one, shown),
        "manages": one.manages_somewhere,
        "may_remove": _rules(one),
    }
    return render(request, "access/machines/machine.html", context)


@_form_page
def change(request: HttpRequest, name: str) -> HttpResponse:
    """Another description or owning team."""
    one = asker(request)
    shown = machine_or_404(one, name)
    actions.require_care(shown, one.rights, one.user)
    teams = teams_for(one, shown)
    owner = shown.team.name if shown.team else ""
    form = MachineForm(
        request.POST or None,
        teams=_names(teams),
        needs_team=not _rules(one),
        stored=True,
        may_move=_masters(one, shown),
        initial={"name": shown.name, "description": shown.description, "team": owner},
    )
    status = submitted(request, form, lambda: _change(one, shown, form, teams))
    if status is DONE:
        return redirect("access-machine", shown.name)
    context = {"section": "access", "machine": shown, "form": form}
    return render(request, "access/machines/change.html", context, status=status)


@require_POST
def switch(request: HttpRequest, name: str) -> HttpResponse:
    """Off, or on again. What the button said counts, not what the machine is by now."""
    one = asker(request)
    shown = machine_or_404(one, name)
    acted(request, lambda: _switch(one, shown, on=request.POST.get("state") == "on"))
    return redirect("access-machine", shown.name)


@_form_page
def remove(request: HttpRequest, name: str) -> HttpResponse:
    """What would vanish with it, and then remove it."""
    one = asker(request)
    shown = machine_or_404(one, name)
    one.rights.require(Action.ACCESS_MANAGE, EVERYTHING)
    if request.method == "POST":
        acted(request, lambda: _remove(one, shown))
        gone = not ServicePrincipal.objects.filter(pk=shown.pk).exists()
        return redirect("machines") if gone else redirect("access-machine", shown.name)
    live = shown.secrets.filter(keyring.live(timezone.now()))
    context = {
        "section": "access",
        "machine": shown,
        "secrets": live.exclude(kind=Secret.Kind.EXCHANGED),
        "exchanged": live.filter(kind=Secret.Kind.EXCHANGED).count(),
        "rules": shown.trust_rules.all(),
        "rows": rows_of(shown.grants.with_names().order_by("pk")[:GRANTS_SHOWN], one),
    }
    return render(request, "access/machines/remove.html", context)


def machine_or_404(one: Caller, name: str) -> ServicePrincipal:
    """The machine, with its use, if he may know of it."""
    visible = actions.visible_machines(one.maintainer, one.rights).with_use(timezone.now())
    found = visible.select_related("team").filter(name=name).first()
    if found is None:
        raise Http404(_("There is no machine of this name."))
    return found


def teams_for_new(one: Caller) -> QuerySet[Team]:
    """The teams that he may make machines for; raises PermissionDenied for who can make none."""
    teams = actions.ownable_teams(one.maintainer, one.rights)
    if not _rules(one) and not teams.exists():
        raise PermissionDenied(_("Machines are made by who maintains a team, or manages access."))
    return teams


def teams_for(one: Caller, machine: ServicePrincipal) -> QuerySet[Team]:
    """The teams that he may give this machine to, or leave it with."""
    ownable = actions.ownable_teams(one.maintainer, one.rights)
    return Team.objects.filter(Q(pk__in=ownable.values("pk")) | Q(pk=machine.team_id))


def narrowed(
    found: ServicePrincipalQuerySet, wanted: Mapping[str, Any]
) -> ServicePrincipalQuerySet:
    """Those of `with_use` that pass a filter's `q`, `team` and `state`."""
    if text := wanted.get("q"):
        found = found.filter(Q(name__icontains=text) | Q(description__icontains=text))
    if wanted.get("team"):
        found = found.filter(team__name=wanted["team"])
    states = {
        "enabled": Q(disabled_at=None),
        "disabled": Q(disabled_at__isnull=False),
        "ending": Q(ends_at__lte=timezone.now() + SOON),
        "none": Q(live_secrets=0),
    }
    return found.filter(states.get(wanted.get("state") or "", Q()))


def _grants(one: Asker, shown: ServicePrincipal, *, cares: bool) -> QuerySet[Grant]:
    """All that reach it, for who can act as it; else those where one may know of the registry."""
    reaching = Grant.objects.reaching_machine(shown).with_names().order_by("is_public", "pk")
    if cares:
        return reaching
    known = visible_registries(one.user)
    return reaching.filter(Q(registry=None) | Q(registry__in=known))


def _create(one: Asker, form: MachineForm, teams: QuerySet[Team]) -> str:
    data = form.cleaned_data
    made = actions.create_machine(
        name=data["name"],
        description=data["description"],
        team=teams.get(name=data["team"]) if data["team"] else None,
        rights=one.rights,
        maintainer=one.user,
        actor=one.actor,
    )
    return _("%s is made. It needs a secret to sign in, and a grant to do anything.") % made.name


def _change(one: Asker, shown: ServicePrincipal, form: MachineForm, teams: QuerySet[Team]) -> str:
    data = form.cleaned_data
    actions.change_machine(
        shown,
        description=data["description"],
        team=teams.get(name=data["team"]) if data["team"] else None,
        rights=one.rights,
        maintainer=one.user,
        actor=one.actor,
    )
    return _("Saved.")


def _switch(one: Asker, shown: ServicePrincipal, *, on: bool) -> str:
    act = actions.enable_machine if on else actions.disable_machine
    act(shown, rights=one.rights, maintainer=one.user, actor=one.actor)
    if on:
        return _("%s may sign in again.") % shown.name
    return _(
        "%s is switched off. A docker token that it holds works until it expires, minutes later."
    ) % (shown.name)


def _remove(one: Asker, shown: ServicePrincipal) -> str:
    actions.remove_machine(shown, rights=one.rights, actor=one.actor)
    return _("The machine %s was removed.") % shown.name


def _rules(one: Caller) -> bool:
    """Whether he manages access everywhere."""
    return one.manages(EVERYTHING)


def _controls(one: Asker, shown: ServicePrincipal) -> bool:
    try:
        actions.require_control(shown, one.rights, one.user)
    except PermissionDenied:
        return False
    return True


def _masters(one: Asker, shown: ServicePrincipal) -> bool:
    try:
        actions.require_mastery_of(shown, one.rights)
    except PermissionDenied:
        return False
    return True


def _names(teams: QuerySet[Team]) -> list[str]:
    return list(teams.order_by("name").values_list("name", flat=True))
