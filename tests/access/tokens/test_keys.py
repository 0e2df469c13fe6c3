"""Keys and their names, by the vectors of the fact sheet."""

from __future__ import annotations

import base64
import hashlib
import json
from datetime import UTC, datetime

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from access.tokens.keys import certify, jwk, libtrust_id, new_private_key

X = "m7zUpx3b-zmVE5cymSs64POG9QcyEpJaYCD82-549_Q"
Y = "dU3biz8sZ_8GPB-odm8Wxz3lNDr1xcAQQPQaOcr1fmc"
LIBTRUST = "PYYO:TEWU:V7JH:26JV:AQTZ:LJC3:SXVJ:XGHA:34F2:2LAQ:ZRMK:Z7Q6"
RFC_7638 = "8qjioA3ZA7ti2JIE7c-U8smBFuZolQZvhSHDPU3hhB8"


def number(text: str) -> int:
    return int.from_bytes(base64.urlsafe_b64decode(text + "="), "big")


KEY = ec.EllipticCurvePublicNumbers(number(X), number(Y), ec.SECP256R1()).public_key()


def test_distribution_2_names_a_key_by_its_libtrust_fingerprint() -> None:
    assert libtrust_id(KEY) == LIBTRUST


def test_the_published_key_has_that_name_and_the_members_that_rfc_7638_hashes() -> None:
    published = jwk(KEY)
    assert (published["kid"], published["x"], published["y"]) == (LIBTRUST, X, Y)
    assert (published["alg"], published["use"]) == ("ES256", "sig")
    members = {name: published[name] for name in ("crv", "kty", "x", "y")}
    canonical = json.dumps(members, sort_keys=True, separators=(",", ":")).encode()
    digest = base64.urlsafe_b64encode(hashlib.sha256(canonical).digest()).decode().rstrip("=")
    assert digest == RFC_7638


def test_no_key_has_a_coordinate_that_distribution_3_would_not_pad() -> None:
    for _ in range(300):  # one in 128 would have
        published = jwk(new_private_key().public_key())
        for coordinate in ("x", "y"):
            assert base64.urlsafe_b64decode(published[coordinate] + "=")[0] != 0


def test_the_certificate_holds_the_key_and_signs_itself() -> None:
    key, at = new_private_key(), datetime(2026, 11, 20, tzinfo=UTC)
    certificate = x509.load_pem_x509_certificate(certify(key, "Portolan", at).encode())
    public = certificate.public_key()
    assert isinstance(public, ec.EllipticCurvePublicKey)
    assert public.public_numbers() == key.public_key().public_numbers()
    certificate.verify_directly_issued_by(certificate)
    assert certificate.not_valid_before_utc < at
    assert certificate.not_valid_after_utc.year == 2036
