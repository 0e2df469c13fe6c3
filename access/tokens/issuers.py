"""The keys that an issuer signs with, by OpenID Connect Discovery, over vetted sockets.

Kept in this process's memory: a key is read once an hour, and asked for again at most once a minute
when a token names one that is not known, so that made-up names cost the issuer nothing. Nothing
that a token says leads anywhere: which issuers are read, trust rules alone decide.

OpenID Connect Discovery 1.0, sections 4.2 and 4.3; RFC 7517.
"""

from __future__ import annotations

import asyncio
import errno
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

import aiohttp
import orjson
from django.utils.translation import gettext as _

from access.tokens.assertions import Key, knows
from registries.network import AddressPolicy, vetted_connector
from registries.oci import bodies
from registries.oci.addresses import read_url
from registries.oci.connection import InvalidConnection
from registries.oci.errors import ResponseTooLarge
from registries.oci.tls import ssl_context
from registries.oci.transport import USER_AGENT

WELL_KNOWN = "/.well-known/openid-configuration"
LONGEST_BODY = 256 * 1024
TOTAL_SECONDS = 10.0
CONNECT_SECONDS = 5.0
KEYS_LIMIT = 100

FRESH_SECONDS = 3600.0
# Between two readings on behalf of a token that names an unknown key.
AGAIN_SECONDS = 60.0
# How long a failure stands, before the issuer is asked again.
FAILED_SECONDS = 15.0
REMEMBERED = 256


@dataclass(frozen=True, slots=True)
class Issuer:
    """Whom to ask and whom to believe that it is he. `url` is exactly as his tokens have it."""

    url: str
    allow_private: bool = False
    ca_certificate: str = field(default="", repr=False)


class IssuerFailed(Exception):  # noqa: N818  named for what happened
    """The issuer's keys could not be read; the text says why, for the owners."""


@dataclass(slots=True)
class _Known:
    """What is known of one issuer. Times are of the store's clock."""

    turn: threading.Lock = field(default_factory=threading.Lock)
    keys: Sequence[Key] | None = None
    read_at: float = 0.0
    asked_at: float = float("-inf")
    failure: str = ""


class KeyStore:
    """Keys of issuers, read when they are needed. May be used from several threads."""

    def __init__(
        self,
        read: Callable[[Issuer], Sequence[Key]] | None = None,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._read = read or read_keys
        self._clock = clock
        self._lock = threading.Lock()
        self._known: OrderedDict[Issuer, _Known] = OrderedDict()

    def keys(self, issuer: Issuer, key_id: str | None) -> Sequence[Key]:
        """The issuer's keys, with the one of this id if he has it; raises IssuerFailed."""
        known = self._of(issuer)
        # Only one of several threads asks; the others wait for what he finds out.
        if not known.turn.acquire(timeout=TOTAL_SECONDS + 1):
            raise IssuerFailed("others wait for the issuer already")
        try:
            return self._current(issuer, known, key_id)
        finally:
            known.turn.release()

    def forget(self) -> None:
        with self._lock:
            self._known.clear()

    def _of(self, issuer: Issuer) -> _Known:
        with self._lock:
            known = self._known.setdefault(issuer, _Known())
            self._known.move_to_end(issuer)
            if len(self._known) > REMEMBERED:
                self._known.popitem(last=False)
            return known

    def _current(self, issuer: Issuer, known: _Known, key_id: str | None) -> Sequence[Key]:
        now = self._clock()
        is_fresh = known.keys is not None and now < known.read_at + FRESH_SECONDS
        if is_fresh and known.keys is not None:
            if knows(known.keys, key_id) or now < known.asked_at + AGAIN_SECONDS:
                return known.keys
        elif known.failure and now < known.asked_at + FAILED_SECONDS:
            raise IssuerFailed(known.failure)
        known.asked_at = now
        try:
            known.keys = self._read(issuer)
        except IssuerFailed as error:
            known.failure = str(error)
            if is_fresh and known.keys is not None:
                return known.keys  # they still hold; the unknown one stays unknown
            raise
        known.read_at, known.failure = now, ""
        return known.keys


# Reading -----------------------------------------------------------------------------------------


def require_address(text: str, *, allow_private: bool) -> None:
    """Raises ValueError (with a sentence) for what cannot be an issuer's address or a link of his.

    Plain http only on private networks, for who runs an issuer of his own there.
    """
    try:
        url = read_url(text)
        usable = bool(url.host) and url.explicit_port != 0
    except ValueError:
        usable = False
    if not usable or url.scheme not in ("https", "http"):
        raise ValueError(_("An issuer has an address such as https://gitlab.example.com."))
    if url.scheme == "http" and not allow_private:
        raise ValueError(_("An issuer on the internet has an address that begins with https://."))
    if url.user or url.password or url.query_string or url.fragment:
        raise ValueError(_("An issuer's address has no user name, no “?” and no “#”."))


def read_keys(issuer: Issuer) -> Sequence[Key]:
    """The issuer's keys as they are now; raises IssuerFailed."""
    return asyncio.run(_read_in_time(issuer))


async def _read_in_time(issuer: Issuer) -> Sequence[Key]:
    try:
        async with asyncio.timeout(TOTAL_SECONDS):
            return await _discover(issuer)
    except TimeoutError:
        raise IssuerFailed("the issuer does not answer in time") from None
    except aiohttp.ClientConnectorCertificateError:
        raise IssuerFailed("the issuer's certificate is not trusted") from None
    except aiohttp.ClientConnectorError as error:
        # network.AddressRefused, also where several addresses were tried and became one error.
        refused = error.os_error.errno == errno.EACCES
        reason = error.os_error.strerror if refused else "no connection"
        raise IssuerFailed(f"the issuer cannot be reached: {reason}") from None
    except (aiohttp.ClientError, OSError) as error:
        raise IssuerFailed(f"talking to the issuer failed ({type(error).__name__})") from None
    except ResponseTooLarge:
        raise IssuerFailed("the issuer's answer is too large") from None
    except InvalidConnection as error:
        raise IssuerFailed(str(error)) from None


async def _discover(issuer: Issuer) -> Sequence[Key]:
    connector = vetted_connector(
        AddressPolicy(issuer.allow_private),
        ssl_context=ssl_context(issuer.ca_certificate or None),
        limit=2,
    )
    async with aiohttp.ClientSession(
        connector=connector,
        timeout=aiohttp.ClientTimeout(total=TOTAL_SECONDS, sock_connect=CONNECT_SECONDS),
        headers={
            "Accept": "application/json",
            "Accept-Encoding": "identity",  # a compressed answer can be a bomb
            "User-Agent": USER_AGENT,
        },
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        trust_env=False,
    ) as session:
        found = await _document(session, issuer, issuer.url.rstrip("/") + WELL_KNOWN)
        if found.get("issuer") != issuer.url:
            raise IssuerFailed("the issuer calls itself by another name than the rule does")
        listed = (await _document(session, issuer, found.get("jwks_uri"))).get("keys")
        if not isinstance(listed, list):
            raise IssuerFailed("the issuer's list of keys is none")
        return [key for key in listed[:KEYS_LIMIT] if isinstance(key, dict)]


async def _document(session: aiohttp.ClientSession, issuer: Issuer, url: object) -> dict[str, Any]:
    try:
        require_address(str(url), allow_private=issuer.allow_private)
        address = read_url(str(url), encoded=True)
    except ValueError:
        raise IssuerFailed("the issuer does not say where its keys are") from None
    # A redirect would lead where somebody else wants: an issuer's documents are where they are.
    async with session.get(address, allow_redirects=False) as response:
        if response.status != 200:
            raise IssuerFailed(f"the issuer answers with status {response.status}")
        body = await bodies.whole(response, LONGEST_BODY)
    try:
        document = orjson.loads(body)
    except ValueError:
        document = None
    if not isinstance(document, dict):
        raise IssuerFailed("the issuer's answer is no JSON object")
    return document


# The one of this process.
STORE = KeyStore()
