"""Requests for access: one's own, those that wait for one's answer, asking and answering."""

from __future__ import annotations

from datetime import datetime

from django.db.models import F, Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from access import holders
from access.actions import Action
from access.explain import granters, roles_allowing
from access.grants import lets_grant
from access.models import AccessRequest, Role
from access.requests import ask, grant_request, refuse_request, scope_of, withdraw
from dashboard.forms_access import AnswerForm, AskForm
from dashboard.htmx import render_page
from dashboard.pagination import Column, Order, paginate
from dashboard.views.access.asking import Asker, asker, scope_of_address
from dashboard.views.access.reassured import reassure
from dashboard.views.access.submitting import DONE, acted, submitted
from dashboard.views.access.suggest import suggested_scopes

COLUMNS = {"asked": Column(F("asked_at"), datetime, descending_first=True)}
_NEWEST = Order.read("", COLUMNS)
_form_page = require_http_methods(["GET", "HEAD", "POST"])


@require_safe
def requests(request: HttpRequest) -> HttpResponse:
    """One's own requests, or with `?show=answer` those of others on scopes that one manages."""
    one = asker(request)
    to_answer = one.manages_somewhere and request.GET.get("show", "answer") == "answer"
    closed = request.GET.get("state") == "closed"
    of = Q(one.managed) & ~Q(user=one.user) if to_answer else Q(user=one.user)
    found = AccessRequest.objects.select_related("user", "role", "registry").filter(of)
    is_open = Q(state=AccessRequest.State.OPEN)
    found = found.filter(~is_open if closed else is_open)
    page = paginate(found, order=_NEWEST, query=request.GET)
    context = {
        "section": "access",
        "manages": one.manages_somewhere,
        "to_answer": to_answer,
        "closed": closed,
        "page": page,
        "rows": [(row, scope_of(row)) for row in page.rows],
    }
    return render_page(request, "access/requests/list.html", context, fragment="list")


@_form_page
def create(request: HttpRequest) -> HttpResponse:
    """Ask for a role; the error page leads here with what was missing."""
    one = asker(request)
    scope = scope_of_address(one, request.GET.get("scope", ""))
    missing = _missing(request)
    roles = roles_allowing(missing) if missing else list(Role.objects.all())
    initial = {
        "scope": str(scope or ""),
        "role": request.GET.get("role") or (roles[0].name if missing and roles else "reader"),
    }
    form = AskForm(request.POST or None, roles=roles, initial=initial)
    status = submitted(request, form, lambda: _ask(one, form))
    if status is DONE:
        return redirect("requests")
    context = {
        "section": "access",
        "form": form,
        "missing": missing,
        "scope": scope,
        "scopes": suggested_scopes(one),
    }
    return render(request, "access/requests/create.html", context, status=status)


@_form_page
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One request: what was asked, what the person has there already, and the answer."""
    one = asker(request)
    shown = _request_or_404(one, pk)
    scope = scope_of(shown)
    answers = one.manages(scope)
    form = AnswerForm(request.POST or None)
    status = submitted(request, form, lambda: _answer(request, one, shown, form))
    if status is DONE:
        return redirect("request", shown.pk)
    context = {
        "section": "access",
        "asked": shown,
        "scope": scope,
        "form": form,
        "is_open": shown.state == AccessRequest.State.OPEN,
        "is_own": shown.user_id == one.user.pk,
        "answers": answers,
        "has": holders.explain_people([shown.user], scope, None, at=timezone.now())[0],
        "granters": [] if answers else granters(shown.role, scope, at=timezone.now()),
        "allowed": [action for action in Action if action in shown.role.allowed],
    }
    return render(request, "access/requests/request.html", context, status=status)


@require_POST
def take_back(request: HttpRequest, pk: int) -> HttpResponse:
    """Withdraw one's own request."""
    one = asker(request)
    shown = _request_or_404(one, pk)
    acted(request, lambda: _withdraw(one, shown))
    return redirect("request", shown.pk)


def _request_or_404(one: Asker, pk: int) -> AccessRequest:
    found = (
        AccessRequest.objects.select_related("user", "role", "registry")
        .filter(Q(one.managed) | Q(user=one.user), pk=pk)
        .first()
    )
    if found is None:
        raise Http404(_("There is no such request."))
    return found


def _missing(request: HttpRequest) -> Action | None:
    """The action that the error page says was needed."""
    try:
        return Action.parse(request.GET.get("action", ""))
    except ValueError:
        return None


def _ask(one: Asker, form: AskForm) -> str:
    data = form.cleaned_data
    ask(
        user=one.user,
        role=Role.objects.get(name=data["role"]),
        scope=data["scope"],
        reason=data["reason"],
        actor=one.actor,
    )
    return _("Your request waits for an owner’s answer.")


def _answer(request: HttpRequest, one: Asker, shown: AccessRequest, form: AnswerForm) -> str:
    data, name = form.cleaned_data, shown.user.get_username()
    if request.POST.get("action") == "grant":
        if lets_grant([shown.role], [scope_of(shown)], one.rights):
            reassure(request)  # as where it is granted unasked
        grant_request(
            shown.pk,
            until=data["last_day"],
            answer=data["answer"],
            rights=one.rights,
            actor=one.actor,
        )
        return _("%s has the role now.") % name
    refuse_request(shown.pk, answer=data["answer"], rights=one.rights, actor=one.actor)
    return _("Refused; %s can read why.") % name


def _withdraw(one: Asker, shown: AccessRequest) -> str:
    withdraw(shown.pk, user=one.user, actor=one.actor)
    return _("Your request is withdrawn.")
