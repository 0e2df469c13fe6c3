"""Keys that sign tokens: how one is made, certified and named.

One key id serves both generations of registries. Distribution 2.8 knows a key of its certificate
bundle by the libtrust fingerprint; 3.x knows a key of its `jwks` file by whatever id stands there,
so the same fingerprint stands there. (A bundle's keys it knows by their RFC 7638 thumbprint, so to
3.x the bundle alone would not do.)
"""

from __future__ import annotations

import base64
import hashlib
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

ALGORITHM = "ES256"
# Registries read certificates when they start, and nobody wants to hear of expiry before rotation.
CERTIFICATE_YEARS = 10


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
