"""Who asks, with what rights, and about which scope: the first lines of the views of access."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.http import Http404, HttpRequest

from access.models import User
from access.policy import rights_of
from access.scopes import InvalidScope, Scope
from access.shortcuts import actor_of
from dashboard.callers import Caller, require_manager, visible_scope
from dashboard.views.people import signed_in


@dataclass(frozen=True, slots=True)
class Asker(Caller):
    """The caller of a screen: a person, signed in himself."""

    somebody: User

    @property
    def user(self) -> User:
        return self.somebody


def asker(request: HttpRequest) -> Asker:
    user = signed_in(request)
    return Asker(user, rights_of(user), actor_of(user), maintainer=user)


def manager(request: HttpRequest) -> Asker:
    """Who asks, if he manages access anywhere; raises PermissionDenied otherwise."""
    one = asker(request)
    require_manager(one)
    return one


def scope_of_address(one: Asker, text: str) -> Scope | None:
    """The scope that an address names, None for no text; raises Http404 for one that is none."""
    if not text.strip():
        return None
    try:
        return visible_scope(one, Scope.parse(text))
    except InvalidScope as error:
        raise Http404(str(error)) from None


def ids_of(texts: Iterable[str]) -> list[int]:
    """The ids among what a form or an address sent; what cannot be one is left out."""
    return [int(text) for text in dict.fromkeys(texts) if _is_id(text)]


def _is_id(text: str) -> bool:
    # The database's numbers end before 19 digits do.
    return text.isascii() and text.isdecimal() and len(text) < 19
