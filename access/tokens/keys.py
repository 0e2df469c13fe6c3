"""Keys that sign tokens: made, certified, named, published, rotated.

One key id serves both generations of registries. Distribution 2.8 knows a key of its certificate
bundle by the libtrust fingerprint; 3.x knows a key of its `jwks` file by whatever id stands there,
so the same fingerprint stands there.
"""

from __future__ import annotations

import base64
import hashlib
import json
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import Any

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from django.conf import settings
from django.db import connection, transaction
from django.db.models import Q
from django.utils import timezone

from access.actions import Action
from access.events import SigningKeyMade, SigningKeyRetired
from access.models import SigningKey
from access.policy import Rights
from access.scopes import EVERYTHING
from registries.actor import SYSTEM, Actor
from registries.events import emit

ALGORITHM = "ES256"
# Registries read certificates when they start, and nobody wants to hear of expiry before rotation.
CERTIFICATE_YEARS = 10
# Beyond a token's end: Distribution takes it for 60 s more, clocks differ by as much again.
GRACE = timedelta(minutes=5)
# How long a process goes on with the keys it has read; a new key is published for far longer.
_REMEMBERED_SECONDS = 20.0
_LOCK = 0x6B657973


# Pure -------------------------------------------------------------------------------------------


def new_private_key() -> ec.EllipticCurvePrivateKey:
    """A P-256 key. None with a coordinate that begins with a zero byte: Distribution 3 does not pad
    it, and would name the key wrong."""
    while True:
        key = ec.generate_private_key(ec.SECP256R1())
        numbers = key.public_key().public_numbers()
        if min(numbers.x, numbers.y) >> 248:
            return key


def libtrust_id(key: ec.EllipticCurvePublicKey) -> str:
    """The fingerprint that Distribution 2.8 names a key by (docker/libtrust: util.go)."""
    der = key.public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    text = base64.b32encode(hashlib.sha256(der).digest()[:30]).decode()
    return ":".join(text[at : at + 4] for at in range(0, len(text), 4))


def thumbprint(key: ec.EllipticCurvePublicKey) -> str:
    """The RFC 7638 thumbprint, by which Distribution 3 names a key of a certificate bundle."""
    members = {name: value for name, value in jwk(key).items() if name in ("crv", "kty", "x", "y")}
    canonical = json.dumps(members, sort_keys=True, separators=(",", ":")).encode()
    return _base64url(hashlib.sha256(canonical).digest())


def jwk(key: ec.EllipticCurvePublicKey) -> dict[str, str]:
    """The public key as RFC 7517 has it, under its libtrust name."""
    numbers = key.public_numbers()
    return {
        "kty": "EC",
        "crv": "P-256",
        "x": _base64url(numbers.x.to_bytes(32, "big")),
        "y": _base64url(numbers.y.to_bytes(32, "big")),
        "kid": libtrust_id(key),
        "use": "sig",
        "alg": ALGORITHM,
    }


def certify(key: ec.EllipticCurvePrivateKey, name: str, at: datetime) -> str:
    """A self-signed certificate in PEM, for `rootcertbundle`."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name[:64])])
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(at - timedelta(days=1))
        .not_valid_after(at + timedelta(days=365 * CERTIFICATE_YEARS))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
        .public_bytes(serialization.Encoding.PEM)
        .decode()
    )


def _base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


# Signing ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Signer:
    """A parsed key: parsing it anew for each token would halve their rate."""

    kid: str
    key: ec.EllipticCurvePrivateKey

    def __repr__(self) -> str:
        return f"Signer({self.kid})"

    def sign(self, claims: Mapping[str, Any]) -> str:
        return jwt.encode(dict(claims), self.key, ALGORITHM, headers={"kid": self.kid})


def verify(token: str, keys: Iterable[SigningKey], *, service: str) -> dict[str, Any]:
    """The claims of a token that one of these keys signed for this service, as a registry would
    read them; raises jwt.InvalidTokenError. Other algorithms, `none` first, are refused."""
    kid = jwt.get_unverified_header(token).get("kid")
    for key in keys:
        if key.kid == kid:
            certificate = x509.load_pem_x509_certificate(key.certificate.encode())
            public = certificate.public_key()
            assert isinstance(public, ec.EllipticCurvePublicKey)
            options = {"require": ["exp", "nbf", "iat", "aud", "iss", "jti"]}
            return dict(
                jwt.decode(
                    token,
                    public,
                    algorithms=[ALGORITHM],
                    audience=service,
                    issuer=settings.PUBLIC_URL,
                    options=options,  # type: ignore[arg-type]  # a TypedDict to its stubs
                )
            )
    raise jwt.InvalidTokenError("Signed by no key of ours.")


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
                if self._signer is None or time.monotonic() >= self._until:
                    self._signer = _read_signer(self._signer)
                    self._until = time.monotonic() + _REMEMBERED_SECONDS
                signer = self._signer
        return signer

    def forget(self) -> None:
        self._signer = None


_remembered = _Remembered()
forget_signer = _remembered.forget


def signer() -> Signer:
    """Who signs now; makes the first key if there is none."""
    return _remembered.get()


def _read_signer(known: Signer | None) -> Signer:
    row = signing(timezone.now()) or _first_key()
    if known is not None and row.kid == known.kid:
        return known
    key = serialization.load_pem_private_key(row.private_key.reveal().encode(), password=None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return Signer(row.kid, key)


# Rows -------------------------------------------------------------------------------------------


def signing(at: datetime) -> SigningKey | None:
    """The key that signs at this moment: of those not retired, the one that began last."""
    unretired = Q(retired_at=None) | Q(retired_at__gt=at)
    return SigningKey.objects.filter(unretired, signs_from__lte=at).order_by("-signs_from").first()


def published(at: datetime) -> list[SigningKey]:
    """The keys that registries should trust: the one that signs, those that will, and those whose
    tokens are still around."""
    ended = at - timedelta(seconds=settings.TOKEN_LIFETIME_SECONDS) - GRACE
    return list(
        SigningKey.objects.filter(Q(retired_at=None) | Q(retired_at__gt=ended)).order_by(
            "signs_from"
        )
    )


def ensured() -> list[SigningKey]:
    """The published keys; makes the first one if there is none."""
    return published(timezone.now()) or [_first_key()]


def as_jwks(keys: Iterable[SigningKey]) -> dict[str, list[dict[str, str]]]:
    """The keys as a JWKS document: what `/auth/jwks.json` answers, and the `jwks` file of 3.x."""
    documents = []
    for row in keys:
        public = x509.load_pem_x509_certificate(row.certificate.encode()).public_key()
        assert isinstance(public, ec.EllipticCurvePublicKey)
        documents.append(jwk(public))
    return {"keys": documents}


@transaction.atomic(durable=True)
def rotate(*, lead: timedelta, rights: Rights, actor: Actor) -> SigningKey:
    """Make the key that takes over after `lead`; until then registries learn of it.

    The one that signs is retired as of that moment, and stays published until its tokens ended. A
    key that was waiting for its turn is replaced by the new one.
    """
    rights.require(Action.REGISTRY_MANAGE, EVERYTHING)
    _take_turns()
    now = timezone.now()
    turn = now + lead
    replaced = list(SigningKey.objects.filter(Q(retired_at=None) | Q(retired_at__gt=now)))
    for key in replaced:
        key.retired_at = turn if key.signs_from <= now else now
        key.save(update_fields=["retired_at"])
    made = _make(now, signs_from=turn, actor=actor)
    emit([SigningKeyRetired("", turn, key.kid) for key in replaced], actor=actor)
    transaction.on_commit(forget_signer)
    return made


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
        serialization.NoEncryption(),
    ).decode()
    kid = libtrust_id(key.public_key())
    row = SigningKey.objects.create(
        kid=kid,
        private_key=pem,
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
