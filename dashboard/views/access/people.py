"""People: who there is, inviting, changing, switching off. For who manages access on everything."""

from __future__ import annotations

from collections.abc import Callable

from allauth.account.decorators import reauthentication_required
from allauth.mfa.models import Authenticator
from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.db.models import Exists, F, OuterRef, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from access import people as actions
from access.actions import Action
from access.models import Grant, User
from access.policy import Rights
from access.scopes import EVERYTHING
from access.shortcuts import require
from dashboard import invitations
from dashboard.forms_people import InviteForm, PersonForm
from dashboard.htmx import render_page
from dashboard.pagination import Column, Order, paginate
from dashboard.views.access.asking import Asker, asker
from dashboard.views.access.submitting import DONE, acted, submitted

_ORDER = Order.read("", {"name": Column(F("username"), str)})
STATES = {
    "active": Q(is_active=True) & ~Q(last_login=None),
    "invited": Q(is_active=True, last_login=None, password__startswith=UNUSABLE_PASSWORD_PREFIX),
    "off": Q(is_active=False),
}


@require_safe
def people(request: HttpRequest) -> HttpResponse:
    """Everybody, by name; `?q=` looks into names and addresses."""
    _manager(request)
    query, state = request.GET.get("q", "").strip(), request.GET.get("state", "")
    found = User.objects.prefetch_related("teams").annotate(
        has_second_factor=Exists(
            Authenticator.objects.filter(user=OuterRef("pk")).exclude(type="recovery_codes")
        )
    )
    for word in query.split():
        found = found.filter(
            Q(username__icontains=word)
            | Q(email__icontains=word)
            | Q(first_name__icontains=word)
            | Q(last_name__icontains=word)
        )
    if state in STATES:
        found = found.filter(STATES[state])
    context = {
        "section": "access",
        "page": paginate(found, order=_ORDER, query=request.GET),
        "query": query,
        "state": state,
        "filtered": bool(query or state in STATES),
    }
    return render_page(request, "access/people/people.html", context, fragment="list")


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def invite(request: HttpRequest) -> HttpResponse:
    """An account for somebody, and the link to hand over; it is shown in the answer to the form and
    nowhere else."""
    one = _manager(request)
    form = InviteForm(request.POST or None)
    invited: list[User] = []

    def act() -> str:
        values = {name: form.cleaned_data[name] for name in form.fields}
        invited.append(actions.invite(**values, rights=one.rights, actor=one.actor))
        return ""

    status = submitted(request, form, act)
    if status is not DONE:
        context = {"section": "access", "form": form}
        return render(request, "access/people/invite.html", context, status=status)
    return _hand_over(request, one, invited[0])


@require_http_methods(["GET", "HEAD", "POST"])
def person(request: HttpRequest, pk: int) -> HttpResponse:
    """One person: who, which teams and grants, how he signs in, and what can be done."""
    one = _manager(request)
    shown = get_object_or_404(User, pk=pk)
    form = PersonForm(request.POST or None, initial=PersonForm.initial_of(shown))

    def act() -> str:
        values = {name: form.cleaned_data[name] for name in form.fields}
        actions.change_person(shown, **values, rights=one.rights, actor=one.actor)
        return _("%s was changed.") % shown.get_username()

    status = submitted(request, form, act)
    if status is DONE:
        return redirect("person", shown.pk)
    context = {
        "section": "access",
        "person": shown,
        "form": form,
        "masters": actions.masters(shown, one.rights),
        "owns": one.rights.allowed_in(EVERYTHING) >= frozenset(Action),
        "memberships": shown.memberships.select_related("team").order_by("team__name"),
        "grants": Grant.objects.with_names().filter(user=shown).order_by("pk"),
        "factors": Authenticator.objects.filter(user=shown).order_by("pk"),
        "accounts": shown.socialaccount_set.order_by("pk"),  # type: ignore[attr-defined]
    }
    return render(request, "access/people/person.html", context, status=status)


@require_POST
@reauthentication_required  # type: ignore[untyped-decorator]
@never_cache
def new_link(request: HttpRequest, pk: int) -> HttpResponse:
    """A link for who lost his, or his password."""
    one = _manager(request)
    shown = get_object_or_404(User, pk=pk)
    made: list[bool] = []

    def act() -> str:
        actions.authorise_link(shown, rights=one.rights, actor=one.actor)
        made.append(True)
        return _("A new link was made for %s.") % shown.get_username()

    acted(request, act)
    return _hand_over(request, one, shown) if made else redirect("person", shown.pk)


@require_POST
def deactivate(request: HttpRequest, pk: int) -> HttpResponse:
    return _change(request, pk, actions.deactivate, _("%s can no longer sign in."))


@require_POST
def reactivate(request: HttpRequest, pk: int) -> HttpResponse:
    return _change(request, pk, actions.reactivate, _("%s can sign in again."))


@require_POST
@reauthentication_required  # type: ignore[untyped-decorator]
def make_superuser(request: HttpRequest, pk: int) -> HttpResponse:
    return _change(request, pk, actions.make_superuser, _("%s owns everything now."))


@require_POST
@reauthentication_required  # type: ignore[untyped-decorator]
def unmake_superuser(request: HttpRequest, pk: int) -> HttpResponse:
    return _change(request, pk, actions.unmake_superuser, _("%s has what is granted, no more."))


@require_POST
@reauthentication_required  # type: ignore[untyped-decorator]
def remove_second_factors(request: HttpRequest, pk: int) -> HttpResponse:
    return _change(
        request, pk, actions.remove_second_factors, _("%s signs in by password alone now.")
    )


def _manager(request: HttpRequest) -> Asker:
    """Who asks, if he manages access on everything; raises PermissionDenied otherwise."""
    one = asker(request)
    require(one.user, Action.ACCESS_MANAGE)
    return one


def _change(
    request: HttpRequest, pk: int, action: Callable[..., object], said: str
) -> HttpResponse:
    one = _manager(request)
    shown = get_object_or_404(User, pk=pk)
    rights: Rights = one.rights

    def act() -> str:
        action(shown, rights=rights, actor=one.actor)
        return said % shown.get_username()

    acted(request, act)
    return redirect("person", shown.pk)


def _hand_over(request: HttpRequest, one: Asker, shown: User) -> HttpResponse:
    address = invitations.link(shown)
    context = {
        "section": "access",
        "person": shown,
        "link": address,
        "mailed": invitations.mail(shown, address, invited_by=one.user.get_username()),
    }
    return render(request, "access/people/link.html", context)
