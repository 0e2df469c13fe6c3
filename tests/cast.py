"""The standing cast: an owner, a viewer, and somebody who is not signed in."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.core.cache import cache
from django.test import Client

from access.models import User

PASSWORD = "a passphrase of some length"


@pytest.fixture(autouse=True)
def nothing_remembered() -> Iterator[None]:
    """Rate limits and sessions of one test are not those of the next."""
    yield
    cache.clear()


@pytest.fixture
def owner(db: None) -> User:
    return User.objects.create_superuser("anna", "anna@example.com", PASSWORD)


@pytest.fixture
def viewer(db: None) -> User:
    return User.objects.create_user("viktor", "viktor@example.com", PASSWORD)


@pytest.fixture
def as_owner(owner: User) -> Client:
    client = Client()
    client.force_login(owner)
    return client


@pytest.fixture
def as_viewer(viewer: User) -> Client:
    client = Client()
    client.force_login(viewer)
    return client


@pytest.fixture
def as_stranger(db: None) -> Client:
    return Client()
