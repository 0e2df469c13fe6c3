"""Tokens that buy nothing: no rule takes them, or they do not prove what they say."""

from __future__ import annotations

import base64
import json
import time
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from access.models import Secret, ServicePrincipal, TrustRule
from access.tokens.assertions import LEEWAY, LONGEST, LONGEST_LIFE
from tests.access.tokens.exchanging import last_entry, post, refusal
from tests.fakes.oidc_issuer import (
    AUDIENCE,
    GITHUB_SUBJECT,
    RSA_KEYS,
    SHORT_RSA,
    OidcIssuer,
    github_claims,
)

# Far enough from the moment when tests are collected: a slow run ends half an hour later.
DAY = 86_400
pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("changes", "because"),
    [
        ({"iss": "https://token.actions.githubusercontent.com"}, "no rule for this issuer"),
        ({"aud": "https://github.com/acme"}, "another audience"),
        ({"aud": [AUDIENCE + "/"]}, "another audience"),
        ({"sub": "repo:acme/shop-two:ref:refs/heads/main"}, "another subject"),
        ({"sub": "repo:acme/shop:pull_request"}, "another subject"),
    ],
)
def test_what_no_rule_takes_asks_nobody_and_is_refused(
    client: Client, issuer: OidcIssuer, rule: TrustRule, changes: dict[str, Any], because: str
) -> None:
    response = post(client, issuer.github(**changes))
    assert response.status_code == 400
    assert response.json()["error"] == "invalid_request"
    assert because not in response.content.decode()
    assert issuer.requests == []
    entry = last_entry()
    assert entry.event == "exchange refused"
    assert entry.new is not None
    assert entry.new["because"] == because
    assert not Secret.objects.exists()


@pytest.mark.parametrize("claim", ["iss", "sub", "aud", "jti"])
def test_a_claim_that_no_database_stores_is_refused_as_others_are(
    client: Client, issuer: OidcIssuer, rule: TrustRule, claim: str
) -> None:
    changes = {"iss": "https://other.example.com"} | {claim: "https://a\0"}
    response = post(client, issuer.github(**changes), client_id="ci\0")
    assert (response.status_code, response.json()["error"]) == (400, "invalid_request")
    assert last_entry().event == "exchange refused"


@pytest.mark.parametrize("what", ["rule", "machine"])
def test_what_is_disabled_takes_nothing(issuer: OidcIssuer, rule: TrustRule, what: str) -> None:
    switched = rule if what == "rule" else rule.service_principal
    switched.disabled_at = timezone.now()
    switched.save()
    assert refusal(issuer.github()).because == f"the {what} is disabled"
    assert issuer.requests == []


def test_a_machine_disabled_while_the_issuer_answers_gets_nothing(
    issuer: OidcIssuer, rule: TrustRule, monkeypatch: pytest.MonkeyPatch
) -> None:
    def disabled_meanwhile(*_args: object, **_options: object) -> None:
        ServicePrincipal.objects.update(disabled_at=timezone.now())

    monkeypatch.setattr("access.tokens.exchange.prove", disabled_meanwhile)
    assert refusal(issuer.github()).because == "the machine is disabled"


@pytest.mark.parametrize("change", ["issuer", "gone"])
def test_a_rule_changed_while_the_issuer_answers_gives_nothing(
    issuer: OidcIssuer, rule: TrustRule, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    def changed_meanwhile(*_args: object, **_options: object) -> None:
        if change == "gone":
            TrustRule.objects.all().delete()
        else:
            TrustRule.objects.update(issuer="https://other.example.com")

    monkeypatch.setattr("access.tokens.exchange.prove", changed_meanwhile)
    assert "changed" in refusal(issuer.github()).because


def test_no_signature_is_no_token(issuer: OidcIssuer, rule: TrustRule) -> None:
    refusal(issuer.unsigned())
    assert issuer.requests == []


def test_a_public_key_is_no_shared_secret(issuer: OidcIssuer, rule: TrustRule) -> None:
    refusal(issuer.signed_with_the_public_key())


def test_a_token_changed_by_a_letter_is_refused(issuer: OidcIssuer, rule: TrustRule) -> None:
    head, _dot, signature = issuer.github(sub="repo:acme/shop:ref:refs/heads/x").rpartition(".")
    claims = head.split(".")[1]
    other = json.loads(base64.urlsafe_b64decode(claims + "=="))
    other["sub"] = GITHUB_SUBJECT
    forged = base64.urlsafe_b64encode(json.dumps(other).encode()).rstrip(b"=").decode()
    refused = refusal(f"{head.split('.')[0]}.{forged}.{signature}")
    assert refused.because == "the signature is not the issuer's"


def test_another_key_of_the_same_name_is_refused(issuer: OidcIssuer, rule: TrustRule) -> None:
    impostor = OidcIssuer(issuer.url)
    impostor.sign_with(RSA_KEYS[1])
    token = impostor.sign(github_claims(issuer.url), kid=issuer.keys[0]["kid"])
    assert refusal(token).because == "the signature is not the issuer's"


def test_a_key_in_the_token_itself_is_not_believed(issuer: OidcIssuer, rule: TrustRule) -> None:
    impostor = OidcIssuer(issuer.url)
    impostor.sign_with(RSA_KEYS[1])
    public = impostor.keys[-1]
    with_key = impostor.sign(github_claims(issuer.url), jwk=public, jku="http://127.0.0.1:1/keys")
    assert "no key of this id" in refusal(with_key).because


@pytest.mark.parametrize(
    ("parts", "because"),
    [
        ({"use": "enc"}, "no key of this id"),
        ({"alg": "RS512"}, "no key of this id"),
        ({"kty": "EC"}, "no key of this id"),
        ({"kty": "oct", "k": "c2VjcmV0"}, "no key of this id"),
        ({"n": "AQAB"}, "signature"),
        ({"n": 5}, "signature"),
        ({"e": None}, "signature"),
    ],
)
def test_a_key_verifies_only_what_it_is_for(
    issuer: OidcIssuer, rule: TrustRule, parts: dict[str, Any], because: str
) -> None:
    issuer.sign_with(RSA_KEYS[1], **parts)
    assert because in refusal(issuer.github()).because


@pytest.mark.filterwarnings("ignore::jwt.warnings.InsecureKeyLengthWarning")
def test_a_key_that_is_too_short_is_no_key(issuer: OidcIssuer, rule: TrustRule) -> None:
    issuer.sign_with(SHORT_RSA)
    assert "signature" in refusal(issuer.github()).because


def test_an_unknown_key_is_refused_and_looked_for_once(issuer: OidcIssuer, rule: TrustRule) -> None:
    for number in range(5):
        token = issuer.sign(github_claims(issuer.url), kid=f"made up {number}")
        assert "no key of this id" in refusal(token).because
    assert issuer.requests.count("/keys") == 1


@pytest.mark.parametrize(
    ("changes", "because"),
    [
        ({"exp": time.time() - LEEWAY - 5}, "it has expired"),
        ({"nbf": time.time() + DAY}, "it is not valid yet"),
        ({"iat": time.time() + DAY, "nbf": None}, "it is not valid yet"),
        ({"exp": None}, "when it was issued and ends"),
        ({"iat": None}, "when it was issued and ends"),
        ({"exp": "9999999999"}, "when it was issued and ends"),
        ({"exp": True}, "when it was issued and ends"),
        ({"exp": time.time() + LONGEST_LIFE + DAY}, "longer than a job's"),
        ({"exp": 1e300}, "longer than a job's"),
        ({"nbf": [1]}, "when it was issued and ends"),
    ],
)
def test_a_token_out_of_its_time_is_refused(
    issuer: OidcIssuer, rule: TrustRule, changes: dict[str, Any], because: str
) -> None:
    claims = {
        name: value
        for name, value in (github_claims(issuer.url) | changes).items()
        if value is not None
    }
    refused = refusal(issuer.sign(claims))
    assert because in refused.because
    assert "does not hold" in str(refused)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a.b",
        "a.b.c.d",
        "..",
        "bm9uZQ.bm9uZQ.bm9uZQ",
        "é.é.é",
        "eyJhbGciOiJSUzI1NiJ9.W10.x",  # claims that are a list
        "x" * (LONGEST + 1),
        base64.urlsafe_b64encode(b"[" * 5000).decode() + ".e30.x",
    ],
)
def test_what_is_no_token_is_told_so(rule: TrustRule, text: str) -> None:
    assert refusal(text).because == "no token of a CI system"


@pytest.mark.parametrize("changes", [{"sub": None}, {"aud": None}, {"aud": [5]}, {"iss": None}])
def test_a_token_that_does_not_say_enough_is_none(
    issuer: OidcIssuer, rule: TrustRule, changes: dict[str, Any]
) -> None:
    refusal(issuer.github(**changes))


@pytest.mark.parametrize("header", [{"crit": ["exp"]}, {"b64": False, "crit": ["b64"]}])
def test_extensions_that_nobody_knows_are_refused(
    issuer: OidcIssuer, rule: TrustRule, header: dict[str, Any]
) -> None:
    part = base64.urlsafe_b64encode(json.dumps({"alg": "RS256"} | header).encode()).rstrip(b"=")
    _head, claims, signature = issuer.github().split(".")
    refusal(f"{part.decode()}.{claims}.{signature}")
    assert issuer.requests == []


def test_a_header_deeper_than_any_parser_goes_is_refused(
    issuer: OidcIssuer, rule: TrustRule
) -> None:
    deep = '{"alg":"RS256","x":' + "[" * 1000 + "]" * 1000 + "}"
    part = base64.urlsafe_b64encode(deep.encode()).rstrip(b"=").decode()
    _head, claims, signature = issuer.github().split(".")
    refusal(f"{part}.{claims}.{signature}")
