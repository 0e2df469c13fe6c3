"""What is done to one person: switched off, signed out, made an owner. What a click too many would
hurt is asked first, on a page of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_POST

from access import people as actions
from access import sessions
from access.models import User
from dashboard.views.access.people import manager_of_all
from dashboard.views.access.reassured import reassure
from dashboard.views.access.submitting import acted


@dataclass(frozen=True, slots=True)
class Change:
    """A button of a person's page. A sensitive one asks for the password again."""

    act: Callable[..., object]
    # What is said when it is done, and before: of whom, in the place of %s.
    said: Promise
    asks: Promise | None = None
    explains: Promise | str = ""
    button: Promise | str = ""
    icon: str = ""
    is_sensitive: bool = False


_OFF = Change(
    actions.deactivate,
    _("%s can no longer sign in."),
    asks=_("Switch off %s?"),
    explains=_(
        "No more signing in. Sessions end, tokens are revoked for good; grants and teams stay."
    ),
    button=_("Switch off"),
    icon="lock",
)
_ON = Change(actions.reactivate, _("%s can sign in again."))
_SESSIONS = Change(
    sessions.end_all,
    _("%s is signed out everywhere."),
    asks=_("End all sessions of %s?"),
    explains=_(
        "Every browser is signed out at once, and what was not saved there is lost. Tokens go on"
        " working."
    ),
    button=_("End all sessions"),
    icon="logout",
)
_OWNER = Change(
    actions.make_superuser,
    _("%s owns everything now."),
    asks=_("Make %s owner of everything?"),
    explains=_(
        "Whoever owns everything may do all that you may, on every registry, and may take it from"
        " you."
    ),
    button=_("Make owner of everything"),
    icon="certificate",
    is_sensitive=True,
)
_NOT_OWNER = Change(
    actions.unmake_superuser,
    _("%s has what is granted, no more."),
    asks=_("Shall %s own everything no longer?"),
    explains=_("What was granted stays, directly or through a team, and is all that is left."),
    button=_("No longer owner of everything"),
    icon="certificate",
    is_sensitive=True,
)
_FACTORS = Change(
    actions.remove_second_factors,
    _("%s signs in by password alone now."),
    asks=_("Remove the second step of %s?"),
    explains=_(
        "The app, the keys and the recovery codes are worth nothing from then on, and the password"
        " alone is enough until a new second step is set up. Be sure who it is that asks for it."
    ),
    button=_("Remove the second step"),
    icon="shield-check",
    is_sensitive=True,
)

_asking = require_http_methods(["GET", "HEAD", "POST"])


@_asking
def deactivate(request: HttpRequest, pk: int) -> HttpResponse:
    return _change(request, pk, _OFF)


@require_POST
def reactivate(request: HttpRequest, pk: int) -> HttpResponse:
    return _change(request, pk, _ON)


@_asking
def end_sessions(request: HttpRequest, pk: int) -> HttpResponse:
    return _change(request, pk, _SESSIONS)


@_asking
def make_superuser(request: HttpRequest, pk: int) -> HttpResponse:
    return _change(request, pk, _OWNER)


@_asking
def unmake_superuser(request: HttpRequest, pk: int) -> HttpResponse:
    return _change(request, pk, _NOT_OWNER)


@_asking
def remove_second_factors(request: HttpRequest, pk: int) -> HttpResponse:
    return _change(request, pk, _FACTORS)


def _change(request: HttpRequest, pk: int, change: Change) -> HttpResponse:
    """Ask, and once that is posted, do it."""
    one = manager_of_all(request)
    shown = get_object_or_404(User, pk=pk)
    actions.require_mastery_of(shown, one.rights)
    if change.is_sensitive:
        reassure(request)
    if request.method != "POST" and change.asks is not None:
        title = str(change.asks) % shown.get_username()
        context = {"section": "access", "person": shown, "change": change, "title": title}
        return render(request, "access/people/change.html", context)

    def act() -> str:
        change.act(shown, rights=one.rights, actor=one.actor)
        return str(change.said) % shown.get_username()

    acted(request, act)
    return redirect("person", shown.pk)
