"""What a shell completes: names that the server knows, if it says them quickly.

Shells make code of what they are offered (zsh by `eval`, and bash expands it), so that a name is
offered only if it is one: what a server says that could be anything else is left out.
"""

from __future__ import annotations

import contextlib
import re
from threading import Thread

import httpx

from portolan.addresses import path_of
from portolan.failures import Failure
from portolan.output import Output
from portolan.references import is_registry, is_repository
from portolan.server import Server
from portolan.session import Choice, Session

# Who pressed the tab key waits no longer than this.
SECONDS = 2.0
_SHOWN = 50
_CONTEXT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:@+-]*")


def registry_names(incomplete: str) -> list[str]:
    """Registries whose names begin so; none where nobody is signed in or nothing answers."""
    if "/" in incomplete:
        return _repositories(incomplete)
    found = _names("registries", limit=200)
    return [name for name in found if name.startswith(incomplete) and is_registry(name)]


def repository_names(incomplete: str) -> list[str]:
    """Registries, and below one its repositories."""
    if "/" in incomplete:
        return _repositories(incomplete)
    return [f"{name}/" for name in registry_names(incomplete)]


def context_names(incomplete: str) -> list[str]:
    with contextlib.suppress(Failure):
        known = Session(Choice(), Output()).contexts.contexts
        return [one for one in known if one.startswith(incomplete) and _CONTEXT.fullmatch(one)]
    return []


def _repositories(incomplete: str) -> list[str]:
    registry, _slash, begun = incomplete.partition("/")
    if not is_registry(registry):
        return []
    found = _names("registries", registry, "repositories", field="path", q=begun, limit=_SHOWN)
    names = [f"{registry}/{path}" for path in found if path.startswith(begun)]
    return [name for name in names if is_repository(name)]


def _names(*place: str, field: str = "name", **query: object) -> list[str]:
    """What the server answers in time. In a thread, as no timeout counts for looking up a name, or
    for an answer that comes letter by letter."""
    found: list[str] = []
    asking = Thread(target=lambda: found.extend(_asked(path_of(*place), field, query)), daemon=True)
    asking.start()
    asking.join(SECONDS)
    return found.copy()


def _asked(address: str, field: str, query: dict[str, object]) -> list[str]:
    # There is no place to say what is wrong.
    with contextlib.suppress(Failure, LookupError, TypeError):
        context = Session(Choice(), Output()).context
        with Server(
            context.server,
            context.token,
            ca_file=context.ca_file,
            timeout=httpx.Timeout(SECONDS),
            sleep=_give_up,
        ) as server:
            page = server.get(address, **query)
            return [str(row[field]) for row in page["items"]]
    return []


def _give_up(_seconds: float) -> None:
    """Nobody waits at a tab key for a second attempt."""
    raise Failure("")
