"""A registry with a secret, and posting to it as a registry does."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Protocol

import pytest
from django.http import HttpResponse
from django.test import Client

from access.policy import SHELL
from registries.actor import SYSTEM
from registries.models import Registry
from tests import catalog
from tests.registries.sync.conftest import fake, hasty, heard, registry
from webhooks.inbound import doors, receive
from webhooks.inbound.secrets import create_secret

__all__ = ["fake", "hasty", "heard", "registry"]


@pytest.fixture(autouse=True)
def no_doors_known() -> Iterator[None]:
    """What a process remembers of one test is not true in the next."""
    doors.forget()
    receive.forget()
    yield
    doors.forget()


@pytest.fixture
def harbour(db: None) -> Registry:
    return catalog.registry("harbour")


@pytest.fixture
def secret(harbour: Registry) -> str:
    return create_secret(harbour, rights=SHELL, actor=SYSTEM).text


class Post(Protocol):
    def __call__(self, body: object, to: str = ..., **headers: str) -> HttpResponse: ...


@pytest.fixture
def post(secret: str) -> Post:
    """Post to the registry with its secret, unless an `authorization` is given (empty for none)."""
    client = Client()

    def send(body: object, to: str = "/hooks/in/harbour", **headers: str) -> Any:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        named = {"authorization": f"Bearer {secret}"} | headers
        named = {name.replace("_", "-"): value for name, value in named.items() if value}
        return client.post(to, data, content_type="application/json", headers=named)

    return send
