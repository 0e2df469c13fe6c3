"""Keys in turn: who signs now, which keys registries should trust, how one follows another.

A key is published before it signs, as registries read certificates and key files only when they
start, and stays published until its last token has ended.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import Any, cast

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from django.conf import settings
from django.db import connection, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from access.actions import Action
from access.events import SigningKeyMade, SigningKeyRetired
from access.models import SigningKey
from access.policy import Rights
from access.scopes import EVERYTHING
from access.tokens.keys import ALGORITHM, certify, jwk, libtrust_id, new_private_key
from registries.actor import SYSTEM, Actor
from registries.events import emit
from registries.secret import Secret

# How far ahead the next key is published, unless somebody says otherwise: time to hand it to every
# registry.
LEAD = timedelta(days=7)
# Beyond a token's end: Distribution takes it for 60 s more, clocks differ by as much again, and a
# process may sign with what it remembers a little longer.
GRACE = timedelta(minutes=5)
# How long a process goes on with the key it has read; a new key is published for far longer.
_REMEMBERED_SECONDS = 20.0
_LOCK = 0x6B657973


@dataclass(frozen=True, slots=True)
class Signer:
    """A parsed key: parsing it anew for each token would halve their rate."""

    kid: str
    key: ec.EllipticCurvePrivateKey

    def __repr__(self) -> str:
        return f"Signer({self.kid})"

    def sign(self, claims: Mapping[str, Any]) -> str:
        return jwt.encode(dict(claims), self.key, ALGORITHM, headers={"kid": self.kid})


# Rows -------------------------------------------------------------------------------------------


def signing(at: datetime) -> SigningKey | None:
    """The key that signs at this moment: of those not retired, the one that began last."""
    return _unretired(at).filter(signs_from__lte=at).order_by("-signs_from").first()


def published(at: datetime) -> list[SigningKey]:
    """The keys that registries should trust: the one that signs, those that will, and those whose
    tokens are still around."""
    return list(_unretired(_last_tokens_ended(at)).order_by("signs_from"))


def ensured() -> list[SigningKey]:
    """The published keys; makes the first one if there is none."""
    now = timezone.now()
    if signing(now) is None:
        _first_key()
    return published(timezone.now())


def as_jwks(keys: Iterable[SigningKey]) -> dict[str, list[dict[str, str]]]:
    """The keys as a JWKS document: what `/auth/jwks.json` answers, and the `jwks` file of 3.x."""
    documents = []
    for row in keys:
        public = x509.load_pem_x509_certificate(row.certificate.encode()).public_key()
        documents.append(jwk(cast("ec.EllipticCurvePublicKey", public)))
    return {"keys": documents}


@transaction.atomic(durable=True)
def rotate(*, lead: timedelta = LEAD, rights: Rights, actor: Actor) -> SigningKey:
    """Make the key that takes over after `lead`; until then registries learn of it.

    The one that signs is retired as of that moment, and stays published until its tokens ended. A
    key that was waiting for its turn is replaced by the new one. Raises PermissionDenied for who
    does not manage registries everywhere.
    """
    rights.require(Action.REGISTRY_MANAGE, EVERYTHING)
    _take_turns()
    now = timezone.now()
    turn = now + lead
    replaced = list(_unretired(now))
    for key in replaced:
        key.retired_at = turn if key.signs_from <= now else now
        key.save(update_fields=["retired_at"])
    made = _make(now, signs_from=turn, actor=actor)
    retired = [
        SigningKeyRetired("", now, key.kid, key.retired_at.isoformat())
        for key in replaced
        if key.retired_at
    ]
    emit(retired, actor=actor)
    transaction.on_commit(forget_signer)
    return made


def forget_ended(at: datetime) -> int:
    """Delete the keys whose last tokens have ended: what is not there cannot be stolen. Returns how
    many; the audit log keeps their names."""
    deleted, _by_model = SigningKey.objects.filter(retired_at__lte=_last_tokens_ended(at)).delete()
    return deleted


def _unretired(at: datetime) -> QuerySet[SigningKey]:
    return SigningKey.objects.filter(Q(retired_at=None) | Q(retired_at__gt=at))


def _last_tokens_ended(at: datetime) -> datetime:
    """When a key was retired at the latest, of which no token is good any more."""
    return at - timedelta(seconds=settings.TOKEN_LIFETIME_SECONDS) - GRACE


def _first_key() -> SigningKey:
    with transaction.atomic():
        _take_turns()
        now = timezone.now()
        return signing(now) or _make(now, signs_from=now, actor=SYSTEM)


def _make(now: datetime, *, signs_from: datetime, actor: Actor) -> SigningKey:
    key = new_private_key()
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),  # the column is encrypted
    ).decode()
    kid = libtrust_id(key.public_key())
    row = SigningKey.objects.create(
        kid=kid,
        private_key=Secret(pem),
        certificate=certify(key, f"Portolan token signing {kid[:9]}", now.astimezone(UTC)),
        created_at=now,
        signs_from=signs_from,
    )
    emit([SigningKeyMade("", now, kid, signs_from.isoformat())], actor=actor)
    return row


def _take_turns() -> None:
    """Until the transaction's end: two processes that start together must not make two keys."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])


# What a process remembers -----------------------------------------------------------------------


class _Remembered:
    """The signer of this process, read again every few seconds."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._signer: Signer | None = None
        self._until = 0.0

    def get(self) -> Signer:
        signer = self._signer
        if signer is None or time.monotonic() >= self._until:
            with self._lock:
                signer = self._signer = self._current()
        return signer

    def forget(self) -> None:
        self._signer = None

    def _current(self) -> Signer:
        known = self._signer
        if known is not None and time.monotonic() < self._until:
            return known  # another thread has just read it
        row = signing(timezone.now()) or _first_key()
        self._until = time.monotonic() + _REMEMBERED_SECONDS
        if known is not None and row.kid == known.kid:
            return known
        key = serialization.load_pem_private_key(row.private_key.reveal().encode(), password=None)
        return Signer(row.kid, cast("ec.EllipticCurvePrivateKey", key))


_remembered = _Remembered()
forget_signer = _remembered.forget


def signer() -> Signer:
    """Who signs now; makes the first key if there is none."""
    return _remembered.get()
