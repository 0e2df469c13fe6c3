"""Signing in to one registry: anonymous, Basic, or a token for each scope.

Tokens belong to one client and one scope, never to a class or a process (a shared token has gone
to the wrong registry in pulp). Credentials go to the registry itself and to a token server under
the same domain; the realm of a challenge is somebody else's text (Distribution f215e51).
Protocol: distribution docs/content/spec/auth/token.md.
"""

import asyncio
import base64
import re
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from ipaddress import ip_address
from time import monotonic

from yarl import URL

from registries.oci import untrusted
from registries.oci.addresses import read_url
from registries.oci.challenges import Challenge
from registries.oci.connection import Connection
from registries.oci.errors import (
    AccessDenied,
    AuthenticationFailed,
    ForeignRealm,
    InvalidDocument,
    RegistryError,
)
from registries.oci.tokens import seconds_left

# The specification's own figure for a token server that names none.
DEFAULT_LIFETIME = 60.0
# A token is not used in its last seconds, nor in its last tenth: clocks differ, answers take time.
_MARGIN_SECONDS = 5.0
# A token is a kilobyte or two and every repository wants its own: the oldest make room.
_TOKENS_KEPT = 512
_TOKEN = re.compile(r"[\x21-\x7e]{1,16384}")
# Second-level names under which unrelated companies register: `co.uk`, `com.au`.
_PUBLIC_SECOND_LEVEL = frozenset({"ac", "co", "com", "edu", "gov", "ne", "net", "or", "org"})

# Reads the token server: (url, Authorization or None) -> body. Raises RegistryError.
Fetch = Callable[[URL, str | None], Awaitable[bytes]]


@dataclass(frozen=True, slots=True, repr=False)
class Token:
    """A token as it is sent, and until when (of the monotonic clock) it is used."""

    header: str
    expires: float


@dataclass(frozen=True, slots=True)
class Bearer:
    """A token server: where it is, and what the registry is called there."""

    realm: URL
    service: str | None


class Authenticator:
    """What to put into Authorization, for each scope, and how to get there."""

    def __init__(self, connection: Connection, fetch: Fetch) -> None:
        self._connection = connection
        self._fetch = fetch
        self._basic = _basic_header(connection.credentials)
        self._uses_basic = False
        self._bearer: Bearer | None = None
        self._tokens: dict[str, Token] = {}
        self._under_way: dict[str, asyncio.Task[Token]] = {}

    @property
    def method(self) -> str:
        """How the registry wants us to sign in, as far as known: anonymous, basic or bearer."""
        if self._bearer is not None:
            return "bearer"
        return "basic" if self._uses_basic else "anonymous"

    def ready(self, scope: str) -> str | None:
        """Return the header for a scope if it is at hand, without waiting."""
        if self._uses_basic:
            return self._basic
        token = self._tokens.get(scope)
        return token.header if token is not None and monotonic() < token.expires else None

    async def prepare(self, scope: str) -> str | None:
        """Return the header for a scope, from the token server if the registry is known to use one.

        A request without a token would only be sent back for one.
        """
        if self._bearer is None:
            return None
        return await self._obtain(scope, self._bearer, scope)

    async def answer(self, challenges: Iterable[Challenge], scope: str, sent: str | None) -> str:
        """Return the header that answers a 401 to a request sent with the header `sent`.

        Raises `AuthenticationFailed`, `AccessDenied` or `ForeignRealm`.
        """
        offered = {challenge.scheme: challenge for challenge in reversed(tuple(challenges))}
        if bearer := offered.get("bearer"):
            return await self._answer_bearer(bearer, scope, sent)
        if "basic" not in offered:
            raise AuthenticationFailed(
                "The registry asks for a sign-in of a kind Portolan does not speak.",
                advice="Basic and token sign-in are spoken; change the registry to one of them.",
            )
        if self._basic is None:
            raise AuthenticationFailed(
                "The registry asks for a user name and a password.",
                advice="Give a user name and a password or token.",
            )
        self._uses_basic = True
        if sent == self._basic:
            raise self.refusal()
        return self._basic

    def refusal(self) -> RegistryError:
        """Return the error for a 401 to the best header there is."""
        if self._bearer is not None:
            return AccessDenied("The registry does not let this account read that.")
        return AuthenticationFailed("The registry does not accept the user name or password.")

    async def close(self) -> None:
        """Give up tokens still being asked for."""
        for task in tuple(self._under_way.values()):
            task.cancel()
        await asyncio.gather(*self._under_way.values(), return_exceptions=True)

    async def _answer_bearer(self, challenge: Challenge, scope: str, sent: str | None) -> str:
        bearer = Bearer(self._vetted_realm(challenge), challenge.params.get("service"))
        self._bearer = bearer
        token = self._tokens.get(scope)
        if token is not None and token.header != sent and monotonic() < token.expires:
            # Another request has fetched a newer token meanwhile.
            return token.header
        self._tokens.pop(scope, None)
        return await self._obtain(scope, bearer, challenge.params.get("scope") or scope)

    async def _obtain(self, scope: str, bearer: Bearer, wanted: str) -> str:
        task = self._under_way.get(scope)
        if task is None:
            task = asyncio.create_task(self._request_token(bearer, wanted))
            self._under_way[scope] = task
            task.add_done_callback(lambda done: self._settle(scope, done))
        # Shielded: one of many waiting may be cancelled without taking the others' token along.
        return (await asyncio.shield(task)).header

    def _settle(self, scope: str, task: asyncio.Task[Token]) -> None:
        self._under_way.pop(scope, None)
        if not task.cancelled() and task.exception() is None:
            if len(self._tokens) >= _TOKENS_KEPT:
                del self._tokens[next(iter(self._tokens))]
            self._tokens[scope] = task.result()

    async def _request_token(self, bearer: Bearer, scope: str) -> Token:
        query = [("service", bearer.service)] if bearer.service else []
        if self._connection.username and self._basic:
            query.append(("account", self._connection.username))
        # Repeated, as docker does: token servers split at spaces only by habit.
        query.extend(("scope", part) for part in scope.split())
        started = monotonic()
        try:
            body = await self._fetch(bearer.realm.extend_query(query), self._basic)
        except (AuthenticationFailed, AccessDenied) as error:
            raise self._token_refusal(error) from None
        return read_token(body, started)

    def _token_refusal(self, error: RegistryError) -> RegistryError:
        if self._basic is None:
            return AuthenticationFailed(
                "The registry gives nothing to anonymous visitors.",
                advice="Give a user name and a password or token.",
            )
        if isinstance(error, AccessDenied):
            return AccessDenied("The registry's token server does not let this account in.")
        return AuthenticationFailed("The registry does not accept the user name or password.")

    def _vetted_realm(self, challenge: Challenge) -> URL:
        text = challenge.params.get("realm", "")
        try:
            realm = read_url(text)
            host = realm.host
        except ValueError:
            host = None
        if not host or realm.scheme not in ("http", "https") or realm.user or realm.password:
            raise InvalidDocument("The registry names no usable token server in its challenge.")
        origin = self._connection.origin
        trusted = host in self._connection.trusted_realms
        if realm.scheme == "http" and not self._connection.is_plain:
            raise ForeignRealm(
                f"The registry sends the password to {host} without TLS.",
                advice="Set an https realm in the registry's configuration.",
            )
        if not trusted and not same_domain(host, origin.host or ""):
            raise ForeignRealm(
                f"The registry names {host} as its token server, which is not under its own domain."
            )
        return realm.with_fragment(None)


def same_domain(one: str, other: str) -> bool:
    """Say whether two hosts are the same or under the same registered domain.

    `auth.docker.io` may speak for `registry-1.docker.io`. Addresses must be equal.
    """
    one, other = one.lower().rstrip("."), other.lower().rstrip(".")
    if one == other:
        return True
    if _is_address(one) or _is_address(other):
        return False
    domain = _registered(one)
    return domain is not None and domain == _registered(other)


def _registered(host: str) -> tuple[str, ...] | None:
    labels = host.split(".")
    is_shared = len(labels) > 1 and len(labels[-1]) == 2 and labels[-2] in _PUBLIC_SECOND_LEVEL
    needed = 3 if is_shared else 2
    return tuple(labels[-needed:]) if len(labels) >= needed else None


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _basic_header(credentials: tuple[str, str] | None) -> str | None:
    if credentials is None:
        return None
    return "Basic " + base64.b64encode(":".join(credentials).encode()).decode("ascii")


def read_token(body: bytes, started: float) -> Token:
    """Return the token in an answer to a request that was `started` (monotonic clock), or raise."""
    document = untrusted.load_object(body, "answer of the token server")
    token = document.get("token") or document.get("access_token")
    if not isinstance(token, str) or _TOKEN.fullmatch(token) is None:
        raise InvalidDocument("The registry's token server answered without a token.")
    lifetime = document.get("expires_in")
    if isinstance(lifetime, bool) or not isinstance(lifetime, int | float) or lifetime <= 0:
        # Azure's token server says it in the token alone.
        lifetime = seconds_left(token) or DEFAULT_LIFETIME
    margin = min(_MARGIN_SECONDS, lifetime / 10)
    return Token(f"Bearer {token}", started + lifetime - margin)
