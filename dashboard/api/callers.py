"""Who asks: a person or a machine, with the rights that the secret he came with leaves him."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Q
from rest_framework.request import Request

from access.actions import Action
from access.models import ServicePrincipal, User
from access.policy import Rights, rights_of
from access.principals import Principal
from access.reach import lying_in
from access.scopes import Scope
from access.shortcuts import actor_of
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
    def managed(self) -> Q:
        """The condition on grants, requests and reviews where he manages access."""
        return lying_in(self.rights.scopes(Action.ACCESS_MANAGE))

    def manages(self, scope: Scope) -> bool:
        return self.rights.may(Action.ACCESS_MANAGE, scope)


def caller_of(request: Request) -> Caller:
    """The caller of a request that was let in."""
    somebody = request.user
    if not isinstance(somebody, User | ServicePrincipal):
        raise TypeError("A resource was asked without a caller.")
    signed_in = isinstance(somebody, User) and request.auth is None
    return Caller(
        somebody,
        rights_of(somebody),
        actor_of(somebody),
        maintainer=somebody if signed_in and isinstance(somebody, User) else None,
    )
