"""Requests to one registry over vetted sockets: limits, pace, retries, sign-in.

This is the hot path of a sync: tens of thousands of small requests, each of which costs this
process about a tenth of a millisecond. So addresses are built as strings, header dicts are reused,
and nothing wraps a request that needs no wrapping.
"""

import asyncio
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

import aiohttp
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from registries.network import AddressPolicy, vetted_connector
from registries.oci import bodies, failures, mediatypes
from registries.oci.addresses import read_url
from registries.oci.auth import Authenticator
from registries.oci.challenges import parse_challenges
from registries.oci.connection import Connection
from registries.oci.errors import NotARegistry, RegistryError, ServerFailed, Throttled
from registries.oci.pace import Pace
from registries.oci.reference import parse_repository
from registries.oci.tls import ssl_context

# The version is the one of pyproject.toml; a test keeps them equal.
USER_AGENT = "Portolan/0.1.0"
RETRIED = frozenset({429, 502, 503, 504})
REDIRECTS = frozenset({301, 302, 303, 307, 308})
_MAX_REDIRECTS = 3
_LONGEST_BACKOFF = 8.0
_SMALL_BYTES = 8 * 1024**2


@dataclass(slots=True)
class Stats:
    """What talking to the registry took, counted from the client's start."""

    requests: int = 0
    throttled: int = 0
    retries: int = 0
    invalid_names: int = 0


@dataclass(frozen=True, slots=True)
class Sending:
    """What a request carries besides its address: headers, and a body with its type.

    One that is not `repeatable` (it creates something) is sent again only where the registry said
    that it did not take it, never after a connection broke.
    """

    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    repeatable: bool = True


@dataclass(frozen=True, slots=True)
class Answer:
    """A complete answer; `body` is empty for HEAD."""

    status: int
    headers: CIMultiDictProxy[str]
    body: bytes

    @property
    def content_type(self) -> str:
        """The Content-Type as sent, empty if none."""
        return self.headers.get("Content-Type", "")

    def failure(self, what: str) -> RegistryError:
        """Return this answer as an error; `what` names what was asked for."""
        retry_after = failures.asked_to_wait(self.headers)
        return failures.from_response(self.status, self.content_type, self.body, what, retry_after)


class Transport:
    """An aiohttp session bound to one registry; an async context manager.

    `stats` are shared by transports that together speak for one registry: its own, and one to its
    vendor's API. `sign_in` makes another `Authenticator` of a connection and this transport.
    """

    def __init__(
        self,
        connection: Connection,
        *,
        stats: Stats | None = None,
        sign_in: Callable[["Transport"], Authenticator] | None = None,
    ) -> None:
        self.connection = connection
        self.limits = connection.limits
        self.stats = stats or Stats()
        self.auth = sign_in(self) if sign_in else Authenticator(connection, self.fetch_token)
        self._root = connection.url
        self._host = connection.origin.host or ""
        self._ssl = ssl_context(connection.ca_certificate)
        # A timer for each read costs as much as reading a small body, which gets one for all of it.
        self._brisk = aiohttp.ClientTimeout(
            total=self.limits.stall_seconds, sock_connect=self.limits.connect_seconds
        )
        self._patient = aiohttp.ClientTimeout(
            total=self.limits.total_seconds,
            sock_connect=self.limits.connect_seconds,
            sock_read=self.limits.stall_seconds,
        )
        # Until when (of the loop's clock) the registry wants silence, if longer than we wait.
        self._silent_until = 0.0
        # One dict for each Authorization sent, so that none is built for a request.
        self._headers: dict[str, CIMultiDict[str]] = {}

    async def __aenter__(self) -> Self:
        connection = self.connection
        self.pace = Pace(connection.max_concurrency, connection.requests_per_minute)
        self._session = aiohttp.ClientSession(
            connector=vetted_connector(
                AddressPolicy(connection.allow_private),
                ssl_context=self._ssl,
                limit=connection.max_concurrency,
            ),
            headers={
                "Accept": mediatypes.ACCEPT,
                # Digests are over the bytes as stored, and a compressed answer can be a bomb.
                "Accept-Encoding": "identity",
                "User-Agent": USER_AGENT,
            },
            timeout=self._patient,
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            trust_env=False,
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.auth.close()
        await self._session.close()

    def url(self, path: str) -> URL:
        """Return the address of a path made of parsed names, which need no quoting."""
        return URL(self._root + path, encoded=True)

    @staticmethod
    def repository(name: str) -> tuple[str, str]:
        """Return the scope and the path of a repository; raises `InvalidReference`."""
        parse_repository(name)
        return f"repository:{name}:pull", f"/v2/{name}"

    async def listing(self, url: URL, scope: str) -> Answer:
        """Return the answer to GET for one page of a listing."""
        return await self.request("GET", url, scope=scope, limit=self.limits.listing_bytes)

    async def request(
        self,
        method: str,
        url: URL,
        *,
        scope: str,
        limit: int,
        redirects: bool = False,
        sending: Sending | None = None,
    ) -> Answer:
        """Return the answer, whatever its status, signed in for `scope`.

        A body larger than `limit` bytes is refused; with a limit of 0 only its beginning is read.
        Throttling and broken connections are retried within `Limits`; what remains is raised as a
        `RegistryError`.
        """
        auth = self.auth
        header = auth.ready(scope)
        if header is None:
            header = await auth.prepare(scope)
        answer = await self._persist(method, url, header, limit, redirects, sending)
        if answer.status == 401:
            challenges = parse_challenges(answer.headers.getall("WWW-Authenticate", ()))
            if challenges:
                header = await auth.answer(challenges, scope, header)
                answer = await self._persist(method, url, header, limit, redirects, sending)
                if answer.status == 401:
                    raise auth.refusal()
        return answer

    async def send(
        self, method: str, url: URL, authorization: str | None, *, limit: int, sending: Sending
    ) -> Answer:
        """Return the answer, whatever its status, to a request that brings its own Authorization."""
        return await self._persist(
            method, url, authorization, limit, redirects=False, sending=sending
        )

    async def probe(self, url: URL) -> Answer:
        """Return the answer to GET without signing in."""
        return await self._persist("GET", url, None, 0, redirects=False)

    async def fetch_token(self, url: URL, authorization: str | None) -> bytes:
        """Return what a token server answers, for an `Authenticator`."""
        answer = await self._persist(
            "GET", url, authorization, self.limits.token_bytes, redirects=False
        )
        if answer.status != 200:
            raise answer.failure("the token server")
        return answer.body

    async def _persist(
        self,
        method: str,
        url: URL,
        authorization: str | None,
        limit: int,
        redirects: bool,
        sending: Sending | None = None,
    ) -> Answer:
        """Send until there is an answer worth having."""
        limits = self.limits
        attempt = 0
        while True:
            attempt += 1
            try:
                if redirects:
                    answer = await self._follow(method, url, authorization, limit)
                else:
                    answer = await self._exchange(method, url, authorization, limit, sending)
            except (aiohttp.ClientError, TimeoutError, OSError) as error:
                once = sending is not None and not sending.repeatable
                if once or attempt >= limits.attempts or not failures.is_worth_retrying(error):
                    raise failures.from_exception(error, url.host or self._host) from error
                wait = self._backoff(attempt)
            else:
                once = sending is not None and not sending.repeatable
                if answer.status not in RETRIED or (once and answer.status != 429):
                    return answer
                asked = failures.asked_to_wait(answer.headers)
                if attempt >= limits.attempts or (asked or 0.0) > limits.patience_seconds:
                    raise answer.failure("requests")
                wait = max(asked or 0.0, self._backoff(attempt))
            self.stats.retries += 1
            await asyncio.sleep(wait)

    async def _follow(self, method: str, url: URL, authorization: str | None, limit: int) -> Answer:
        """Send once, following a few redirects to storage, and return the whole answer."""
        asked = url.origin()
        for _ in range(_MAX_REDIRECTS + 1):
            answer = await self._exchange(method, url, authorization, limit)
            if answer.status == 401 and url.origin() != asked:
                # Its challenge must not change how we sign in to the registry.
                raise ServerFailed("The registry's storage refuses the address it is asked at.")
            if answer.status not in REDIRECTS:
                return answer
            target = self._redirected(url, answer.headers.get("Location"))
            if target.origin() != url.origin():
                # The storage behind has its own signature in the address; ours is not its affair.
                authorization = None
            url = target
        raise NotARegistry("The registry sends from one address to the next without end.")

    async def _exchange(
        self,
        method: str,
        url: URL,
        authorization: str | None,
        limit: int,
        sending: Sending | None = None,
    ) -> Answer:
        pace = self.pace
        entered = await pace.enter()
        if entered < self._silent_until:
            pace.leave(entered, answered=False)
            raise Throttled(
                "The registry asks to slow down (requests).",
                retry_after=self._silent_until - entered,
            )
        self.stats.requests += 1
        answered = False
        try:
            response = await self._session.request(
                method,
                url,
                headers=self._prepared(authorization, sending),
                data=sending.body if sending is not None else None,
                allow_redirects=False,
                timeout=self._brisk if limit <= _SMALL_BYTES else self._patient,
            )
            status = response.status
            try:
                if method == "HEAD":
                    body = b""
                elif 200 <= status < 300 and limit:
                    body = await bodies.whole(response, limit)
                else:
                    body = await bodies.beginning(response)
            finally:
                response.release()
            answered = status < 400
            if status in (429, 503):
                self.stats.throttled += 1
                asked = failures.asked_to_wait(response.headers)
                if (asked or 0.0) > self.limits.patience_seconds:
                    # Whoever else stands in line fails too, instead of waiting for hours there.
                    self._silent_until = entered + (asked or 0.0)
                    asked = None
                pace.throttled(entered, asked)
            return Answer(status, response.headers, body)
        except UnicodeError:  # a name that not even the resolver's encoding takes
            raise failures.unknown_name(url.host or self._host) from None
        finally:
            pace.leave(entered, answered=answered)

    def _prepared(
        self, authorization: str | None, sending: Sending | None
    ) -> Mapping[str, str] | None:
        if sending is not None and sending.headers:
            own = {"Authorization": authorization} if authorization is not None else {}
            return {**sending.headers, **own}
        if authorization is None:
            return None
        prepared = self._headers.get(authorization)
        if prepared is None:
            if len(self._headers) > 256:
                self._headers.clear()
            prepared = CIMultiDict({"Authorization": authorization})
            self._headers[authorization] = prepared
        return prepared

    def _redirected(self, url: URL, location: str | None) -> URL:
        try:
            target = url.join(read_url(location or "", encoded=True))
            usable = bool(location and target.host) and not (target.user or target.password)
        except ValueError:
            usable = False
        if not usable or target.scheme not in ("http", "https"):
            raise NotARegistry("The registry redirects to nowhere.")
        if target.scheme == "http" and not self.connection.is_plain:
            raise NotARegistry("The registry redirects from https to plain http.")
        return target.with_fragment(None) if target.fragment else target

    def _backoff(self, attempt: int) -> float:
        longest = min(self.limits.backoff_seconds * 2.0 ** (attempt - 1), _LONGEST_BACKOFF)
        return longest * random.uniform(0.5, 1.0)  # noqa: S311 - spreads load, keeps no secret
