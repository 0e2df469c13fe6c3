"""What a shell completes: names that the server knows, if it says them quickly."""

from __future__ import annotations

import contextlib

import httpx

from portolan.failures import Failure
from portolan.output import Output
from portolan.server import Server
from portolan.session import Choice, Session

# Who pressed the tab key waits no longer than this.
_TIMEOUT = httpx.Timeout(2)
_SHOWN = 50


def registry_names(incomplete: str) -> list[str]:
    """Registries whose names begin so; none where nobody is signed in or nothing answers."""
    if "/" in incomplete:
        return _repositories(incomplete)
    return [name for name in _names("/registries", limit=200) if name.startswith(incomplete)]


def repository_names(incomplete: str) -> list[str]:
    """Registries, and below one its repositories."""
    if "/" in incomplete:
        return _repositories(incomplete)
    return [f"{name}/" for name in registry_names(incomplete)]


def context_names(incomplete: str) -> list[str]:
    with contextlib.suppress(Failure):
        known = Session(Choice(), Output()).contexts.contexts
        return [name for name in known if name.startswith(incomplete)]
    return []


def _repositories(incomplete: str) -> list[str]:
    registry, _slash, begun = incomplete.partition("/")
    found = _names(f"/registries/{registry}/repositories", "path", q=begun, limit=_SHOWN)
    return [f"{registry}/{path}" for path in found if path.startswith(begun)]


def _names(address: str, field: str = "name", **query: object) -> list[str]:
    with contextlib.suppress(Failure):
        context = Session(Choice(), Output()).context
        with Server(
            context.server,
            context.token,
            ca_file=context.ca_file,
            timeout=_TIMEOUT,
            sleep=_give_up,
        ) as server:
            page = server.get(address, **query)
            return [str(row[field]) for row in page["items"]]
    return []


def _give_up(_seconds: float) -> None:
    """Nobody waits at a tab key for a second attempt."""
    raise Failure("")
