"""Whoever asks, by screen or by API: who it is, with what rights, and what he may ask about."""

from __future__ import annotations

from dataclasses import dataclass

from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Q
from django.http import Http404
from django.utils.translation import gettext as _

from access.actions import Action
from access.explain import Subject
from access.models import Role, ServicePrincipal, User
from access.policy import Rights, visible_registries
from access.principals import Principal
from access.reach import lying_in
from access.scopes import Scope
from registries.actor import Actor


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody known. `maintainer` is the person where being one of a team's maintainers counts:
    only who is signed in himself, for a secret allows what it says and nothing by membership."""

    somebody: User | ServicePrincipal
    rights: Rights
    actor: Actor
    maintainer: User | None = None

    @property
    def principal(self) -> Principal:
        return Principal.of(self.somebody)

    @property
    def manages_somewhere(self) -> bool:
        return self.rights.may_somewhere(Action.ACCESS_MANAGE)

    @property
    def managed(self) -> Q:
        """The condition on grants, requests and reviews where he manages access."""
        return lying_in(self.rights.scopes(Action.ACCESS_MANAGE))

    def manages(self, scope: Scope) -> bool:
        return self.rights.may(Action.ACCESS_MANAGE, scope)

    def grantable_somewhere(self) -> list[Role]:
        """The roles that he may grant on some scope."""
        places = [
            self.rights.allowed_in(scope) for scope in self.rights.scopes(Action.ACCESS_MANAGE)
        ]
        return [
            role
            for role in Role.objects.all()
            if any(role.allowed <= allowed for allowed in places)
        ]


def require_manager(one: Caller) -> None:
    """Raises PermissionDenied unless he manages access anywhere."""
    if not one.manages_somewhere:
        raise PermissionDenied(_("This needs the right to grant and revoke roles."))


def visible_scope(one: Caller, scope: Scope) -> Scope:
    """The scope; raises Http404 if it is in a registry that he may not know of."""
    if scope.registry is not None:
        known = visible_registries(one.somebody).filter(name=scope.registry)
        if not known.exists():
            raise Http404(_("There is no registry of this name."))
    return scope


def managed_scope(one: Caller, scope: Scope) -> Scope:
    """The scope, if he manages access in all of it (else PermissionDenied)."""
    require_manager(one)
    visible_scope(one, scope)
    one.rights.require(Action.ACCESS_MANAGE, scope)
    return scope


def subject_of_question(one: Caller, who: Principal, scope: Scope) -> Subject:
    """Whom a question about a scope is about: anybody asks about himself, about others who manages
    access in all of it. Raises Http404, PermissionDenied, and ValidationError for nobody."""
    visible_scope(one, scope)
    if who == one.principal:
        return one.somebody
    one.rights.require(Action.ACCESS_MANAGE, scope)
    return who.find()


def principal_or_404(text: str) -> tuple[Principal, Subject]:
    """Whom a text names, and the row (None for the public); raises Http404 for nobody."""
    try:
        who = Principal.parse(text)
        return who, who.find()
    except ValidationError as error:
        raise Http404(error.messages[0]) from None
