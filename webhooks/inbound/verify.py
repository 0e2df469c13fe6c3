"""What a sender shows to prove itself: a secret in a header or in the address, or a signature.

Where it is looked for, in order: `Authorization` (Bearer, Basic's password, or as it is),
`X-Gitlab-Token`, the last part of the path or `?secret=` (for senders that can set no header), and
GitHub's `X-Hub-Signature-256` over the body. All comparisons take the same time.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from urllib.parse import parse_qs

from registries.secret import Secret

# Longer is none of ours.
LONGEST = 256


@dataclass(frozen=True, slots=True)
class Key:
    """A live secret of a registry: its digest for comparing, and itself, opened for signatures
    alone."""

    id: str
    digest: str
    open: Callable[[], Secret]


def digest_of(secret: str) -> str:
    """What is stored to know a secret by. It has 256 random bits: no salt would add to them."""
    return sha256(secret.encode(errors="replace")).hexdigest()


def shown(headers: Mapping[str, str], in_path: str, query: str) -> list[str]:
    """The secrets that a request shows, none or several; `headers` are named in lower case."""
    found = [_authorization(headers.get("authorization", "")), headers.get("x-gitlab-token", "")]
    found += [in_path, *_in_query(query)]
    return [secret for secret in found if 0 < len(secret) <= LONGEST]


def fitting(secrets: Iterable[str], keys: Iterable[Key]) -> Key | None:
    """The key that one of these secrets opens with."""
    found = None
    keys = list(keys)
    for secret in secrets:
        digest = digest_of(secret)
        for key in keys:
            # No early end: how long it takes must not tell how near a guess was.
            if hmac.compare_digest(digest, key.digest):
                found = key
    return found


def signed(signature: str, body: bytes, keys: Iterable[Key]) -> Key | None:
    """The key that GitHub's `sha256=<hex>` over the body was made with (docs.github.com,
    "Validating webhook deliveries")."""
    found = None
    for key in keys:
        made = hmac.new(key.open().reveal().encode(), body, sha256).hexdigest()
        if hmac.compare_digest(f"sha256={made}".encode(), signature.encode(errors="replace")):
            found = key
    return found


def _in_query(query: str) -> list[str]:
    try:
        return parse_qs(query, max_num_fields=32).get("secret", [])
    except ValueError:  # nobody was told to send so many
        return []


def _authorization(value: str) -> str:
    scheme, _space, rest = value.strip().partition(" ")
    if not rest:
        return scheme
    rest = rest.strip()
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(rest, validate=True).decode().partition(":")[2]
        except (binascii.Error, ValueError):
            return ""
    return rest
