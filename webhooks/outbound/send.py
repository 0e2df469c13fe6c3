"""One request to a receiver, and what came back. Nothing here knows a database.

Addresses are judged where the socket is opened (`registries.network`); redirects are not followed;
of an answer only the beginning is read.
"""

from __future__ import annotations

import asyncio
import errno
import re
import time
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Self

import aiohttp
from aiohttp.client_reqrep import ClientResponse

from registries.network import AddressPolicy, vetted_connector
from registries.oci.addresses import read_url
from registries.oci.failures import from_exception
from registries.oci.tls import ssl_context
from webhooks.outbound.allowed import Allowed
from webhooks.outbound.schedule import parse_retry_after

USER_AGENT = "Portolan-Webhooks/1"
BODY_LIMIT = 16 * 1024  # bytes of an answer that are read; the rest is cut by hanging up
BODY_SECONDS = 2.0  # for those, once the status is known
HEADERS_LIMIT = 40
HEADER_LIMIT = 512  # characters of a value that are kept
CONNECT_SECONDS = 5.0
# What an answer is shown as; Postgres stores no NUL.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")

_dialled: ContextVar[str] = ContextVar("dialled", default="")


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A request, ready to be sent. Its headers may hold secrets."""

    url: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it: a status, or an error in one sentence; `seconds` is the time until the last
    byte that was read, `address` the one that was dialled."""

    at: datetime
    seconds: float
    address: str = ""
    status: int | None = None
    error: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = ""
    cut: bool = False
    retry_after: timedelta | None = None

    @property
    def succeeded(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


class _Response(ClientResponse):
    """Notes whom it comes from: later the connection may be another's already."""

    async def start(self, connection: aiohttp.connector.Connection) -> ClientResponse:
        if connection.transport is not None:
            _dialled.set(str(connection.transport.get_extra_info("peername", [""])[0]))
        return await super().start(connection)


class Sender:
    """Sessions towards receivers; an async context manager. `limit` is how many connections there
    are at most of each kind."""

    def __init__(self, allowed: Allowed, *, timeout: float, limit: int) -> None:
        self._allowed = allowed
        self._timeout = aiohttp.ClientTimeout(total=timeout, sock_connect=CONNECT_SECONDS)
        self._limit = limit
        self._seconds = timeout
        self._sessions: dict[AddressPolicy, aiohttp.ClientSession] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for session in self._sessions.values():
            await session.close()

    async def send(self, outgoing: Outgoing) -> Outcome:
        """Send once. Whatever goes wrong is in the outcome."""
        _dialled.set("")
        at, started = datetime.now(UTC), time.perf_counter()
        try:
            url = read_url(outgoing.url, encoded=True)
            session = self._session(self._allowed.policy(url.scheme, url.host or ""))
            response = await session.post(
                url, data=outgoing.body, headers=outgoing.headers, allow_redirects=False
            )
            body, cut = await _beginning(response)
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            seconds = time.perf_counter() - started
            sentence = _sentence(error, outgoing.url, self._seconds)
            return Outcome(at, seconds, _dialled.get(), error=sentence)
        return Outcome(
            at,
            time.perf_counter() - started,
            _dialled.get(),
            response.status,
            error=_refusal(response.status),
            headers=_kept(response.headers),
            body=_UNSTORABLE.sub("\ufffd", body.decode(errors="replace")),
            cut=cut,
            retry_after=_retry_after(response, at),
        )

    def _session(self, policy: AddressPolicy) -> aiohttp.ClientSession:
        session = self._sessions.get(policy)
        if session is None:
            session = self._sessions[policy] = aiohttp.ClientSession(
                connector=vetted_connector(
                    policy, ssl_context=ssl_context(None), limit=self._limit
                ),
                # An answer that was compressed is kept as it came: unpacked, it could be a bomb.
                headers={"User-Agent": USER_AGENT, "Accept-Encoding": "identity"},
                timeout=self._timeout,
                cookie_jar=aiohttp.DummyCookieJar(),
                response_class=_Response,
                auto_decompress=False,
                trust_env=False,
            )
        return session


async def _beginning(response: ClientResponse) -> tuple[bytes, bool]:
    """The first bytes of an answer, and whether there were more. With the status known, a body that
    stalls or breaks off is no failure any more."""
    if response.content.is_eof():  # a short answer came with its head
        body = response.content.read_nowait()
        response.release()
        return body[:BODY_LIMIT], len(body) > BODY_LIMIT
    return await _read(response)


async def _read(response: ClientResponse) -> tuple[bytes, bool]:
    body = bytearray()
    whole = False
    try:
        async with asyncio.timeout(BODY_SECONDS):
            while len(body) <= BODY_LIMIT:
                chunk = await response.content.read(BODY_LIMIT + 1 - len(body))
                if not chunk:
                    whole = True
                    break
                body += chunk
    except (aiohttp.ClientError, TimeoutError, OSError):
        pass
    if whole:
        response.release()
    else:
        response.close()  # the rest, a gigabyte perhaps, is not waited for
    return bytes(body[:BODY_LIMIT]), not whole


def _retry_after(response: ClientResponse, at: datetime) -> timedelta | None:
    asked = response.headers.get("Retry-After")
    return None if asked is None else parse_retry_after(asked, at=at)


def _kept(headers: Mapping[str, str]) -> dict[str, str]:
    kept: dict[str, str] = {}
    for name, value in headers.items():
        if len(kept) == HEADERS_LIMIT:
            break
        kept[_UNSTORABLE.sub("", name)[:HEADER_LIMIT]] = _UNSTORABLE.sub("", value)[:HEADER_LIMIT]
    return kept


def _refusal(status: int) -> str:
    if 300 <= status < 400:
        return f"It answered {status}, a redirect: those are not followed."
    return "" if 200 <= status < 300 else f"It answered {status}."


def _sentence(error: BaseException, url: str, timeout: float) -> str:
    """One sentence for who looks after the webhook. It does not tell what a name resolves to:
    that would draw a map of networks that are not his."""
    try:
        host = read_url(url, encoded=True).host or "The address"
    except ValueError:
        return "The address cannot be read."
    inner = error.os_error if isinstance(error, aiohttp.ClientConnectorError) else error
    # What `AddressRefused` is, also where several addresses were tried and became one error.
    if isinstance(inner, OSError) and inner.errno == errno.EACCES:
        return (
            f"{host} leads to an address that is not of the public internet, and that no operator"
            " opened for webhooks."
        )
    # (An error of a certificate is a ValueError, too.)
    if isinstance(error, ValueError) and not isinstance(error, aiohttp.ClientConnectorError):
        return "The address cannot be read."
    if isinstance(error, TimeoutError) and not isinstance(error, aiohttp.ConnectionTimeoutError):
        return f"{host} did not answer within {timeout:.0f} seconds."
    if isinstance(error, aiohttp.ServerDisconnectedError):
        return f"{host} closed the connection without an answer."
    if isinstance(error, aiohttp.ClientResponseError):
        return f"{host} did not answer in HTTP."
    return str(from_exception(error, host))[:255]
