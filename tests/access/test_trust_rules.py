"""Who may let a CI system's tokens become a machine's secrets, and which rules nobody may make."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError

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
from access.policy import rights_of
from access.shortcuts import actor_of
from access.trust_rules import (
    Terms,
    change_rule,
    create_rule,
    disable_rule,
    enable_rule,
    remove_rule,
    visible_rules,
)
from tests.fakes import doors

pytestmark = pytest.mark.django_db
TERMS = Terms(
    issuer="https://token.actions.githubusercontent.com",
    audience="https://portolan.example.com",
    subject="repo:acme/shop:ref:refs/heads/main",
)


@pytest.fixture
def team(db: None) -> Team:
    return Team.objects.create(name="platform")


@pytest.fixture
def machine(team: Team) -> ServicePrincipal:
    made = ServicePrincipal.objects.create(name="ci", team=team)
    Grant.objects.create(service_principal=made, role=Role.objects.get(name="pusher"))
    return made


@pytest.fixture
def maintainer(outsider: User, team: Team) -> User:
    Membership.objects.create(team=team, user=outsider, is_maintainer=True)
    return outsider


@pytest.fixture
def member(team: Team) -> User:
    user = User.objects.create_user("mia")
    Membership.objects.create(team=team, user=user)
    return user


@pytest.fixture
def maintainer_elsewhere(db: None) -> User:
    user = User.objects.create_user("emil")
    other = Team.objects.create(name="other")
    Membership.objects.create(team=other, user=user, is_maintainer=True)
    return user


@pytest.fixture
def doorkeeper(db: None) -> User:
    """Manages access everywhere, and may do nothing else: he could not grant what the machine has."""
    user = User.objects.create_user("dora")
    role = Role.objects.create(name="doorkeeper", label="Doorkeeper", actions=["access manage"])
    Grant.objects.create(user=user, role=role)
    return user


@pytest.fixture
def rule(machine: ServicePrincipal) -> TrustRule:
    return TrustRule.objects.create(
        name="shop",
        service_principal=machine,
        issuer=TERMS.issuer,
        audience=TERMS.audience,
        subject=TERMS.subject,
    )


def asking(user: User) -> dict[str, Any]:
    return {"rights": rights_of(user), "maintainer": user, "actor": actor_of(user)}


def make(machine: ServicePrincipal, user: User, **changes: Any) -> TrustRule:
    terms = replace(TERMS, **changes)
    return create_rule(name="shop", machine=machine, terms=terms, **asking(user))


def last_entry() -> AuditEntry:
    return AuditEntry.objects.latest("number")


def test_an_owner_makes_a_rule_and_the_log_remembers(
    owner: User, machine: ServicePrincipal
) -> None:
    made = make(machine, owner, lifetime_minutes=5)
    assert (made.service_principal, made.subject, made.lifetime_minutes) == (
        machine,
        TERMS.subject,
        5,
    )
    entry = last_entry()
    assert (entry.event, entry.target) == ("trust rule created", "shop sp:ci")
    assert entry.new is not None
    assert entry.new["subject"] == TERMS.subject


# Who ---------------------------------------------------------------------------------------------


def test_a_maintainer_of_the_machines_team_keeps_its_rules(
    maintainer: User, machine: ServicePrincipal
) -> None:
    rule = make(machine, maintainer)
    changed = change_rule(rule, terms=replace(TERMS, lifetime_minutes=5), **asking(maintainer))
    assert changed.lifetime_minutes == 5
    disable_rule(rule, **asking(maintainer))
    enable_rule(rule, **asking(maintainer))
    remove_rule(rule, **asking(maintainer))
    assert not TrustRule.objects.exists()


@pytest.mark.parametrize("who", ["viewer", "member", "maintainer_elsewhere"])
def test_nobody_else_does(request: pytest.FixtureRequest, who: str, rule: TrustRule) -> None:
    user = request.getfixturevalue(who)
    for act in (disable_rule, enable_rule, remove_rule):
        with pytest.raises(PermissionDenied):
            act(rule, **asking(user))
    with pytest.raises(PermissionDenied):
        change_rule(rule, terms=TERMS, **asking(user))
    with pytest.raises(PermissionDenied):
        create_rule(name="mine", machine=rule.service_principal, terms=TERMS, **asking(user))
    assert TrustRule.objects.get().disabled_at is None


def test_who_could_not_grant_what_a_machine_has_stops_its_rules_and_makes_none(
    doorkeeper: User, rule: TrustRule
) -> None:
    """A rule is a way to the machine's secrets: making one would be a way around the grants."""
    with pytest.raises(PermissionDenied):
        create_rule(name="mine", machine=rule.service_principal, terms=TERMS, **asking(doorkeeper))
    with pytest.raises(PermissionDenied):
        change_rule(rule, terms=replace(TERMS, subject="repo:dora/x:y"), **asking(doorkeeper))
    assert disable_rule(rule, **asking(doorkeeper)).disabled_at is not None
    with pytest.raises(PermissionDenied):
        enable_rule(rule, **asking(doorkeeper))
    remove_rule(rule, **asking(doorkeeper))


def test_everybody_sees_the_rules_of_his_teams_machines(
    owner: User, member: User, maintainer_elsewhere: User, viewer: User, rule: TrustRule
) -> None:
    def seen(user: User) -> list[TrustRule]:
        return list(visible_rules(user, rights_of(user)))

    assert seen(owner) == seen(member) == [rule]
    assert seen(maintainer_elsewhere) == seen(viewer) == []


def test_only_who_connects_registries_sends_portolan_into_private_networks(
    owner: User, maintainer: User, machine: ServicePrincipal
) -> None:
    with pytest.raises(PermissionDenied):
        make(machine, maintainer, allow_private=True)
    inside: dict[str, Any] = {
        "issuer": "https://gitlab.corp.example",
        "subject": "project_path:acme/*",
    }
    rule = make(machine, owner, allow_private=True, **inside)
    terms = replace(TERMS, allow_private=True, **inside)
    changed = change_rule(rule, terms=replace(terms, lifetime_minutes=5), **asking(maintainer))
    assert changed.lifetime_minutes == 5
    with pytest.raises(PermissionDenied):  # what was allowed for one issuer is not for another
        change_rule(rule, terms=replace(terms, issuer="http://10.0.0.1"), **asking(maintainer))


# What --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"subject": "*"}, "subject"),
        ({"subject": ""}, "subject"),
        ({"subject": "repo:*"}, "subject"),
        ({"subject": "repo:acme*"}, "subject"),
        ({"subject": "repo:acme/" + "x" * 512}, "subject"),
        ({"issuer": "http://ci.example.com", "subject": "x"}, "issuer"),
        ({"issuer": "ftp://ci.example.com", "subject": "x"}, "issuer"),
        ({"issuer": "https://a:b@ci.example.com", "subject": "x"}, "issuer"),
        ({"issuer": "https://[::1"}, "issuer"),
        ({"issuer": "https://[]@"}, "issuer"),
        ({"audience": ""}, "audience"),
        ({"audience": "*"}, "audience"),
        ({"audience": " x"}, "audience"),
        ({"audience": "x\ny"}, "audience"),
        ({"ca_certificate": "no certificate"}, "ca_certificate"),
        ({"ca_certificate": "-----BEGIN CERTIFICATE-----\né"}, "ca_certificate"),
    ],
)
def test_rules_that_nobody_can_mean_are_refused(
    owner: User, machine: ServicePrincipal, changes: dict[str, Any], field: str
) -> None:
    with pytest.raises(ValidationError) as caught:
        make(machine, owner, **changes)
    assert field in caught.value.message_dict
    assert not TrustRule.objects.exists()


@pytest.mark.parametrize("minutes", [0, 61])
def test_a_secret_lives_between_a_minute_and_an_hour(
    owner: User, machine: ServicePrincipal, minutes: int
) -> None:
    with pytest.raises(ValidationError, match="Between 1 and 60"):
        make(machine, owner, lifetime_minutes=minutes)


@pytest.mark.parametrize("name", ["Shop", "shop_x", "", "-", "a" * 64])
def test_a_name_is_one_for_commands(owner: User, machine: ServicePrincipal, name: str) -> None:
    with pytest.raises(ValidationError) as caught:
        create_rule(name=name, machine=machine, terms=TERMS, **asking(owner))
    assert "name" in caught.value.message_dict


def test_a_name_is_given_once(owner: User, rule: TrustRule) -> None:
    with pytest.raises(ValidationError, match="already exists"):
        make(rule.service_principal, owner)


def test_an_own_authority_is_kept(owner: User, machine: ServicePrincipal, tmp_path: Path) -> None:
    _context, pem = doors.certificate(tmp_path, days=5)
    assert make(machine, owner, ca_certificate=pem).ca_certificate == pem


def test_a_change_is_judged_like_a_new_rule_and_told_with_old_and_new(
    owner: User, rule: TrustRule
) -> None:
    with pytest.raises(ValidationError):
        change_rule(rule, terms=replace(TERMS, subject="repo:*"), **asking(owner))
    change_rule(rule, terms=replace(TERMS, subject="repo:acme/*"), **asking(owner))
    entry = last_entry()
    assert entry.event == "trust rule changed"
    assert entry.old == {"subject": TERMS.subject}
    assert entry.new is not None
    assert entry.new["subject"] == "repo:acme/*"


def test_what_changes_nothing_is_not_told(owner: User, rule: TrustRule) -> None:
    before = last_entry().number if AuditEntry.objects.exists() else 0
    change_rule(rule, terms=TERMS, **asking(owner))
    enable_rule(rule, **asking(owner))
    assert (last_entry().number if AuditEntry.objects.exists() else 0) == before


def test_a_removed_rule_is_told_with_what_it_was(owner: User, rule: TrustRule) -> None:
    remove_rule(rule, **asking(owner))
    entry = last_entry()
    assert (entry.event, entry.target) == ("trust rule removed", "shop sp:ci")
    assert entry.old is not None
    assert entry.old["subject"] == TERMS.subject
