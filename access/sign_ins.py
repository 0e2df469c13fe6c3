"""Signing in, failing to, signing out, and changes of how one signs in: into the audit log.

Django and allauth say it by signals; each becomes an event, emitted in a transaction of its own.
"""

from __future__ import annotations

from typing import Any

from allauth.account import signals as account_signals
from allauth.account.authentication import get_authentication_records
from allauth.mfa import signals as mfa_signals
from allauth.mfa.models import Authenticator
from allauth.socialaccount import signals as social_signals
from allauth.socialaccount.models import SocialAccount, SocialLogin
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone

from access.events import PersonChanged, SignedIn, SignedOut, SignInFailed
from access.models import User
from access.shortcuts import actor_of
from registries.actor import SYSTEM, Actor
from registries.events import Event, emit

# Of what was typed and is nobody's name: enough to recognise a slip, too little for a password.
SHOWN = 3


def connect() -> None:
    """Once, when apps are ready."""
    user_logged_in.connect(_signed_in)
    user_logged_out.connect(_signed_out)
    user_login_failed.connect(_failed)
    mfa_signals.authentication_failed.connect(_factor_failed)
    mfa_signals.authenticator_added.connect(_factor_added)
    mfa_signals.authenticator_removed.connect(_factor_removed)
    mfa_signals.authenticator_reset.connect(_factor_reset)
    social_signals.social_account_added.connect(_account_connected)
    social_signals.social_account_removed.connect(_account_disconnected)
    for signal in (
        account_signals.password_set,
        account_signals.password_changed,
        account_signals.password_reset,
    ):
        signal.connect(_password_changed)


def account_shown(typed: str) -> str:
    """The user name of whoever's name or address was typed, else only its beginning: people type
    passwords into the wrong field."""
    typed = typed.strip()
    person = User.objects.filter(username__iexact=typed).first() or (
        User.objects.filter(email__iexact=typed).first() if "@" in typed else None
    )
    if person is not None:
        return person.get_username()
    return f"{typed[:SHOWN]}…" if typed else ""


def method_of(request: HttpRequest, user: User) -> str:
    """How somebody came in, step by step: `password, totp`, or `keycloak`."""
    steps = []
    for record in get_authentication_records(request, user):
        if record.get("reauthenticated"):
            continue
        steps.append(str(record.get("provider") or record.get("type") or record.get("method")))
    return ", ".join(dict.fromkeys(steps)) or "one-time link"


def password_was_set(user: User) -> None:
    """For who sets one by a way that allauth does not see."""
    _change(user, {}, {"password": "changed"})


def was_refused(account: str, provider: str) -> None:
    """Of somebody whom a provider of single sign-on knows, and who is not let in here."""
    _tell(SignInFailed("", timezone.now(), f"{account} through {provider}"))


def _signed_in(user: User, request: HttpRequest, **_signal: Any) -> None:
    _tell(SignedIn("", timezone.now(), user.get_username(), method_of(request, user)), by=user)


def _signed_out(user: User | None, **_signal: Any) -> None:
    if user is not None:
        _tell(SignedOut("", timezone.now(), user.get_username()), by=user)


def _failed(credentials: dict[str, Any], **_signal: Any) -> None:
    typed = str(credentials.get("username") or credentials.get("email") or "")
    _tell(SignInFailed("", timezone.now(), account_shown(typed)))


def _factor_failed(user: User, **_signal: Any) -> None:
    """The password was right and the code was not: somebody may know the password."""
    _tell(SignInFailed("", timezone.now(), user.get_username()))


def _factor_added(user: User, authenticator: Authenticator, **_signal: Any) -> None:
    _change(user, {}, {"second factor": authenticator.type})


def _factor_removed(user: User, authenticator: Authenticator, **_signal: Any) -> None:
    _change(user, {"second factor": authenticator.type}, {})


def _factor_reset(user: User, authenticator: Authenticator, **_signal: Any) -> None:
    _change(user, {}, {"second factor": f"{authenticator.type} made anew"})


def _account_connected(sociallogin: SocialLogin, **_signal: Any) -> None:
    _change(sociallogin.user, {}, {"sign-on": sociallogin.account.provider})


def _account_disconnected(socialaccount: SocialAccount, **_signal: Any) -> None:
    _change(socialaccount.user, {"sign-on": socialaccount.provider}, {})


def _password_changed(user: User, **_signal: Any) -> None:
    password_was_set(user)


def _change(user: User, old: dict[str, str], new: dict[str, str]) -> None:
    _tell(PersonChanged("", timezone.now(), user.get_username(), old, new), by=user)


def _tell(event: Event, by: User | None = None) -> None:
    actor: Actor = actor_of(by) if by is not None else SYSTEM
    with transaction.atomic():
        emit([event], actor=actor)
