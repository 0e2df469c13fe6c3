"""Who asks, with what rights, and about which scope: the first lines of the views of access."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import Http404, HttpRequest
from django.utils.translation import gettext as _

from access.actions import Action
from access.models import Role, User
from access.policy import Rights, rights_of, visible_registries
from access.principals import Principal
from access.reach import lying_in
from access.scopes import InvalidScope, Scope
from access.shortcuts import actor_of
from dashboard.views.people import signed_in
from registries.actor import Actor


@dataclass(frozen=True, slots=True)
class Asker:
    """The person behind a request."""

    user: User
    rights: Rights
    actor: Actor

    @property
    def principal(self) -> Principal:
        return Principal.of(self.user)

    @property
    def manages_somewhere(self) -> bool:
        return self.rights.may_somewhere(Action.ACCESS_MANAGE)

    @property
    def managed(self) -> Q:
        """The condition on grants, requests and reviews where this person manages access."""
        return lying_in(self.rights.scopes(Action.ACCESS_MANAGE))

    def manages(self, scope: Scope) -> bool:
        return self.rights.may(Action.ACCESS_MANAGE, scope)

    def grantable_somewhere(self) -> list[Role]:
        """The roles that this person may grant on some scope."""
        places = [
            self.rights.allowed_in(scope) for scope in self.rights.scopes(Action.ACCESS_MANAGE)
        ]
        return [
            role
            for role in Role.objects.all()
            if any(role.allowed <= allowed for allowed in places)
        ]


def asker(request: HttpRequest) -> Asker:
    user = signed_in(request)
    return Asker(user, rights_of(user), actor_of(user))


def manager(request: HttpRequest) -> Asker:
    """Who asks, if he manages access anywhere; raises PermissionDenied otherwise."""
    one = asker(request)
    if not one.manages_somewhere:
        raise PermissionDenied(_("This needs the right to grant and revoke roles."))
    return one


def visible_scope(one: Asker, scope: Scope) -> Scope:
    """The scope; raises Http404 if it is in a registry that this person may not know of."""
    if scope.registry is not None:
        known = visible_registries(one.user).filter(name=scope.registry)
        if not known.exists():
            raise Http404(_("There is no registry of this name."))
    return scope


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
