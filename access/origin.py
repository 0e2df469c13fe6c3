"""From where a change comes: kept beside the request, so that no function hands it on.

An Actor says who; the audit log also wants the way (browser, api, docker, shell), the address and
the program. What runs without a request is the system's own doing, or a shell's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from ipaddress import ip_address

from django.conf import settings
from django.http import HttpRequest, HttpResponse

AGENT_LIMIT = 255


@dataclass(frozen=True, slots=True)
class Origin:
    """`way` is browser, api, docker, shell or system."""

    way: str
    address: str | None = None
    agent: str = ""


SYSTEM = Origin("system")
_current: ContextVar[Origin] = ContextVar("origin")


def current() -> Origin:
    return _current.get(SYSTEM)


@contextmanager
def coming_from(origin: Origin) -> Iterator[None]:
    """What happens inside comes from there."""
    token = _current.set(origin)
    try:
        yield
    finally:
        _current.reset(token)


def address_of(request: HttpRequest) -> str | None:
    """The client's address. Behind a proxy it is the last one of X-Forwarded-For, which our own
    proxy wrote; the others are whatever the client made up."""
    address = request.META.get("REMOTE_ADDR", "")
    if settings.BEHIND_PROXY:
        address = request.META.get("HTTP_X_FORWARDED_FOR", "").rpartition(",")[2].strip() or address
    try:
        return str(ip_address(address))
    except ValueError:  # a unix socket has none
        return None


class OriginMiddleware:
    """Puts the request's origin where `current` finds it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        agent = request.headers.get("User-Agent", "")[:AGENT_LIMIT]
        with coming_from(Origin(_way_of(request.path), address_of(request), agent)):
            return self._get_response(request)


def _way_of(path: str) -> str:
    if path.startswith("/auth/"):
        return "docker"
    return "api" if path.startswith("/api/") else "browser"
