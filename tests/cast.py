"""The standing cast: an owner of everything, a viewer of everything, an outsider whom nobody granted
anything, and somebody who is not signed in."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.cached_db import SessionStore
from django.core.cache import cache
from django.test import Client

from access import secret_owners
from access.models import Grant, Role, User
from access.scopes import EVERYTHING, Scope
from access.tokens import log, service, signing
from registries.models import Registry

PASSWORD = "a passphrase of some length"


@pytest.fixture(autouse=True)
def nothing_remembered() -> Iterator[None]:
    """Rate limits, sessions and keys of one test are not those of the next."""
    yield
    cache.clear()
    signing.forget_signer()
    secret_owners.forget_owners()
    service.forget_registries()
    log.forget()


def give(user: User, role: str, scope: Scope = EVERYTHING) -> Grant:
    """A grant, without asking whether anybody may make it."""
    registry = Registry.objects.get(name=scope.registry) if scope.registry else None
    return Grant.objects.create(
        user=user, role=Role.objects.get(name=role), registry=registry, path=scope.path
    )


def signed_in(user: User) -> Client:
    """In a session as signing in leaves it, without the trail of that: a dozen statements, for
    thousands of tests."""
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.save()
    client = Client()
    client.cookies[settings.SESSION_COOKIE_NAME] = str(session.session_key)
    return client


@pytest.fixture
def owner(db: None) -> User:
    return User.objects.create_superuser("anna", "anna@example.com", PASSWORD)


@pytest.fixture
def viewer(db: None) -> User:
    user = User.objects.create_user("viktor", "viktor@example.com", PASSWORD)
    give(user, "reader")
    return user


@pytest.fixture
def outsider(db: None) -> User:
    return User.objects.create_user("otto", "otto@example.com", PASSWORD)


@pytest.fixture
def as_owner(owner: User) -> Client:
    return signed_in(owner)


@pytest.fixture
def as_viewer(viewer: User) -> Client:
    return signed_in(viewer)


@pytest.fixture
def as_outsider(outsider: User) -> Client:
    return signed_in(outsider)


@pytest.fixture
def as_stranger(db: None) -> Client:
    return Client()
