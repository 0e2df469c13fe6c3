"""Asking the token server as docker clients do, and reading its tokens as registries do."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

import jwt
from django.conf import settings
from django.db import transaction
from django.test import Client

from access import keyring
from access.models import Grant, Role, Secret, ServicePrincipal, User
from access.scopes import EVERYTHING, Scope
from registries.actor import SYSTEM
from registries.models import Registry

Login = tuple[str, str]
FORM = "application/x-www-form-urlencoded"


def machine(name: str = "ci", role: str = "", scope: Scope = EVERYTHING) -> ServicePrincipal:
    """A service principal, with a role if one is named."""
    made = ServicePrincipal.objects.create(name=name)
    if role:
        registry = Registry.objects.get(name=scope.registry) if scope.registry else None
        Grant.objects.create(
            service_principal=made,
            role=Role.objects.get(name=role),
            registry=registry,
            path=scope.path,
        )
    return made


def secret(
    kind: Secret.Kind = Secret.Kind.SERVICE, expires_at: datetime | None = None, **fields: Any
) -> str:
    """The text of a new secret."""
    if kind in (Secret.Kind.SERVICE, Secret.Kind.ADMIN):
        fields = {"slot": 1, **fields}
    with transaction.atomic():
        return keyring.add(kind, expires_at=expires_at, actor=SYSTEM, **fields).text


def login(machine: ServicePrincipal) -> Login:
    return machine.name, secret(service_principal=machine)


def token_of(user: User, expires_at: datetime, **limits: Any) -> Login:
    """A personal access token."""
    return user.get_username(), secret(Secret.Kind.PERSONAL, expires_at, user=user, **limits)


def basic(name: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()


def get(
    client: Client, scope: str | Sequence[str] = (), who: Login | None = None, **query: str
) -> Any:
    """A GET with Basic, as docker, podman, skopeo and crane ask."""
    headers = {"Authorization": basic(*who)} if who else {}
    data: dict[str, Any] = {"service": "harbour", "scope": scope, **query}
    return client.get("/auth/token", data, headers=headers)


def post(client: Client, scope: str = "", who: Login = ("", ""), **fields: str) -> Any:
    """A form, as containerd and BuildKit ask."""
    data = {
        "grant_type": "password",
        "service": "harbour",
        "client_id": "containerd-client",
        "scope": scope,
        "username": who[0],
        "password": who[1],
        **fields,
    }
    return client.post("/auth/token", urlencode(data), content_type=FORM)


class Endless:
    """A body that nobody should read."""

    def read(self, _size: int = -1) -> bytes:
        raise AssertionError("It was read.")

    readline = read


def unread(client: Client, address: str, kind: str, length: int) -> Any:
    """The answer to a POST of this type and length, which is given without its body."""
    headers: Any = {"CONTENT_TYPE": kind, "CONTENT_LENGTH": str(length), "wsgi.input": Endless()}
    return client.generic("POST", address, **headers)


def read(client: Client, token: str, service: str = "harbour") -> dict[str, Any]:
    """The claims, verified as a registry does: by the published keys, for its own service."""
    keys = jwt.PyJWKSet.from_dict(client.get("/auth/jwks.json").json())
    key = keys[jwt.get_unverified_header(token)["kid"]]
    return dict(
        jwt.decode(
            token, key.key, algorithms=["ES256"], audience=service, issuer=settings.PUBLIC_URL
        )
    )


def access(client: Client, response: Any) -> dict[str, list[str]]:
    """What an answer's token allows: `type:name` -> actions."""
    assert response.status_code == 200, response.content
    claims = read(client, response.json()["token"])
    return {f"{entry['type']}:{entry['name']}": entry["actions"] for entry in claims["access"]}
