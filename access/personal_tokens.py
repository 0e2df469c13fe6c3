"""Personal access tokens: what a person's tools sign in with, never wider than the person.

A token's rights are worked out at each use from those that its owner has then, so it cannot
outgrow him; here is judged only that it makes sense.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.conf import settings
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from access import keyring
from access.actions import Action, texts
from access.keyring import Issued
from access.models import Secret, User
from access.policy import Rights, rights_of, visible_registries
from access.scopes import EVERYTHING, Scope
from registries.actor import Actor
from registries.transactions import durable

# Of live ones, for one person: more than anybody can tell apart.
LIVE_LIMIT = 50


def longest_life() -> timedelta:
    """How far ahead a token's end may lie."""
    return timedelta(days=settings.PERSONAL_TOKEN_MAX_DAYS)


@durable
def create_token(
    *,
    user: User,
    label: str,
    actions: Iterable[Action] = (),
    scopes: Iterable[Scope] = (),
    expires_at: datetime,
    rights: Rights,
    actor: Actor,
) -> Issued:
    """A token for oneself; no actions or no scopes are no limit by them. `rights` are those of who
    makes it. Raises PermissionDenied for another's, ValidationError for what makes no sense."""
    _require_own(user, actor)
    allowed, limits = frozenset(actions), tuple(dict.fromkeys(scopes))
    _check(user, label, expires_at)
    _require_whole(user, rights)
    _check_reach(user, rights, allowed, limits)
    return keyring.add(
        Secret.Kind.PERSONAL,
        user=user,
        label=label,
        actions=texts(allowed),
        scopes=[str(scope) for scope in limits],
        expires_at=expires_at,
        actor=actor,
    )


@durable
def revoke_token(token: Secret, *, rights: Rights, actor: Actor) -> None:
    """One's own, or anybody's for who manages access everywhere. Once more is no error."""
    found = Secret.objects.select_related("user").select_for_update(of=("self",))
    token = found.get(pk=token.pk)
    if token.user is None:
        raise ValidationError(_("This is no personal access token."))
    if not _is_own(token.user, actor):
        rights.require(Action.ACCESS_MANAGE, EVERYTHING)
    keyring.withdraw(token, actor=actor)


def tokens_of(user: User) -> QuerySet[Secret]:
    return Secret.objects.filter(kind=Secret.Kind.PERSONAL, user=user)


def _is_own(user: User, actor: Actor) -> bool:
    return (actor.kind, actor.id) == ("user", str(user.pk))


def _require_own(user: User, actor: Actor) -> None:
    if not _is_own(user, actor) and actor.kind != "shell":
        raise PermissionDenied(_("Everybody makes his own tokens."))


def _require_whole(user: User, rights: Rights) -> None:
    """Raises PermissionDenied for who came with a token: it could make one that allows more."""
    whole = rights_of(User.objects.get(pk=user.pk))
    if set(rights.entitlements) != set(whole.entitlements):
        raise PermissionDenied(_("Tokens are made by who is signed in, not by another token."))


def _check(user: User, label: str, expires_at: datetime) -> None:
    # One at a time for a person, or the limit would be none.
    User.objects.select_for_update().get(pk=user.pk)
    now = timezone.now()
    if not user.is_active:
        raise ValidationError(_("This person’s account is switched off."))
    if not label.strip():
        raise ValidationError({"label": _("Say what the token is for.")})
    if expires_at > now + longest_life():
        raise ValidationError(
            {"expires_at": _("At most %d days ahead.") % settings.PERSONAL_TOKEN_MAX_DAYS}
        )
    if tokens_of(user).filter(keyring.live(now)).count() >= LIVE_LIMIT:
        raise ValidationError(_("%d tokens are live: revoke some first.") % LIVE_LIMIT)


def _check_reach(
    user: User, rights: Rights, actions: frozenset[Action], scopes: tuple[Scope, ...]
) -> None:
    for scope in scopes:
        if scope.registry is None:
            continue
        if not visible_registries(user).filter(name=scope.registry).exists():
            raise ValidationError(
                {"scopes": _("There is no registry “%s” that you may know of.") % scope.registry}
            )
        if not rights.narrowed(actions, [scope]).entitlements:
            raise ValidationError(
                {"scopes": _("You may do none of this on %s, so the token could not.") % scope}
            )
    if actions and not rights.narrowed(actions, scopes).entitlements:
        raise ValidationError({"actions": _("You may do none of this anywhere.")})
