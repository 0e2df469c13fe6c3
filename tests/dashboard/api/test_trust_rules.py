"""Trust rules by API."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext

from access.models import (
    AuditEntry,
    Grant,
    Membership,
    Role,
    ServicePrincipal,
    Team,
    TrustRule,
    User,
)
from access.tokens.issuers import STORE
from tests import catalog
from tests.cast import signed_in
from tests.dashboard.api.client import Api
from tests.fakes.oidc_issuer import AUDIENCE, GITHUB_SUBJECT, serving
from tests.reassured import reassured

pytestmark = pytest.mark.django_db
ADDRESS = "/trust-rules"
TERMS = {
    "issuer": "https://ci.example.com",
    "audience": "portolan",
    "subject": "repo:acme/shop:*",
}
BODY = {"name": "deploy", "service_principal": "ci", **TERMS}


@pytest.fixture(autouse=True)
def no_keys_remembered() -> Iterator[None]:
    yield
    STORE.forget()


@pytest.fixture
def rule(machine: ServicePrincipal) -> TrustRule:
    return TrustRule.objects.create(name="deploy", service_principal=machine, **TERMS)


def names(api: Api, **query: Any) -> list[str]:
    return [row["name"] for row in api.get(ADDRESS, **query).json()["items"]]


def events() -> list[str]:
    found = AuditEntry.objects.filter(event__startswith="trust rule").order_by("number")
    return [entry.event for entry in found]


def test_a_rule_is_made_with_this_servers_address_as_its_audience(
    api_owner: Api, machine: ServicePrincipal
) -> None:
    made = api_owner.post(ADDRESS, {k: v for k, v in BODY.items() if k != "audience"})
    assert made.status_code == 201
    assert made.json()["audience"] == settings.PUBLIC_URL
    assert (made.json()["service_principal"], made.json()["lifetime_minutes"]) == ("ci", 15)
    assert made.headers["Location"].endswith("/trust-rules/deploy")
    assert events() == ["trust rule created"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("subject", "*"),
        ("issuer", "nowhere"),
        ("issuer", "https://[::1"),
        ("audience", "*"),
        ("lifetime_minutes", 61),
        ("service_principal", "nobody"),
        ("ca_certificate", "none"),
        ("ca_certificate", "né"),
        ("name", "Not A Name"),
    ],
)
def test_what_would_let_in_too_much_is_refused_by_field(
    api_owner: Api, machine: ServicePrincipal, field: str, value: object
) -> None:
    refused = api_owner.post(ADDRESS, {**BODY, field: value})
    assert refused.status_code == 422
    assert [error["field"] for error in refused.json()["errors"]] == [field]


def test_only_what_is_given_changes(api_owner: Api, rule: TrustRule) -> None:
    etag = api_owner.get(f"{ADDRESS}/deploy").headers["ETag"]
    held = {"If-Match": etag}
    changed = api_owner.patch(f"{ADDRESS}/deploy", {"lifetime_minutes": 5}, headers=held)
    assert (changed.json()["lifetime_minutes"], changed.json()["subject"]) == (5, TERMS["subject"])
    assert api_owner.patch(f"{ADDRESS}/deploy", {}, headers=held).status_code == 412
    assert api_owner.patch(f"{ADDRESS}/deploy", {"name": "other"}).status_code == 422
    assert events() == ["trust rule changed"]


def test_a_rule_is_switched_and_removed(api_owner: Api, rule: TrustRule) -> None:
    assert api_owner.post(f"{ADDRESS}/deploy/disable").json()["disabled"] is True
    assert api_owner.post(f"{ADDRESS}/deploy/enable").json()["disabled"] is False
    assert api_owner.delete(f"{ADDRESS}/deploy", headers={"If-Match": '"x"'}).status_code == 412
    assert api_owner.delete(f"{ADDRESS}/deploy").status_code == 204
    assert events() == ["trust rule changed", "trust rule changed", "trust rule removed"]


def test_one_sees_the_rules_of_the_machines_that_one_sees(
    api_owner: Api, api_outsider: Api, rule: TrustRule
) -> None:
    other = ServicePrincipal.objects.create(name="other")
    TrustRule.objects.create(name="zeta", service_principal=other, **TERMS)
    assert names(api_owner) == ["deploy", "zeta"]
    assert names(api_owner, sort="-machine") == ["zeta", "deploy"]
    assert names(api_owner, service_principal="other") == ["zeta"]
    assert api_owner.get(ADDRESS, service_principal="none").status_code == 404
    assert names(api_outsider) == []
    assert api_outsider.get(f"{ADDRESS}/deploy").json() == (
        api_outsider.get(f"{ADDRESS}/nothing").json()
    )


def test_a_session_has_to_say_once_more_who_it_is(owner: User, rule: TrustRule) -> None:
    stolen = Api(client=signed_in(owner))
    assert stolen.post(ADDRESS, {**BODY, "name": "new"}).status_code == 403
    assert stolen.patch(f"{ADDRESS}/deploy", {"subject": "repo:evil/x:*"}).status_code == 403
    assert Api(client=reassured(owner)).post(ADDRESS, {**BODY, "name": "new"}).status_code == 201


def test_a_token_is_tried_and_nothing_is_issued(
    api_owner: Api, api_outsider: Api, rule: TrustRule
) -> None:
    with serving() as issuer:
        rule.issuer, rule.audience, rule.allow_private = issuer.url, AUDIENCE, True
        rule.save()
        said = api_owner.post(f"{ADDRESS}/-/trials", {"token": issuer.github()}).json()
        assert (said["holds"], said["rule"], said["is_proved"]) == (True, "deploy", True)
        assert (said["subject"], said["audiences"]) == (GITHUB_SUBJECT, [AUDIENCE])
        other = issuer.github(sub="repo:acme/x:y")
        said = api_owner.post(f"{ADDRESS}/-/trials", {"token": other}).json()
        assert (said["holds"], said["because"]) == (False, "another subject")
        assert said["rules"] == [
            {"rule": "deploy", "service_principal": "ci", "miss": "another subject"}
        ]
        asked = len(issuer.requests)
        said = api_outsider.post(f"{ADDRESS}/-/trials", {"token": issuer.github()}).json()
        assert (said["holds"], said["rule"], said["rules"]) == (False, None, [])
        assert len(issuer.requests) == asked
    assert not rule.service_principal.secrets.exists()


def test_what_is_no_token_is_refused_by_field(api_outsider: Api) -> None:
    refused = api_outsider.post(f"{ADDRESS}/-/trials", {"token": "a.b.c"})
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "token")


def test_a_list_takes_as_many_statements_for_many_as_for_one(
    api_owner: Api, rule: TrustRule
) -> None:
    counts = []
    for more in (0, 29):
        for number in range(more):
            machine = ServicePrincipal.objects.create(name=f"m{number}")
            TrustRule.objects.create(name=f"r{number}", service_principal=machine, **TERMS)
        with CaptureQueriesContext(connection) as captured:
            assert len(names(api_owner)) == more + 1
        counts.append(len(captured))
    assert counts[0] == counts[1]


def test_what_to_paste_is_for_the_rules_ci_system_and_names_a_host_that_one_may_know_of(
    api_owner: Api, outsider: User, api_outsider: Api, rule: TrustRule
) -> None:
    path = f"{ADDRESS}/deploy/snippets"
    harbour = catalog.registry("harbour", kind="distribution")
    bare = api_owner.get(path).json()  # the machine's rights count, and not those of who looks
    assert (bare["host"], [one["ci"] for one in bare["snippets"]]) == (None, ["GitHub Actions"])
    assert "registry.example.com" in bare["snippets"][0]["text"]
    role = Role.objects.get(name="pusher")
    Grant.objects.create(service_principal=rule.service_principal, role=role, registry=harbour)
    (pasted,) = api_owner.get(path).json()["snippets"]
    assert api_owner.get(path).json()["host"] == "harbour.example.com"
    for text in (f"{settings.PUBLIC_URL}/auth/token/exchange", "docker login harbour.example.com"):
        assert text in pasted["text"]
    assert api_outsider.get(path).status_code == 404
    rule.service_principal.team = Team.objects.create(name="crew")
    rule.service_principal.save()
    Membership.objects.create(team=rule.service_principal.team, user=outsider, is_maintainer=True)
    assert Api(client=signed_in(outsider)).get(path).json() == bare  # he knows of no registry
