"""Secrets of machines and of people's tools: how they look, how they are kept, how they are known.

`ptl_<kind>_<key id>_<43 characters>_<6 of checksum>`: the prefix lets secret scanners find one, the
checksum lets them be sure, underscores let a double click select it whole. The random part has 256
bits, so a keyed hash is enough and costs a microsecond, where a password's hash costs a tenth of a
second. Only the hash is kept; the secret is shown once.
"""

from __future__ import annotations

import hmac
import re
import secrets
import string
import zlib
from dataclasses import dataclass
from hashlib import sha256

from django.conf import settings

from access.models import Secret

_ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
_RANDOM = 43  # base62 characters for 256 bits
_KEY_ID = 10
_FORM = re.compile(r"ptl_(pat|sp|adm|oidc)_([0-9A-Za-z]{10})_([0-9A-Za-z]{43})_([0-9A-Za-z]{6})")


@dataclass(frozen=True, slots=True)
class Minted:
    """A new secret: `text` is to be shown once, the rest to be stored."""

    text: str
    key_id: str
    digest: str

    def __repr__(self) -> str:
        return f"Minted({self.key_id})"


@dataclass(frozen=True, slots=True)
class Presented:
    """A text that has the form of a secret; whether it is one, `matches` tells."""

    kind: Secret.Kind
    key_id: str
    text: str

    def __repr__(self) -> str:
        return f"Presented({self.key_id})"

    def matches(self, digest: str) -> bool:
        """Whether this is the secret whose digest was kept; in constant time."""
        key_name, _colon, _hash = digest.partition(":")
        key = settings.ENCRYPTION_KEYS.get(key_name)
        return key is not None and hmac.compare_digest(_digest(self.text, key_name, key), digest)


def mint(kind: Secret.Kind) -> Minted:
    """A new secret of this kind."""
    key_id, random = _characters(_KEY_ID), _characters(_RANDOM)
    body = f"ptl_{kind.value}_{key_id}_{random}"
    text = f"{body}_{_checksum(body)}"
    name, key = next(iter(settings.ENCRYPTION_KEYS.items()))
    return Minted(text, key_id, _digest(text, name, key))


def parse(text: str) -> Presented | None:
    """What was presented, None for what cannot be one of ours; asks no database."""
    form = _FORM.fullmatch(text)
    if form is None:
        return None
    body, _underscore, checksum = text.rpartition("_")
    if not hmac.compare_digest(_checksum(body), checksum):
        return None
    return Presented(Secret.Kind(form[1]), form[2], text)


def _digest(text: str, key_name: str, key: bytes) -> str:
    """Keyed, so that a stolen table alone lets nobody try guesses; the key is named, so that keys
    can be rotated while old secrets live."""
    return f"{key_name}:{hmac.new(key, b'access.secret:' + text.encode(), sha256).hexdigest()}"


def _characters(count: int) -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(count))


def _checksum(body: str) -> str:
    number = zlib.crc32(body.encode())
    text = ""
    for _ in range(6):
        number, rest = divmod(number, len(_ALPHABET))
        text = _ALPHABET[rest] + text
    return text
