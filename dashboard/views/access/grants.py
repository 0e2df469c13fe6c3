"""Grants: all that one manages, one principal's, one's own; granting and revoking, also in bulk."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_safe

from access.grants import grant_in_bulk, lets_grant, revoke_grants
from access.models import Grant, Role
from access.models.roles import GrantQuerySet
from access.principals import Principal
from dashboard.callers import principal_or_404
from dashboard.forms_access import GrantFilterForm, GrantForm, RevokeForm, last_day_of
from dashboard.htmx import render_page
from dashboard.pagination import CappedCount, Order, paginate
from dashboard.views.access.asking import Asker, asker, ids_of, manager
from dashboard.views.access.reassured import reassure
from dashboard.views.access.rows import COLUMNS, rows_of
from dashboard.views.access.submitting import DONE, submitted
from dashboard.views.access.suggest import suggested_principals, suggested_scopes

# What a page of grants can hold, and so what can be chosen on it.
CHOSEN_LIMIT = 200

_form_page = require_http_methods(["GET", "HEAD", "POST"])


@require_safe
def grants(request: HttpRequest) -> HttpResponse:
    """The grants on all scopes where one manages access, filtered."""
    one = manager(request)
    form = GrantFilterForm(request.GET, roles=Role.objects.all())
    found = _filtered(Grant.objects.filter(one.managed), form)
    order = Order.read(request.GET.get("sort", ""), COLUMNS)
    page = paginate(found.with_names(), order=order, query=request.GET)
    context = {
        "section": "access",
        "form": form,
        "order": order,
        "page": page,
        "rows": rows_of(page.rows, one),
        "count": CappedCount.of(found),
        "scopes": suggested_scopes(one),
    }
    return render_page(request, "access/grants/list.html", context, fragment="list")


@require_safe
def mine(request: HttpRequest) -> HttpResponse:
    """What one may do oneself, and by which grants."""
    one = asker(request)
    order = Order.read(request.GET.get("sort", ""), COLUMNS)
    reaching = Grant.objects.reaching_user(one.user).live(timezone.now())
    page = paginate(reaching.distinct().with_names(), order=order, query=request.GET)
    context = {
        "section": "access",
        "is_superuser": one.user.is_superuser,
        "order": order,
        "page": page,
        "rows": rows_of(page.rows, one),
    }
    return render_page(request, "access/grants/mine.html", context, fragment="list")


@require_safe
def of_principal(request: HttpRequest, principal: str) -> HttpResponse:
    """One principal's grants, as far as one manages access there; a person's teams' included."""
    one = manager(request)
    who, somebody = principal_or_404(principal)
    order = Order.read(request.GET.get("sort", ""), COLUMNS)
    found = Grant.objects.held_by(somebody).filter(one.managed).with_names()
    page = paginate(found, order=order, query=request.GET)
    context = {
        "section": "access",
        "principal": who,
        "somebody": somebody,
        "order": order,
        "page": page,
        "rows": rows_of(page.rows, one),
    }
    return render_page(request, "access/grants/principal.html", context, fragment="list")


@_form_page
def create(request: HttpRequest) -> HttpResponse:
    """Grant a role to one or several on one or several scopes; the same again changes the end. A
    role that lets grant in turn asks for the password again."""
    one = manager(request)
    roles = one.grantable_somewhere()
    form = GrantForm(request.POST or None, roles=roles, initial=_initial(request.GET, one))
    status = submitted(request, form, lambda: _grant(request, one, form))
    if status is DONE:
        return redirect(_address_after(form.principals))
    context = {
        "section": "access",
        "form": form,
        "scopes": suggested_scopes(one),
        "principals": suggested_principals(one),
    }
    return render(request, "access/grants/create.html", context, status=status)


@_form_page
def revoke(request: HttpRequest) -> HttpResponse:
    """What is to be revoked, and then revoke it. Grants that one does not manage are not there."""
    one = manager(request)
    chosen = _chosen_or_404(request, one)
    form = RevokeForm(request.POST or None)
    status = submitted(request, form, lambda: _revoke(one, chosen, form))
    if status is DONE:
        return redirect("grants")
    context = {"section": "access", "rows": rows_of(chosen, one), "form": form}
    return render(request, "access/grants/revoke.html", context, status=status)


def _filtered(found: GrantQuerySet, form: GrantFilterForm) -> GrantQuerySet:
    if not form.is_valid():
        return found
    wanted, days = form.cleaned_data, form.cleaned_data["ending"]
    return found.matching(
        called=wanted["q"],
        within=wanted["scope"],
        role=wanted["role"],
        until=timezone.now() + timedelta(days=days) if days else None,
    )


def _initial(query: QueryDict, one: Asker) -> dict[str, Any]:
    """What a link to the form fills in; of a grant that is to be changed, all that it is."""
    initial: dict[str, Any] = {name: query.get(name, "") for name in ("principal", "role", "scope")}
    if "grant" in query:
        asked = ids_of(query.getlist("grant"))
        grant = Grant.objects.filter(one.managed, pk__in=asked).with_names().first()
        if grant is None:
            raise Http404(_("There is no such grant."))
        initial = {
            "principal": str(Principal.holding(grant)),
            "role": grant.role.name,
            "scope": str(grant.scope),
            "last_day": last_day_of(grant.until),
            "reason": grant.reason,
        }
    return initial


def _grant(request: HttpRequest, one: Asker, form: GrantForm) -> str:
    data = form.cleaned_data
    roles = list(Role.objects.filter(name=data["role"]))
    if lets_grant(roles, form.scopes, one.rights):
        reassure(request)  # who took a session over must make no owner who outlives it
    made = grant_in_bulk(
        roles=roles,
        to=[principal.find() for principal in form.principals],
        scopes=form.scopes,
        until=data["last_day"],
        reason=data["reason"],
        rights=one.rights,
        actor=one.actor,
    )
    return ngettext("%d grant was made.", "%d grants were made.", len(made)) % len(made)


def _revoke(one: Asker, chosen: list[Grant], form: RevokeForm) -> str:
    taken = revoke_grants(
        [grant.pk for grant in chosen],
        reason=form.cleaned_data["reason"],
        rights=one.rights,
        actor=one.actor,
    )
    return ngettext("%d grant was revoked.", "%d grants were revoked.", len(taken)) % len(taken)


def _address_after(principals: list[Principal]) -> str:
    if len(principals) == 1:
        return reverse("principal-grants", args=[str(principals[0])])
    return reverse("grants")


def _chosen_or_404(request: HttpRequest, one: Asker) -> list[Grant]:
    asked = ids_of((request.POST or request.GET).getlist("grant"))
    chosen = list(
        Grant.objects.filter(one.managed, pk__in=asked[:CHOSEN_LIMIT]).with_names().order_by("pk")
    )
    if not chosen or len(chosen) != len(asked):
        raise Http404(_("Some of these grants are not there (any more)."))
    return chosen
