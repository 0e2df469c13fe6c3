"""What a provider says of somebody decides his teams, at every sign-in and in both directions."""

from __future__ import annotations

import logging

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from hypothesis import given
from hypothesis import strategies as st

from access import claims_to_teams
from access.claims_to_teams import follow, values_of
from access.models import AuditEntry, ClaimRule, Grant, Membership, Role, Team, User
from access.policy import rights_of
from access.shortcuts import actor_of

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def team(db: None) -> Team:
    team = Team.objects.create(name="platform")
    ClaimRule.objects.create(provider="keycloak", claim="groups", value="devs", team=team)
    return team


def teams_of(user: User) -> list[str]:
    return list(user.teams.order_by("name").values_list("name", flat=True))


def test_a_value_brings_the_team_and_its_absence_takes_it(outsider: User, team: Team) -> None:
    follow(outsider, provider="keycloak", claims={"groups": ["devs", "others"]})
    membership = outsider.memberships.get()
    assert (membership.source, membership.provider) == ("claim", "keycloak")
    assert AuditEntry.objects.latest("number").event == "member added"
    follow(outsider, provider="keycloak", claims={"groups": ["others"]})
    assert teams_of(outsider) == []
    assert AuditEntry.objects.latest("number").event == "member removed"


def test_no_claim_at_all_takes_the_team_as_well(outsider: User, team: Team) -> None:
    follow(outsider, provider="keycloak", claims={"groups": "devs"})
    assert teams_of(outsider) == ["platform"]
    follow(outsider, provider="keycloak", claims={})
    assert teams_of(outsider) == []


def test_the_same_again_changes_and_tells_nothing(outsider: User, team: Team) -> None:
    follow(outsider, provider="keycloak", claims={"groups": ["devs"]})
    told = AuditEntry.objects.count()
    follow(outsider, provider="keycloak", claims={"groups": ["devs"]})
    assert AuditEntry.objects.count() == told


def test_a_rule_is_one_providers(outsider: User, team: Team) -> None:
    follow(outsider, provider="elsewhere", claims={"groups": ["devs"]})
    assert teams_of(outsider) == []
    follow(outsider, provider="keycloak", claims={"groups": ["devs"]})
    follow(outsider, provider="elsewhere", claims={"groups": []})
    assert teams_of(outsider) == ["platform"]


def test_what_a_person_made_is_left_alone(outsider: User, team: Team) -> None:
    Membership.objects.create(team=team, user=outsider, is_maintainer=True)
    follow(outsider, provider="keycloak", claims={"groups": ["devs"]})
    follow(outsider, provider="keycloak", claims={"groups": []})
    membership = outsider.memberships.get()
    assert (membership.source, membership.is_maintainer) == ("manual", True)


def test_values_are_compared_whole_and_by_case(outsider: User, team: Team) -> None:
    for value in ("Devs", "devs ", "dev", "devs,others"):
        follow(outsider, provider="keycloak", claims={"groups": [value]})
        assert teams_of(outsider) == [], value


def test_the_last_owner_is_kept_against_the_provider(
    outsider: User, team: Team, caplog: pytest.LogCaptureFixture
) -> None:
    follow(outsider, provider="keycloak", claims={"groups": ["devs"]})
    Grant.objects.create(team=team, role=Role.objects.get(name="owner"))
    with caplog.at_level(logging.WARNING):
        follow(outsider, provider="keycloak", claims={"groups": []})
    assert teams_of(outsider) == ["platform"]
    assert "nobody else owns everything" in caplog.text


def test_groups_that_entra_leaves_out_count_as_none_and_are_logged(
    outsider: User, team: Team, caplog: pytest.LogCaptureFixture
) -> None:
    follow(outsider, provider="keycloak", claims={"groups": ["devs"]})
    with caplog.at_level(logging.WARNING):
        follow(outsider, provider="keycloak", claims={"_claim_names": {"groups": "src1"}})
    assert teams_of(outsider) == []
    assert "too many values" in caplog.text


def test_making_a_rule_is_granting_what_the_team_has(owner: User, viewer: User, team: Team) -> None:
    def making(by: User, value: str) -> ClaimRule:
        return claims_to_teams.create_rule(
            team=team,
            provider="keycloak",
            claim="groups",
            value=value,
            rights=rights_of(by),
            actor=actor_of(by),
        )

    Membership.objects.create(team=team, user=viewer, is_maintainer=True)
    with pytest.raises(PermissionDenied):
        making(viewer, "ops")
    assert making(owner, "ops")
    entry = AuditEntry.objects.latest("number")
    assert entry.new is not None
    assert "keycloak groups=ops" in entry.new["description"]
    for bad in ("ops", ""):
        with pytest.raises(ValidationError):
            making(owner, bad)


def test_removing_the_last_rule_ends_what_it_made(
    owner: User, viewer: User, outsider: User, team: Team
) -> None:
    follow(outsider, provider="keycloak", claims={"groups": ["devs"]})
    Membership.objects.create(team=team, user=viewer)
    rule = team.claim_rules.get()
    with pytest.raises(PermissionDenied):
        claims_to_teams.remove_rule(rule, rights=rights_of(viewer), actor=actor_of(viewer))
    claims_to_teams.remove_rule(rule, rights=rights_of(owner), actor=actor_of(owner))
    assert teams_of(outsider) == []
    assert teams_of(viewer) == ["platform"]


def test_a_claim_inside_another_is_found() -> None:
    claims = {"realm_access": {"roles": ["devs", 7, None]}, "a.b": "whole"}
    assert values_of(claims, "realm_access.roles") == {"devs"}
    assert values_of(claims, "a.b") == {"whole"}
    assert values_of(claims, "realm_access.nothing.more") == frozenset()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(claims=st.dictionaries(st.text(max_size=5), JSON, max_size=4), claim=st.text(max_size=9))
def test_whatever_a_provider_sends_values_are_texts_that_it_sent(
    claims: dict[str, object], claim: str
) -> None:
    for value in values_of(claims, claim):
        assert isinstance(value, str)
        assert value in str(claims) or repr(value)[1:-1] in str(claims)
