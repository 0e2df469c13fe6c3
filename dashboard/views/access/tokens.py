"""Personal access tokens: one's own, made narrower than oneself, shown once, revoked."""

from __future__ import annotations

from datetime import datetime

from django.db.models import F
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from access import keyring, personal_tokens
from access.actions import Action, parsed
from access.keyring import Issued
from access.models import Secret, User
from access.scopes import EVERYTHING, Scope
from dashboard.callers import Caller
from dashboard.forms_tokens import TokenForm, usual_day
from dashboard.htmx import render_page
from dashboard.pagination import Column, Order, paginate
from dashboard.views.access.asking import Asker, asker
from dashboard.views.access.reassured import reassure
from dashboard.views.access.rows import SOON
from dashboard.views.access.show_once import login_hosts, show_once
from dashboard.views.access.submitting import DONE, acted, submitted
from dashboard.views.access.suggest import suggested_scopes

COLUMNS = {
    "created": Column(F("created_at"), datetime, descending_first=True),
    "ends": Column(F("expires_at"), datetime),  # a person's always have an end
}

_form_page = require_http_methods(["GET", "HEAD", "POST"])


@require_safe
def tokens(request: HttpRequest) -> HttpResponse:
    """One's own tokens that work, or with `?state=ended` those that work no more."""
    one = asker(request)
    ended = request.GET.get("state") == "ended"
    now = timezone.now()
    own, live = personal_tokens.tokens_of(one.user), keyring.live(now)
    order = Order.read(request.GET.get("sort", ""), COLUMNS)
    found = own.exclude(live) if ended else own.filter(live)
    context = {
        "section": "access",
        "ended": ended,
        "order": order,
        "page": paginate(found, order=order, query=request.GET),
        "soon": now + SOON,
        "username": one.user.get_username(),
    }
    return render_page(request, "access/tokens/list.html", context, fragment="list")


@_form_page
def create(request: HttpRequest) -> HttpResponse:
    """A token for oneself, shown once."""
    one = asker(request)
    reassure(request)
    actions = [action for action in Action if one.rights.may_somewhere(action)]
    form = TokenForm(request.POST or None, actions=actions, initial={"expires_at": usual_day()})
    issued: list[Issued] = []
    status = submitted(request, form, lambda: _create(one, form, issued))
    if status is DONE:
        return _shown(request, one, issued[0])
    ticked = form["actions"].value() or []
    context = {
        "section": "access",
        "form": form,
        "actions": [(action, action.text in ticked) for action in actions],
        "scopes": suggested_scopes(one),
    }
    return render(request, "access/tokens/create.html", context, status=status)


@_form_page
def revoke(request: HttpRequest, key_id: str) -> HttpResponse:
    """Ask once more, and then let it work no more. Who manages access everywhere revokes anybody's."""
    one = asker(request)
    token = token_or_404(one, key_id)
    own = token.user_id == one.user.pk
    if request.method == "POST":
        acted(request, lambda: _revoke(one, token))
        return redirect("tokens" if own else "credentials")
    context = {"section": "access", "secret": token, "own": own, "limits": _limits(token)}
    return render(request, "access/tokens/revoke.html", context)


def token_or_404(one: Caller, key_id: str) -> Secret:
    """One's own token, or anybody's for who manages access everywhere."""
    found = Secret.objects.filter(kind=Secret.Kind.PERSONAL, key_id=key_id)
    if not one.manages(EVERYTHING):
        own = one.somebody if isinstance(one.somebody, User) else None
        found = found.filter(user=own) if own else found.none()
    token = found.select_related("user").first()
    if token is None:
        raise Http404(_("There is no such token."))
    return token


def _limits(token: Secret) -> list[str]:
    """What narrows it, as people read it; nothing is as wide as its owner."""
    return [*(action.text for action in Action if action in parsed(token.actions)), *token.scopes]


def _create(one: Asker, form: TokenForm, issued: list[Issued]) -> str:
    made = personal_tokens.create_token(
        user=one.user,
        label=form.cleaned_data["label"],
        actions=form.chosen,
        scopes=form.limits,
        expires_at=form.cleaned_data["expires_at"],
        rights=one.rights,
        actor=one.actor,
    )
    issued.append(made)
    return _("The token is made.")


def _revoke(one: Asker, token: Secret) -> str:
    personal_tokens.revoke_token(token, rights=one.rights, actor=one.actor)
    return _("The token %s works no more.") % (token.label or token.key_id)


def _shown(request: HttpRequest, one: Asker, issued: Issued) -> HttpResponse:
    token = issued.secret
    scopes = [Scope.parse(text) for text in token.scopes]
    rights = one.rights.narrowed(parsed(token.actions), scopes)
    return show_once(
        request,
        issued,
        title=_("Your token “%s”") % token.label,
        username=one.user.get_username(),
        hosts=login_hosts(one, rights),
        back=reverse("tokens"),
    )
