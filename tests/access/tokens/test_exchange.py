"""A CI system's token becomes a machine's secret, if a rule takes it and its issuer signed it."""

from __future__ import annotations

import json
import logging
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
from access.tokens.assertions import LEEWAY
from access.tokens.exchange import Refused, exchange
from access.tokens.forms import MOST_BYTES
from tests import catalog
from tests.access.tokens import asking
from tests.access.tokens.exchanging import ADDRESS, last_entry, post, refusal
from tests.fakes.oidc_issuer import (
    AUDIENCE,
    GITHUB_SUBJECT,
    RSA_KEYS,
    OidcIssuer,
    github_claims,
)

pytestmark = pytest.mark.django_db


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


@pytest.mark.parametrize(
    ("kind", "length", "status"),
    [("multipart/form-data; boundary=x", 100, 400), (asking.FORM, MOST_BYTES + 1, 413)],
)
def test_strangers_are_read_nothing_of_but_short_forms(
    client: Client, kind: str, length: int, status: int
) -> None:
    response = asking.unread(client, ADDRESS, kind, length)
    assert (response.status_code, response.json()["error"]) == (status, "invalid_request")


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
