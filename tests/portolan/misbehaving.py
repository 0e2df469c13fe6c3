"""Servers that misbehave, which the real one does not do on request."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import httpx

from portolan.server import Server

ADDRESS = "https://portolan.example.com"
Answering = Callable[[httpx.Request], httpx.Response]


class Saying:
    """Gives these answers one after another (an exception is raised), and keeps the requests."""

    def __init__(self, *answers: httpx.Response | Exception) -> None:
        self.answers = list(answers)
        self.requests: list[httpx.Request] = []
        self.slept: list[float] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def server(self, token: str = "a-token") -> Server:
        return Server(ADDRESS, token, transport=httpx.MockTransport(self), sleep=self.slept.append)


def said(value: Any, status: int = 200, **headers: str) -> httpx.Response:
    names = {name.replace("_", "-"): text for name, text in headers.items()}
    return httpx.Response(status, json=value, headers=names)


def problem(status: int, detail: str, **more: Any) -> httpx.Response:
    body = {"title": "", "status": status, "detail": detail, "code": "invalid", **more}
    return httpx.Response(
        status,
        content=json.dumps(body).encode(),
        headers={"Content-Type": "application/problem+json"},
    )


def page(items: Sequence[Any], following: str | None = None) -> httpx.Response:
    return said({"items": list(items), "next": following, "previous": None})
