"""Signatures of the Standard Webhooks specification, version 1 (HMAC-SHA256).

Source: standard-webhooks/standard-webhooks, spec/standard-webhooks.md, "Signature scheme".
"""

from __future__ import annotations

import base64
import binascii
import hmac
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime
from hashlib import sha256

PREFIX = "whsec_"
KEY_BYTES = 32  # the specification asks for 24 to 64
# How far a sender's clock may be off, in seconds; what is older may be a repeat by somebody else.
TOLERANCE_SECONDS = 300


class BadSignature(ValueError):  # noqa: N818  named for what happened
    """A message is not from who knows the secret, or too old; the text says which."""


def make_secret() -> str:
    """A new secret in its text form: `whsec_` and the base64 of 32 random bytes."""
    return PREFIX + base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()


def key_of(secret: str) -> bytes:
    """The key of a secret's text form; raises ValueError for what is none."""
    try:
        return base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except binascii.Error:
        raise ValueError("A signing secret is whsec_ and base64.") from None


def signature(keys: Sequence[bytes], message_id: str, timestamp: int, body: bytes) -> str:
    """The value of `webhook-signature`: one `v1,<base64>` for each key, separated by spaces.

    What is signed is id, timestamp (seconds since 1970) and body, joined by full stops.
    """
    signed = f"{message_id}.{timestamp}.".encode() + body
    return " ".join(
        "v1," + base64.b64encode(hmac.digest(key, signed, sha256)).decode() for key in keys
    )


def headers(keys: Sequence[bytes], message_id: str, at: datetime, body: bytes) -> dict[str, str]:
    """The three headers of a message. The id is the same at every retry, the others are not."""
    timestamp = int(at.timestamp())
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": signature(keys, message_id, timestamp, body),
    }


def verify(secret: str, headers: Mapping[str, str], body: bytes, *, at: datetime) -> None:
    """Return if a message was signed with the secret within five minutes of `at`.

    `headers` are read by their names in lower case. Raises BadSignature otherwise.
    """
    try:
        message_id, sent = headers["webhook-id"], int(headers["webhook-timestamp"])
        listed = headers["webhook-signature"].split()
    except (KeyError, ValueError):
        raise BadSignature("A webhook header is missing, or is not what it should be.") from None
    if abs(at.timestamp() - sent) > TOLERANCE_SECONDS:
        raise BadSignature("The timestamp is too old, or too new.")
    expected = signature([key_of(secret)], message_id, sent, body).encode()
    if not any(hmac.compare_digest(expected, each.encode()) for each in listed):
        raise BadSignature("No signature of those listed is right.")
