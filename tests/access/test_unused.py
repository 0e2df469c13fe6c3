"""Grants of which nothing was seen, and the smaller role that would do."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from access import unused
from access.actions import DOCKER, Action, texts
from access.models import Grant, Membership, Role, ServicePrincipal, Team, Use, User
from access.policy import rights_of
from access.roles import BUILT_IN
from access.scopes import EVERYTHING, Scope
from access.shortcuts import actor_of
from registries.models import Registry
from tests import catalog
from tests.cast import give

TEAM_A = Scope("harbour", "team-a/*")
NOW = timezone.now()
SINCE = NOW - timedelta(days=90)


@pytest.fixture
def harbour(db: None) -> Registry:
    catalog.registry("elsewhere")
    return catalog.registry("harbour")


def old(grant: Grant, **holder: object) -> Grant:
    """The grant, a year old, and somebody else's if a holder is named."""
    if holder:
        holder = {"user": None} | holder
    Grant.objects.filter(pk=grant.pk).update(granted_at=NOW - timedelta(days=365), **holder)
    return Grant.objects.get(pk=grant.pk)


def use(principal: str, path: str, verb: str = "pull", days_ago: int = 1) -> None:
    Use.objects.create(
        principal=principal,
        registry=Registry.objects.get(name="harbour"),
        path=path,
        verb=verb,
        last_at=NOW - timedelta(days=days_ago),
    )


def found(*, at_all: bool = False) -> dict[int, list[str]]:
    rows = unused.less_used(Grant.objects.with_names(), since=SINCE, at_all=at_all)
    return {grant.pk: unused.used_verbs(grant) for grant in rows}


@pytest.mark.django_db
def test_a_grant_that_is_used_in_full_is_not_listed(harbour: Registry, outsider: User) -> None:
    grant = old(give(outsider, "pusher", TEAM_A))
    assert found() == {grant.pk: []}
    use("user:otto", "team-a/app")
    assert found() == {grant.pk: ["pull"]}
    assert found(at_all=True) == {}
    use("user:otto", "team-a/deep/app", "push")
    assert found() == {}


@pytest.mark.django_db
def test_uses_elsewhere_before_or_by_others_do_not_count(harbour: Registry, outsider: User) -> None:
    grant = old(give(outsider, "puller", TEAM_A))
    use("user:otto", "team-ab/app")
    use("user:otto", "team-a")
    use("user:otto", "team-a/app", days_ago=91)
    use("user:viktor", "team-a/app")
    use("sp:otto", "team-a/app")
    assert found(at_all=True) == {grant.pk: []}


@pytest.mark.django_db
@pytest.mark.parametrize("scope", [EVERYTHING, Scope("harbour"), Scope("harbour", "team-a/app")])
def test_every_extent_sees_its_uses(harbour: Registry, outsider: User, scope: Scope) -> None:
    old(give(outsider, "puller", scope))
    use("user:otto", "team-a/app")
    assert found() == {}


@pytest.mark.django_db
def test_a_teams_grant_is_used_by_its_members_alone(harbour: Registry, outsider: User) -> None:
    team = Team.objects.create(name="crew")
    grant = old(give(outsider, "puller", TEAM_A), team=team)
    use("user:otto", "team-a/app")
    assert found() == {grant.pk: []}
    Membership.objects.create(team=team, user=outsider)
    assert found() == {}


@pytest.mark.django_db
def test_machines_and_the_public_use_theirs(harbour: Registry, outsider: User) -> None:
    machine = ServicePrincipal.objects.create(name="ci")
    old(give(outsider, "puller", TEAM_A), service_principal=machine)
    old(give(outsider, "puller", Scope("harbour")), is_public=True)
    assert len(found()) == 2
    use("sp:ci", "team-a/app")
    use("anonymous", "team-a/app")
    assert found() == {}


@pytest.mark.django_db
def test_young_grants_and_roles_that_docker_knows_nothing_of_are_not_judged(
    harbour: Registry, outsider: User
) -> None:
    give(outsider, "pusher", TEAM_A)
    old(give(outsider, "auditor", TEAM_A))
    assert found() == {}


@pytest.mark.django_db
def test_where_nothing_was_ever_heard_it_says_so(harbour: Registry, outsider: User) -> None:
    here, there = (old(give(outsider, "puller", Scope(name))) for name in ("harbour", "elsewhere"))
    use("user:viktor", "team-a/app")
    rows = unused.less_used(Grant.objects.with_names(), since=SINCE)
    assert {row.pk: getattr(row, "heard", None) for row in rows} == {here.pk: True, there.pk: False}


@pytest.mark.django_db
def test_many_grants_are_judged_in_one_statement(harbour: Registry, outsider: User) -> None:
    for number in range(20):
        old(give(outsider, "pusher", Scope("harbour", f"team-{number}/*")))
    with CaptureQueriesContext(connection) as captured:
        assert len(found()) == 20
    assert len(captured) == 1


# The smaller role -----------------------------------------------------------------------------

ROLES = [
    Role(name=one.name, label=one.label, actions=texts(one.actions), is_built_in=True)
    for one in BUILT_IN
]
BY_NAME = {role.name: role for role in ROLES}


@pytest.mark.parametrize(
    ("role", "verbs", "smaller"),
    [
        ("contributor", ["pull"], "puller"),
        ("contributor", ["pull", "push"], "pusher"),
        ("owner", ["delete"], "deleter"),
        ("owner", ["pull", "push", "delete"], "contributor"),
        ("pusher", ["pull"], "puller"),
        ("pusher", ["push"], None),
        ("puller", ["pull"], None),
        ("pusher", [], None),
    ],
)
def test_the_smaller_role_is_enough_and_no_more(
    role: str, verbs: list[str], smaller: str | None
) -> None:
    offered = unused.smaller_role(BY_NAME[role], verbs, ROLES)
    assert (offered.name if offered else None) == smaller


@given(st.sets(st.sampled_from(list(Action)), min_size=1), st.sets(st.sampled_from(list(DOCKER))))
def test_a_smaller_role_never_adds_and_never_lacks(actions: set[Action], verbs: set[str]) -> None:
    custom = Role(name="custom", label="Custom", actions=texts(actions))
    offered = unused.smaller_role(custom, verbs, [*ROLES, custom])
    if offered is not None:
        assert offered.allowed < custom.allowed
        assert {DOCKER[verb] for verb in verbs} <= offered.allowed


@pytest.mark.django_db(transaction=True)
class TestGivingLess:
    def shrink(self, grant: Grant, by: User, role: str = "puller") -> Grant:
        by = User.objects.get(pk=by.pk)
        return unused.give_less(
            grant.pk,
            Role.objects.get(name=role),
            reason="Only pulls were seen.",
            rights=rights_of(by),
            actor=actor_of(by),
        )

    def test_the_smaller_role_takes_the_place_until_the_same_end(
        self, harbour: Registry, owner: User, outsider: User
    ) -> None:
        grant = give(outsider, "pusher", TEAM_A)
        until = NOW + timedelta(days=5)
        Grant.objects.filter(pk=grant.pk).update(until=until)
        less = self.shrink(grant, owner)
        assert list(Grant.objects.filter(user=outsider)) == [less]
        assert (less.role.name, less.scope, less.until) == ("puller", TEAM_A, until)

    def test_who_could_not_grant_it_cannot(
        self, harbour: Registry, viewer: User, outsider: User
    ) -> None:
        grant = give(outsider, "pusher", TEAM_A)
        for elsewhere in (None, Scope("harbour", "team-b/*")):
            if elsewhere:
                give(viewer, "owner", elsewhere)
            with pytest.raises(PermissionDenied):
                self.shrink(grant, viewer)
        assert list(Grant.objects.filter(user=outsider)) == [grant]

    def test_the_last_owner_stays(self, harbour: Registry, outsider: User) -> None:
        grant = give(outsider, "owner")
        with pytest.raises(ValidationError, match="last owner"):
            self.shrink(grant, outsider)
        assert list(Grant.objects.filter(user=outsider)) == [grant]
