"""Asking for access, and answering: somebody met a closed door, an owner opens it or says why not.

A request gives nothing by itself: granting it is a grant by who answers, with his rights.
"""

from __future__ import annotations

from datetime import datetime

from django.core.exceptions import PermissionDenied, ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _

from access import grants
from access.actions import Action
from access.events import AccessRequested, RequestAnswered
from access.models import AccessRequest, Role, User
from access.policy import Rights, rights_of, visible_registries
from access.reach import exactly
from access.scopes import Scope
from registries.actor import Actor
from registries.events import emit
from registries.transactions import durable

# More than that wait unanswered only for who asks for everything.
OPEN_LIMIT = 20


@durable
def ask(*, user: User, role: Role, scope: Scope, reason: str, actor: Actor) -> AccessRequest:
    """A person's request for a role on a scope.

    Raises ValidationError for a registry that he may not know of (the same as for none), for what
    he has or asked for already, and beyond OPEN_LIMIT.
    """
    # One at a time for a person: neither twice the same, nor more than the limit.
    User.objects.select_for_update().get(pk=user.pk)
    registry = visible_registries(user).filter(name=scope.registry).first()
    if registry is None:
        raise ValidationError(_("There is no registry of this name that you may know of."))
    if role.allowed <= rights_of(user).allowed_in(scope):
        raise ValidationError(_("You may do all of that already."))
    waiting = AccessRequest.objects.filter(user=user, state=AccessRequest.State.OPEN)
    if waiting.filter(exactly(scope), role=role).exists():
        raise ValidationError(_("You asked for this already, and it waits for an answer."))
    if waiting.count() >= OPEN_LIMIT:
        raise ValidationError(
            _("%d of your requests wait for an answer: withdraw some first.") % OPEN_LIMIT
        )
    asked = AccessRequest.objects.create(
        user=user, role=role, registry=registry, path=scope.path, reason=reason
    )
    told = AccessRequested(
        registry.name, asked.asked_at, user.get_username(), role.name, str(scope), reason
    )
    emit([told], actor=actor)
    return asked


@durable
def grant_request(
    pk: int, *, until: datetime | None, answer: str, rights: Rights, actor: Actor
) -> AccessRequest:
    """Give what was asked for. Raises PermissionDenied for who may not grant it, ValidationError if
    it was answered meanwhile or the person was switched off."""
    request = _open_one(pk)
    if not request.user.is_active:
        raise ValidationError(_("This person’s account is switched off."))
    grants.give(
        role=request.role,
        to=request.user,
        scope=scope_of(request),
        until=until,
        reason=request.reason,
        rights=rights,
        actor=actor,
    )
    return _close(request, AccessRequest.State.GRANTED, answer=answer, actor=actor)


@durable
def refuse_request(pk: int, *, answer: str, rights: Rights, actor: Actor) -> AccessRequest:
    """Say no, and why. It needs the right to manage access there, and not the role itself."""
    request = _open_one(pk)
    rights.require(Action.ACCESS_MANAGE, scope_of(request))
    if not answer:
        raise ValidationError(_("Say why: whoever asked will read it."))
    return _close(request, AccessRequest.State.REFUSED, answer=answer, actor=actor)


@durable
def withdraw(pk: int, *, user: User, actor: Actor) -> AccessRequest:
    """Take back one's own request."""
    request = _open_one(pk)
    if request.user_id != user.pk:
        raise PermissionDenied(_("Only whoever asked can withdraw a request."))
    return _close(request, AccessRequest.State.WITHDRAWN, answer="", actor=actor)


def scope_of(request: AccessRequest) -> Scope:
    return Scope(request.registry.name, request.path)


def _open_one(pk: int) -> AccessRequest:
    request = (
        AccessRequest.objects.select_related("user", "role", "registry")
        .select_for_update(of=("self",))
        .get(pk=pk)
    )
    if request.state != AccessRequest.State.OPEN:
        raise ValidationError(_("This request was answered or withdrawn already."))
    return request


def _close(
    request: AccessRequest, state: AccessRequest.State, *, answer: str, actor: Actor
) -> AccessRequest:
    request.state, request.answer = state, answer
    request.answered_at, request.answered_by = timezone.now(), actor.label
    request.save(update_fields=["state", "answer", "answered_at", "answered_by"])
    told = RequestAnswered(
        request.registry.name,
        request.answered_at,
        request.user.get_username(),
        request.role.name,
        str(scope_of(request)),
        str(state),
        answer,
    )
    emit([told], actor=actor)
    return request
