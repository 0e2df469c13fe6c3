"""A client of the REST API that holds each answer to the description: status, media type and body."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import timedelta
from functools import cache
from typing import Any
from urllib.parse import urlencode

from django.db import transaction
from django.http import HttpResponse
from django.test import Client
from django.urls import resolve
from django.utils import timezone
from jsonschema import Draft202012Validator

from access import keyring
from access.models import Secret, ServicePrincipal, User
from dashboard.api.schema import document
from registries.actor import SYSTEM

PREFIX = "/api/v1"


@cache
def description() -> dict[str, Any]:
    return dict(json.loads(document()))


def token_of(
    somebody: User | ServicePrincipal, *, actions: list[str] | None = None, scopes: Any = ()
) -> str:
    """A secret of a person or a machine, made without asking whether it may be."""
    whose: dict[str, Any] = (
        {"user": somebody, "label": "a tool", "actions": actions or [], "scopes": list(scopes)}
        if isinstance(somebody, User)
        else {"service_principal": somebody, "slot": 1}
    )
    kind = Secret.Kind.PERSONAL if isinstance(somebody, User) else Secret.Kind.SERVICE
    ends = timezone.now() + timedelta(days=1)
    with transaction.atomic():
        return keyring.add(kind, expires_at=ends, actor=SYSTEM, **whose).text


class Answer(HttpResponse):
    """What the test client gives back."""

    def json(self) -> Any:
        """The body; the test client has this itself."""


class Api:
    """Asks with a secret (none asks as nobody). Paths are without the prefix: `/registries`."""

    def __init__(self, token: str = "", *, client: Client | None = None) -> None:
        self._client = client or Client(raise_request_exception=False)
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}

    @classmethod
    def of(cls, somebody: User | ServicePrincipal) -> Api:
        return cls(token_of(somebody))

    def get(self, path: str, headers: Mapping[str, str] | None = None, **query: Any) -> Answer:
        asked = f"{path}?{urlencode(query, doseq=True)}" if query else path
        return self.ask("GET", asked, headers=headers)

    def post(self, path: str, body: Any = None, headers: Mapping[str, str] | None = None) -> Answer:
        return self.ask("POST", path, body, headers)

    def patch(
        self, path: str, body: Any = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        return self.ask("PATCH", path, body, headers)

    def put(self, path: str, body: Any = None, headers: Mapping[str, str] | None = None) -> Answer:
        return self.ask("PUT", path, body, headers)

    def delete(self, path: str, headers: Mapping[str, str] | None = None) -> Answer:
        return self.ask("DELETE", path, headers=headers)

    def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """The answer, held to the description. A `body` of bytes is sent as it is."""
        response = self.send(method, path, body, headers)
        must_be_described(method, path.partition("?")[0], response)
        return response

    def send(
        self,
        method: str,
        path: str,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        content_type: str = "application/json",
    ) -> Answer:
        """The answer, whatever it is."""
        sent = (
            body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        )
        return self._client.generic(  # type: ignore[return-value]  # it is one by its looks
            method,
            f"{PREFIX}{path}",
            sent,
            content_type=content_type,
            headers={**self._headers, **(headers or {})},
        )


def body_of(answer: HttpResponse) -> str:
    """All of what is streamed."""
    parts: Any = answer.streaming_content  # type: ignore[attr-defined]  # a stream has it
    return b"".join(parts).decode()


def must_be_described(method: str, path: str, response: HttpResponse) -> None:
    """Fails unless the description says that this may be answered there."""
    operation = operation_of(method, path)
    if operation is None:  # no such address, or another method
        assert response.status_code in (401, 404, 405), (method, path, response.status_code)
        return
    answers = operation["responses"]
    said = f"{method} {path} answered {response.status_code}: {_text(response)[:500]}"
    assert str(response.status_code) in answers, said
    answer = _resolved(answers[str(response.status_code)])
    content = answer.get("content", {})
    if not content:
        assert not response.streaming, said
        assert not response.content, said
        return
    media_type = response.headers["Content-Type"].partition(";")[0]
    assert media_type in content, f"{said} ({media_type})"
    for name in ("ETag", "Link", "Retry-After"):
        if name in response.headers:
            assert name in answer.get("headers", {}), f"{said}: {name}"
    if media_type.endswith("json") and not response.streaming:
        schema = {"components": description()["components"], **content[media_type]["schema"]}
        Draft202012Validator(schema).validate(json.loads(response.content))


def operation_of(method: str, path: str) -> dict[str, Any] | None:
    """What is described for this address and method; None if nothing is."""
    try:
        route = resolve(f"{PREFIX}{path}").route
    except Exception:  # noqa: BLE001  Resolver404, which has no public home
        return None
    template = "/" + re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", route)
    found: dict[str, Any] | None = description()["paths"].get(template, {}).get(method.lower())
    return found


def _resolved(answer: dict[str, Any]) -> dict[str, Any]:
    name = answer.get("$ref", "").rpartition("/")[2]
    found: dict[str, Any] = description()["components"]["responses"][name] if name else answer
    return found


def _text(response: HttpResponse) -> str:
    return "" if response.streaming else response.content.decode(errors="replace")
