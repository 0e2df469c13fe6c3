"""People: who there is, inviting, changing, switching off. For who manages access on everything."""

from __future__ import annotations

from datetime import UTC, datetime

from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Exists, F, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from access import keyring, owners
from access import people as actions
from access.actions import ALL, Action
from access.models import Grant, Team, User
from access.personal_tokens import tokens_of
from access.principals import Principal
from access.scopes import EVERYTHING
from dashboard import invitations
from dashboard.forms_people import InviteForm, PeopleFilterForm, PersonForm
from dashboard.htmx import render_page
from dashboard.pagination import CappedCount, Column, Order, paginate
from dashboard.views.access.asking import Asker, asker
from dashboard.views.access.reassured import reassure
from dashboard.views.access.rows import COLUMNS, rows_of
from dashboard.views.access.submitting import DONE, acted, submitted

NEVER = datetime(1, 1, 1, tzinfo=UTC)
BY_NAME_OR_SEEN = {
    "name": Column(F("username"), str),
    "seen": Column(Coalesce("last_login", Value(NEVER)), datetime, descending_first=True),
}
_INVITED = Q(last_login=None, password__startswith=UNUSABLE_PASSWORD_PREFIX)
STATES = {
    "active": Q(is_active=True) & ~_INVITED,
    "invited": Q(is_active=True) & _INVITED,
    "off": Q(is_active=False),
}


@require_safe
def people(request: HttpRequest) -> HttpResponse:
    """Everybody, filtered."""
    manager_of_all(request)
    form = PeopleFilterForm(request.GET)
    found = User.objects.all()
    if form.is_valid():
        found = narrowed(found, form.cleaned_data["q"], form.cleaned_data["state"])
    order = Order.read(request.GET.get("sort", ""), BY_NAME_OR_SEEN)
    page = paginate(as_listed(found), order=order, query=request.GET)
    owning = owners.owner_ids()
    context = {
        "section": "access",
        "form": form,
        "order": order,
        "page": page,
        "rows": [(person, person.pk in owning) for person in page.rows],
        "count": CappedCount.of(found),
    }
    return render_page(request, "access/people/people.html", context, fragment="list")


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def invite(request: HttpRequest) -> HttpResponse:
    """An account for somebody, and the link to hand over; it is shown in the answer to the form and
    nowhere else."""
    one = manager_of_all(request)
    reassure(request)  # who took a session over must not leave a way in that outlives it
    form = InviteForm(request.POST or None)
    invited: list[User] = []

    def act() -> str:
        values = {name: form.cleaned_data[name] for name in form.fields}
        invited.append(actions.invite(**values, rights=one.rights, actor=one.actor))
        return _("%s is invited.") % invited[0].get_username()

    status = submitted(request, form, act)
    if status is DONE:
        return _hand_over(request, one, invited[0])
    context = {"section": "access", "form": form, "mails": settings.EMAIL_CONFIG_SET}
    return render(request, "access/people/invite.html", context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
def person(request: HttpRequest, pk: int) -> HttpResponse:
    """One person: who, which teams and grants, how he signs in, and what can be done."""
    one = manager_of_all(request)
    shown = get_object_or_404(User, pk=pk)
    form = PersonForm(request.POST or None, initial=PersonForm.initial_of(shown))
    if form.is_valid():
        # With another's address one could have a link to a new password sent to oneself.
        actions.require_mastery_of(shown, one.rights)
        reassure(request)

    def act() -> str:
        values = {name: form.cleaned_data[name] for name in form.fields}
        actions.change_person(shown, **values, rights=one.rights, actor=one.actor)
        return _("%s was changed.") % shown.get_username()

    status = submitted(request, form, act)
    if status is DONE:
        return redirect("person", shown.pk)
    context = _about(request, one, shown) | {"form": form}
    return render(request, "access/people/person.html", context, status=status)


@require_POST
@never_cache
def new_link(request: HttpRequest, pk: int) -> HttpResponse:
    """A link for who lost his, or his password."""
    one = manager_of_all(request)
    shown = get_object_or_404(User, pk=pk)
    actions.require_mastery_of(shown, one.rights)
    reassure(request)
    made: list[bool] = []

    def act() -> str:
        actions.authorise_link(shown, rights=one.rights, actor=one.actor)
        made.append(True)
        return _("A new link was made for %s.") % shown.get_username()

    acted(request, act)
    return _hand_over(request, one, shown) if made else redirect("person", shown.pk)


def manager_of_all(request: HttpRequest) -> Asker:
    """Who asks, if he manages access on everything; raises PermissionDenied otherwise."""
    one = asker(request)
    one.rights.require(Action.ACCESS_MANAGE, EVERYTHING)
    return one


def narrowed(found: QuerySet[User], words: str, state: str) -> QuerySet[User]:
    """Those with each of the words in a name or the address, and in a state of STATES."""
    for word in words.split():
        found = found.filter(
            Q(username__icontains=word)
            | Q(email__icontains=word)
            | Q(first_name__icontains=word)
            | Q(last_name__icontains=word)
        )
    return found.filter(STATES.get(state, Q()))


def as_listed(found: QuerySet[User]) -> QuerySet[User]:
    """With the names of their teams, and whether they have a second factor."""
    teams = Team.objects.filter(memberships__user=OuterRef("pk")).order_by("name").values("name")
    factors = Authenticator.objects.filter(user=OuterRef("pk")).exclude(type="recovery_codes")
    return found.annotate(team_names=ArraySubquery(teams), has_second_factor=Exists(factors))


def _about(request: HttpRequest, one: Asker, shown: User) -> dict[str, object]:
    order = Order.read(request.GET.get("sort", ""), COLUMNS)
    reaching = Q(user=shown) | Q(team__in=shown.memberships.values("team"))
    page = paginate(Grant.objects.filter(reaching).with_names(), order=order, query=request.GET)
    return {
        "section": "access",
        "person": shown,
        "principal": Principal.of(shown),
        "masters": actions.masters(shown, one.rights),
        "owns": one.rights.allowed_in(EVERYTHING) >= ALL,
        "is_owner": shown.pk in owners.owner_ids(),
        "memberships": shown.memberships.select_related("team").order_by("team__name"),
        "order": order,
        "page": page,
        "rows": rows_of(page.rows, one),
        "factors": Authenticator.objects.filter(user=shown).order_by("pk"),
        "accounts": shown.socialaccount_set.order_by("pk"),  # type: ignore[attr-defined]  # allauth's
        "sessions": len(UserSession.objects.purge_and_list(shown)),
        "tokens": tokens_of(shown).filter(keyring.live(timezone.now())).count(),
    }


def _hand_over(request: HttpRequest, one: Asker, shown: User) -> HttpResponse:
    address = invitations.link(shown)
    context = {
        "section": "access",
        "person": shown,
        "link": address,
        "mailed": invitations.mail(shown, address, invited_by=one.user.get_username()),
    }
    return render(request, "access/people/link.html", context)
