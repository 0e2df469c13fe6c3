"""How to sign in to a vendor's API: not at all, with a header that never changes, with a token."""

import asyncio
import base64
from collections.abc import Awaitable, Callable
from time import monotonic
from typing import Protocol

# A token is not used in its last seconds, nor in its last tenth: clocks differ, answers take time.
_MARGIN_SECONDS = 30.0


class SignIn(Protocol):
    """What goes into Authorization."""

    async def header(self, *, renew: bool = False) -> str | None:
        """Return the header, None for nothing; `renew` after the API answered 401 to the last."""


class FixedSignIn:
    """The same header for every request: Basic, or a token that is never renewed."""

    def __init__(self, header: str | None) -> None:
        self._header = header

    async def header(self, *, renew: bool = False) -> str | None:  # noqa: ARG002  nothing to renew
        """Return the header there is."""
        return self._header


class TokenSignIn:
    """A bearer token that is fetched when it is needed, and again before or when it ends.

    `fetch` returns the token and for how many seconds it is good; many who ask at a time share one.
    """

    def __init__(self, fetch: Callable[[], Awaitable[tuple[str, float]]]) -> None:
        self._fetch = fetch
        self._token = ""
        self._ends = float("-inf")
        self._fetched = float("-inf")
        self._lock = asyncio.Lock()

    async def header(self, *, renew: bool = False) -> str:
        """Return `Bearer` and a token; raises what fetching it raised."""
        asked = monotonic()
        async with self._lock:
            # Whoever waited for the lock may find that another has renewed it meanwhile.
            stale = renew and self._fetched < asked
            if stale or monotonic() >= self._ends:
                self._token, seconds = await self._fetch()
                self._fetched = monotonic()
                self._ends = asked + seconds - min(_MARGIN_SECONDS, seconds / 10)
        return f"Bearer {self._token}"


def basic(username: str, secret: str) -> str:
    """Return the header of a user name and password (RFC 7617)."""
    return "Basic " + base64.b64encode(f"{username}:{secret}".encode()).decode("ascii")
