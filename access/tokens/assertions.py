"""Tokens that a CI system signed (JWT, RFC 7519): read before anything is believed, then verified.

Only signatures that a public key verifies, with the algorithm that belongs to the key: a token
names both, and must not get to choose (RFC 8725, 3.1 and 3.2). Nothing here asks the network.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from django.utils.translation import gettext as _
from jwt import PyJWK, PyJWS
from jwt.exceptions import PyJWTError
from jwt.utils import base64url_decode

LONGEST = 64 * 1024
# By how many seconds a clock of the issuer and ours may differ.
LEEWAY = 30
# A job's token lives for minutes or hours. One without a near end is no such token, and what was
# spent must be remembered until the end.
LONGEST_LIFE = 31 * 24 * 3600
# Of keys that may have signed: an issuer names one by its id.
TRIED = 8
_SMALLEST_RSA = 2048

_RSA = {"kty": "RSA"}
# RFC 7518, 3.1, without what needs a shared secret, and RFC 8037: each with the keys that it is for.
ALGORITHMS: Mapping[str, Mapping[str, str]] = {
    "RS256": _RSA,
    "RS384": _RSA,
    "RS512": _RSA,
    "PS256": _RSA,
    "PS384": _RSA,
    "PS512": _RSA,
    "ES256": {"kty": "EC", "crv": "P-256"},
    "ES384": {"kty": "EC", "crv": "P-384"},
    "ES512": {"kty": "EC", "crv": "P-521"},
    "EdDSA": {"kty": "OKP", "crv": "Ed25519"},
}
_PUBLIC_PARTS = ("kty", "crv", "n", "e", "x", "y")

Key = Mapping[str, Any]


class Unreadable(ValueError):  # noqa: N818  named for what it is
    """The text is no token that could ever be taken; the message is for whoever sent it."""


class NotGenuine(ValueError):  # noqa: N818  named for what it is
    """A token that does not hold. `because` is for the owners. `is_signed` says that the signature
    is right: then the sender may know, too."""

    def __init__(self, because: str, *, is_signed: bool = False) -> None:
        super().__init__(because)
        self.because = because
        self.is_signed = is_signed


@dataclass(frozen=True, slots=True)
class Assertion:
    """A token as it came. Until `verify` has returned, all of it is only said."""

    text: str = field(repr=False)
    algorithm: str
    key_id: str | None
    issuer: str
    subject: str
    audiences: tuple[str, ...]
    claims: Mapping[str, Any]

    @property
    def until(self) -> float:
        """The last moment (seconds since 1970) at which `verify` lets it pass."""
        return float(self.claims["exp"]) + LEEWAY

    @property
    def digest(self) -> str:
        """What tells it from all others: its id at its issuer, else what was signed. The signature
        is left out: the same content can have several."""
        token_id = self.claims.get("jti")
        unique = (
            orjson.dumps(["jti", self.issuer, token_id])
            if isinstance(token_id, str) and token_id
            else orjson.dumps(["signed", self.text.rpartition(".")[0]])
        )
        return hashlib.sha256(unique).hexdigest()


def read(text: str) -> Assertion:
    """The token in this text, of which nothing is proved yet; raises Unreadable."""
    text = text.strip()
    if len(text) > LONGEST:
        raise Unreadable(_("The token is longer than any CI system's."))
    parts = text.split(".")
    if len(parts) != 3 or not text.isascii():
        raise Unreadable(_("This is not a signed token (JWT): three parts with dots between."))
    header, claims = _object(parts[0]), _object(parts[1])
    algorithm = header.get("alg")
    if not isinstance(algorithm, str) or algorithm not in ALGORITHMS:
        raise Unreadable(
            _("The token must be signed with a public key's algorithm: %s.") % ", ".join(ALGORITHMS)
        )
    if "crit" in header or "b64" in header:
        raise Unreadable(_("The token has extensions that Portolan does not know."))
    key_id = header.get("kid")
    issuer, subject = claims.get("iss"), claims.get("sub")
    audiences = _audiences(claims.get("aud"))
    if not (isinstance(issuer, str) and isinstance(subject, str) and audiences):
        raise Unreadable(_("The token does not say its issuer, subject and audience."))
    # Rules are looked up by what it says, and Postgres stores no NUL characters.
    if any("\0" in said for said in (issuer, subject, *audiences)):
        raise Unreadable(_("No issuer, subject or audience can be called as the token says."))
    return Assertion(
        text,
        algorithm,
        key_id if isinstance(key_id, str) else None,
        issuer,
        subject,
        audiences,
        claims,
    )


def verify(assertion: Assertion, keys: Sequence[Key], *, now: float) -> None:
    """Raises NotGenuine unless one of the issuer's keys signed it and it holds now.

    `now` is in seconds since 1970. Whom it is for and about is the caller's to judge.
    """
    fitting = list(_fitting(assertion, keys))
    if not fitting:
        raise NotGenuine("the issuer has no key of this id for this algorithm")
    if not any(_signed_by(assertion, key) for key in fitting[:TRIED]):
        raise NotGenuine("the signature is not the issuer's")
    _require_time(assertion.claims, now)


def knows(keys: Iterable[Key], key_id: str | None) -> bool:
    """Whether a key of this id is among them; any will do for a token that names none."""
    return any(key_id is None or key.get("kid") == key_id for key in keys)


def _object(part: str) -> dict[str, Any]:
    try:
        value = orjson.loads(base64url_decode(part))
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise Unreadable(_("This is not a signed token (JWT): a part of it cannot be read."))
    return value


def _audiences(value: object) -> tuple[str, ...]:
    listed: list[Any] = value if isinstance(value, list) else [value]
    return tuple(listed) if all(isinstance(one, str) for one in listed) else ()


def _fitting(assertion: Assertion, keys: Sequence[Key]) -> Iterable[Key]:
    wanted = ALGORITHMS[assertion.algorithm]
    for key in keys:
        if assertion.key_id is not None and key.get("kid") != assertion.key_id:
            continue
        if key.get("use", "sig") != "sig":
            continue
        if key.get("alg", assertion.algorithm) != assertion.algorithm:
            continue
        if all(key.get(name) == value for name, value in wanted.items()):
            yield key


def _signed_by(assertion: Assertion, key: Key) -> bool:
    public = {name: key[name] for name in _PUBLIC_PARTS if name in key}
    algorithm = assertion.algorithm
    try:
        loaded = PyJWK(public, algorithm)
        if isinstance(loaded.key, RSAPublicKey) and loaded.key.key_size < _SMALLEST_RSA:
            return False
        PyJWS(algorithms=[algorithm]).decode(assertion.text, loaded.key, algorithms=[algorithm])
    except (PyJWTError, ValueError, TypeError, RecursionError):
        return False
    return True


def _require_time(claims: Mapping[str, Any], now: float) -> None:
    ends, issued = _seconds(claims, "exp"), _seconds(claims, "iat")
    begins = _seconds(claims, "nbf") if "nbf" in claims else issued
    if ends is None or issued is None or begins is None:
        raise NotGenuine("it does not say in numbers when it was issued and ends", is_signed=True)
    if now >= ends + LEEWAY:
        raise NotGenuine("it has expired", is_signed=True)
    if now < begins - LEEWAY or now < issued - LEEWAY:
        raise NotGenuine("it is not valid yet", is_signed=True)
    if ends > now + LONGEST_LIFE:
        raise NotGenuine("it is valid for longer than a job's token ever is", is_signed=True)


def _seconds(claims: Mapping[str, Any], name: str) -> float | None:
    value = claims.get(name)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
