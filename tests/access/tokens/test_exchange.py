"""A CI system's token becomes a machine's secret, if a rule takes it and its issuer signed it."""

from __future__ import annotations

import base64
import json
import logging
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.utils import timezone

from access import secrets
from access.models import AuditEntry, Role, Secret, ServicePrincipal, SpentToken, TrustRule
from access.tasks import forget_exchanged_secrets
from access.tokens import limits
from access.tokens.assertions import LEEWAY, LONGEST, LONGEST_LIFE
from access.tokens.exchange import Refused, exchange
from tests import catalog
from tests.access.tokens import asking
from tests.fakes.oidc_issuer import (
    AUDIENCE,
    GITHUB_SUBJECT,
    RSA_KEYS,
    SHORT_RSA,
    OidcIssuer,
    github_claims,
)

pytestmark = pytest.mark.django_db
ADDRESS = "/auth/token/exchange"


def post(client: Client, token: str, **changes: Any) -> Any:
    fields = {
        "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
        "subject_token": token,
        "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
    }
    return client.post(ADDRESS, fields | changes)


def refusal(token: str, **options: str) -> Refused:
    with pytest.raises(Refused) as caught:
        exchange(token, **options)
    assert not Secret.objects.exists()
    return caught.value


def last_entry() -> AuditEntry:
    return AuditEntry.objects.latest("number")


# It works ----------------------------------------------------------------------------------------


def test_a_job_of_github_gets_a_secret_of_the_machine(
    client: Client, issuer: OidcIssuer, rule: TrustRule
) -> None:
    response = post(client, issuer.github())
    assert response.status_code == 200, response.content
    assert response.headers["Cache-Control"] == "no-store"
    answer = response.json()
    presented = secrets.parse(answer.pop("access_token"))
    assert answer == {
        "issued_token_type": "urn:ietf:params:oauth:token-type:access_token",
        "token_type": "Bearer",
        "expires_in": 15 * 60,
        "username": "ci",
    }
    secret = Secret.objects.get()
    assert presented is not None
    assert presented.kind == secret.kind == Secret.Kind.EXCHANGED
    assert presented.matches(secret.digest)
    assert (secret.service_principal, secret.label) == (rule.service_principal, "shop-main")
    left = secret.expires_at - timezone.now()  # type: ignore[operator]  # exchanged ones end
    assert timedelta(minutes=14) < left <= timedelta(minutes=15)


def test_the_secret_logs_in_to_docker_as_the_machine_and_no_longer_than_it_lives(
    client: Client, issuer: OidcIssuer, rule: TrustRule
) -> None:
    registry = catalog.registry("harbour")
    rule.service_principal.grants.create(role=Role.objects.get(name="pusher"), registry=registry)
    made = exchange(issuer.github())
    who = (made.username, made.text)
    answer = asking.get(client, "repository:shop/web:pull,push", who)
    assert asking.access(client, answer) == {"repository:shop/web": ["pull", "push"]}
    Secret.objects.update(expires_at=timezone.now())
    assert asking.get(client, "repository:shop/web:pull", who).status_code == 401


def test_a_job_of_gitlab_gets_one_too(issuer: OidcIssuer, rule: TrustRule) -> None:
    rule.subject = "project_path:acme/*:ref_type:branch:ref:main"
    rule.save()
    assert exchange(issuer.gitlab()).username == "ci"


def test_a_secret_lives_as_long_as_its_rule_says(issuer: OidcIssuer, rule: TrustRule) -> None:
    rule.lifetime_minutes = 1
    rule.save()
    assert exchange(issuer.github()).expires_in == 60
    expires = Secret.objects.get().expires_at
    assert expires is not None
    assert expires <= timezone.now() + timedelta(minutes=1)


def test_the_log_says_which_job_got_which_secret(issuer: OidcIssuer, rule: TrustRule) -> None:
    exchange(issuer.github())
    entry = last_entry()
    assert (entry.event, entry.target) == ("token exchanged", "shop-main sp:ci")
    assert (entry.actor_kind, entry.actor_label) == ("service_principal", "ci")
    assert entry.new is not None
    assert entry.new["subject"] == GITHUB_SUBJECT
    assert entry.new["key_id"] == Secret.objects.get().key_id
    rule.refresh_from_db()
    assert rule.last_used_at is not None


@pytest.mark.parametrize(
    ("key", "algorithm"),
    [
        (RSA_KEYS[1], "RS512"),
        (RSA_KEYS[1], "PS256"),
        (ec.generate_private_key(ec.SECP256R1()), "ES256"),
        (ec.generate_private_key(ec.SECP384R1()), "ES384"),
        (ec.generate_private_key(ec.SECP521R1()), "ES512"),
        (ed25519.Ed25519PrivateKey.generate(), "EdDSA"),
    ],
)
def test_all_usual_kinds_of_keys_verify(
    issuer: OidcIssuer, rule: TrustRule, key: Any, algorithm: str
) -> None:
    issuer.sign_with(key, algorithm)
    assert exchange(issuer.github()).username == "ci"


def test_a_token_without_a_key_id_is_held_against_all_keys(
    issuer: OidcIssuer, rule: TrustRule
) -> None:
    issuer.sign_with(RSA_KEYS[1])
    assert exchange(issuer.sign(github_claims(issuer.url), kid=None)).username == "ci"


def test_one_of_several_audiences_will_do(issuer: OidcIssuer, rule: TrustRule) -> None:
    assert exchange(issuer.github(aud=["https://other.example.com", AUDIENCE]))


def test_keys_are_rotated_without_anybody_noticing(
    issuer: OidcIssuer, rule: TrustRule, monkeypatch: pytest.MonkeyPatch
) -> None:
    exchange(issuer.github())
    monkeypatch.setattr("access.tokens.issuers.AGAIN_SECONDS", 0.0)
    issuer.rotate()
    assert exchange(issuer.github())


# Which rule --------------------------------------------------------------------------------------


def test_the_rule_that_says_most_is_taken(issuer: OidcIssuer, rule: TrustRule) -> None:
    TrustRule.objects.create(
        name="all-of-acme",
        service_principal=rule.service_principal,
        issuer=issuer.url,
        audience=AUDIENCE,
        subject="repo:acme/*",
        lifetime_minutes=60,
        allow_private=True,
    )
    assert exchange(issuer.github()).expires_in == 15 * 60


def test_a_token_for_several_machines_names_the_one_it_wants(
    client: Client, issuer: OidcIssuer, rule: TrustRule
) -> None:
    TrustRule.objects.create(
        name="other",
        service_principal=ServicePrincipal.objects.create(name="cd"),
        issuer=issuer.url,
        audience=AUDIENCE,
        subject="repo:acme/*",
        allow_private=True,
    )
    token = issuer.github()
    response = post(client, token)
    assert response.status_code == 400
    assert "cd, ci" in response.json()["error_description"]
    assert post(client, token, client_id="nobody").status_code == 400
    assert post(client, token, client_id="cd").json()["username"] == "cd"


# It does not -------------------------------------------------------------------------------------


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
        ({"nbf": time.time() + 3600}, "it is not valid yet"),
        ({"iat": time.time() + 3600, "nbf": None}, "it is not valid yet"),
        ({"exp": None}, "when it was issued and ends"),
        ({"iat": None}, "when it was issued and ends"),
        ({"exp": "9999999999"}, "when it was issued and ends"),
        ({"exp": True}, "when it was issued and ends"),
        ({"exp": time.time() + LONGEST_LIFE + 600}, "longer than a job's"),
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


# Once --------------------------------------------------------------------------------------------


def test_a_token_buys_one_secret(issuer: OidcIssuer, rule: TrustRule) -> None:
    token = issuer.github()
    exchange(token)
    with pytest.raises(Refused, match="exchanged already") as caught:
        exchange(token)
    assert caught.value.because == "it was exchanged already"
    assert Secret.objects.count() == 1


def test_a_token_without_an_id_buys_one_secret_too(issuer: OidcIssuer, rule: TrustRule) -> None:
    issuer.sign_with(ec.generate_private_key(ec.SECP256R1()), "ES256")
    claims = github_claims(issuer.url) | {"jti": None}
    first = issuer.sign(claims)
    again = issuer.sign(claims)
    assert first != again  # signed anew: the same content under another signature
    exchange(first)
    with pytest.raises(Refused, match="exchanged already"):
        exchange(again)


def test_an_id_is_its_issuers_own(issuer: OidcIssuer, rule: TrustRule) -> None:
    exchange(issuer.github(jti="1"))
    with pytest.raises(Refused, match="exchanged already"):
        exchange(issuer.github(jti="1"))
    assert exchange(issuer.github(jti="2"))


@pytest.mark.django_db(transaction=True)
def test_of_many_who_present_it_at_once_one_gets_the_secret(
    issuer: OidcIssuer, rule: TrustRule
) -> None:
    token = issuer.github()

    def attempt(_number: int) -> str:
        try:
            return exchange(token).username
        except Refused as refused:
            return refused.because
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as pool:
        outcomes = list(pool.map(attempt, range(6)))
    assert sorted(outcomes) == ["ci"] + ["it was exchanged already"] * 5
    assert Secret.objects.count() == 1


def test_a_spent_token_is_remembered_until_nobody_could_present_it(
    issuer: OidcIssuer, rule: TrustRule
) -> None:
    exchange(issuer.github())
    forget_exchanged_secrets()
    spent = SpentToken.objects.get()
    assert spent.until > timezone.now() + timedelta(seconds=300 + LEEWAY - 10)
    SpentToken.objects.update(until=timezone.now())
    forget_exchanged_secrets()
    assert not SpentToken.objects.exists()


# The issuer --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "trouble", [{"status": 500}, {"calls_itself": "https://evil.example.com"}, {"body": b"x"}]
)
def test_an_issuer_in_trouble_is_a_try_again(
    client: Client, issuer: OidcIssuer, rule: TrustRule, trouble: dict[str, Any]
) -> None:
    for name, value in trouble.items():
        setattr(issuer, name, value)
    response = post(client, issuer.github())
    assert response.status_code == 503
    assert response.headers["Retry-After"]
    assert response.json()["error"] == "temporarily_unavailable"
    assert last_entry().new["rule"] == "shop-main"  # type: ignore[index]  # refusals say the rule


def test_a_private_issuer_is_not_asked_unless_the_rule_allows_it(
    issuer: OidcIssuer, rule: TrustRule
) -> None:
    rule.allow_private = False
    rule.save()
    refusal(issuer.github())
    assert issuer.requests == []


# The request -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"subject_token": ""}, "invalid_request"),
        ({"subject_token": ["a", "b"]}, "invalid_request"),
        ({"subject_token_type": "urn:ietf:params:oauth:token-type:saml2"}, "invalid_request"),
        ({"requested_token_type": "urn:ietf:params:oauth:token-type:jwt"}, "invalid_request"),
        ({"actor_token": "x"}, "invalid_request"),
        ({"scope": "repository:a:pull"}, "invalid_scope"),
    ],
)
def test_a_request_that_is_no_exchange_is_told_what_to_send(
    client: Client, issuer: OidcIssuer, rule: TrustRule, changes: dict[str, Any], error: str
) -> None:
    response = post(client, issuer.github(), **changes)
    assert (response.status_code, response.json()["error"]) == (400, error)
    assert not Secret.objects.exists()


def test_a_token_belongs_into_the_body(client: Client, issuer: OidcIssuer, rule: TrustRule) -> None:
    assert client.get(ADDRESS, {"subject_token": issuer.github()}).status_code == 405
    response = client.post(f"{ADDRESS}?subject_token={issuer.github()}")
    assert response.status_code == 400
    assert not Secret.objects.exists()


def test_jobs_have_no_cookies_and_need_none(issuer: OidcIssuer, rule: TrustRule) -> None:
    assert post(Client(enforce_csrf_checks=True), issuer.github()).status_code == 200


# Strangers ---------------------------------------------------------------------------------------


def test_many_refusals_are_slowed_down_and_a_good_token_is_not(
    client: Client, issuer: OidcIssuer, rule: TrustRule
) -> None:
    statuses = [post(client, "nonsense").status_code for _ in range(limits.FREE_OF_ACCOUNT + 2)]
    assert statuses[: limits.FREE_OF_ACCOUNT] == [400] * limits.FREE_OF_ACCOUNT
    assert statuses[-1] == 429
    assert int(post(client, "nonsense").headers["Retry-After"]) >= 1
    assert post(client, issuer.github()).status_code == 200


def test_nobody_fills_the_log_from_outside(
    client: Client, issuer: OidcIssuer, rule: TrustRule
) -> None:
    entries = AuditEntry.objects.filter(event="exchange refused")
    before = entries.count()
    for number in range(limits.STRANGERS_REFUSALS + 5):
        post(client, issuer.github(sub=f"repo:evil/{number}:x"))
    assert entries.count() == before + limits.STRANGERS_REFUSALS
    cache.clear()
    for _ in range(3):
        post(client, issuer.github(sub="repo:evil/same:x"))
    assert entries.count() == before + limits.STRANGERS_REFUSALS + 1


def test_without_redis_jobs_go_on(
    client: Client, issuer: OidcIssuer, rule: TrustRule, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_args: object, **_options: object) -> None:
        raise ConnectionError

    for name in ("add", "incr", "get_many"):
        monkeypatch.setattr(cache, name, fail)
    assert post(client, "nonsense").status_code == 400
    assert post(client, issuer.github()).status_code == 200


def test_no_token_and_no_secret_gets_into_a_log(
    client: Client, issuer: OidcIssuer, rule: TrustRule, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    good, bad = issuer.github(), issuer.github(aud="x")
    secret = post(client, good).json()["access_token"]
    post(client, bad)
    told = "".join(
        json.dumps([entry.old, entry.new, entry.target]) for entry in AuditEntry.objects.all()
    )
    for text in (good, bad, secret):
        for written in (caplog.text, told):
            assert text not in written
            assert text.rpartition(".")[2][-40:] not in written
