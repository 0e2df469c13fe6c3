"""Reading and verifying tokens, apart from rules and servers."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from access.tokens.assertions import (
    ALGORITHMS,
    LEEWAY,
    Assertion,
    NotGenuine,
    Unreadable,
    read,
    verify,
)
from tests.fakes.oidc_issuer import OidcIssuer, github_claims

NOW = 1_800_000_000
json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=6,
)
names = st.sampled_from(["alg", "kid", "crit", "iss", "sub", "aud", "exp", "iat", "nbf", "jti"])
parts = st.dictionaries(names, json_values | st.sampled_from(["RS256", "none", "HS256"]))


def encoded(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def read_or_none(text: str) -> Assertion | None:
    try:
        return read(text)
    except Unreadable:
        return None


def refusal(found: Assertion, issuer: OidcIssuer) -> NotGenuine | None:
    try:
        verify(found, issuer.keys, now=NOW)
    except NotGenuine as error:
        return error
    return None


@given(st.text(max_size=60) | st.from_regex(r"[\w-]*\.[\w-]*\.[\w-]*", fullmatch=True))
def test_any_text_is_a_token_or_told_not_to_be(text: str) -> None:
    assert read_or_none(text) is None


@given(header=parts, claims=parts | json_values)
def test_any_claims_are_read_or_refused_and_never_believed(header: Any, claims: Any) -> None:
    found = read_or_none(f"{encoded(header)}.{encoded(claims)}.AAAA")
    if found is None:
        return
    assert found.algorithm in ALGORITHMS
    assert found.issuer == claims["iss"]
    assert len(found.digest) == 64
    with pytest.raises(NotGenuine):
        verify(found, OidcIssuer("https://ci.example.com").keys, now=NOW)


@given(times=st.fixed_dictionaries({}, optional=dict.fromkeys(("exp", "iat", "nbf"), json_values)))
def test_any_signed_times_hold_or_do_not(times: dict[str, Any]) -> None:
    issuer = OidcIssuer("https://ci.example.com")
    claims = {name: github_claims(issuer.url)[name] for name in ("iss", "sub", "aud", "jti")}
    found = read(raw_signed(issuer, claims | times))
    refused = refusal(found, issuer)
    assert refused.is_signed if refused else found.until > NOW


@pytest.mark.parametrize(
    ("moment", "holds"),
    [
        (-LEEWAY - 1, False),
        (-LEEWAY, True),
        (600 + LEEWAY - 1, True),
        (600 + LEEWAY, False),
    ],
)
def test_a_token_holds_from_its_beginning_to_its_end(moment: int, holds: bool) -> None:
    issuer = OidcIssuer("https://ci.example.com")
    times = {"iat": NOW, "nbf": NOW, "exp": NOW + 600}
    found = read(issuer.github(**times))
    if holds:
        verify(found, issuer.keys, now=NOW + moment)
    else:
        with pytest.raises(NotGenuine):
            verify(found, issuer.keys, now=NOW + moment)


def test_only_the_signature_does_not_tell_tokens_apart() -> None:
    issuer = OidcIssuer("https://ci.example.com")
    claims = github_claims(issuer.url)
    plain = {name: value for name, value in claims.items() if name != "jti"}
    token = issuer.sign(plain)
    other_signature = token.rpartition(".")[0] + ".AAAA"
    assert read(token).digest == read(other_signature).digest
    assert read(token).digest != read(issuer.sign(plain | {"sub": "x"})).digest
    assert read(issuer.sign(claims)).digest == read(issuer.sign(claims | {"sub": "x"})).digest
    elsewhere = claims | {"iss": "https://other.example.com"}
    assert read(issuer.sign(claims)).digest != read(issuer.sign(elsewhere)).digest


def test_a_token_shows_itself_in_no_log() -> None:
    token = OidcIssuer("https://ci.example.com").github()
    assert token not in repr(read(token))


def raw_signed(issuer: OidcIssuer, claims: dict[str, Any]) -> str:
    """Signed whatever they are: PyJWT's `encode` would not sign such times."""
    from jwt import PyJWS

    return PyJWS().encode(
        json.dumps(claims).encode(), issuer._private, "RS256", {"kid": issuer.keys[0]["kid"]}
    )
