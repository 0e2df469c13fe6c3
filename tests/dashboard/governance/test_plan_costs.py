"""What a plan costs: as many statements for fifty things as for five, and a short answer for any
number of problems. Whoever asks: what he may not do is found out just as cheaply."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from access.actions import ALL, Action, texts
from access.models import Grant, Membership, Role, ServicePrincipal, Team, TrustRule, User
from access.policy import rights_of
from access.scopes import EVERYTHING, Scope
from dashboard.governance.document import Document, build, parse
from dashboard.governance.plan import plan
from dashboard.governance.problems import ENOUGH, TOLD, InvalidDocument
from dashboard.governance.showing import lines
from tests import catalog
from tests.cast import give
from tests.dashboard.governance.house import subscription

pytestmark = pytest.mark.django_db
THERE = 30

RULE = {"issuer": "https://ci.example.com", "audience": "a", "subject": "b"}
HOOK = {"topics": ["push"], "payload": "acr", "host": "a.example.com"}
KINDS: dict[str, Callable[[int], dict[str, Any]]] = {
    "registries": lambda n: {"name": f"reg-{n}", "kind": "zot", "url": "https://a.example.com"},
    "mirrors": lambda n: {"source": f"reg-{n}/a", "target": f"reg-{n}/b"},
    "roles": lambda n: {"name": f"role-{n}", "label": "R", "actions": ["content read"]},
    "teams": lambda n: {
        "name": f"team-{n}",
        "description": "New",
        "members": [f"person-{n}"],
        "claim_rules": [{"provider": "entra", "claim": "groups", "value": "ops"}],
    },
    "service_principals": lambda n: {"name": f"machine-{n}", "team": f"team-{n}", "disabled": True},
    "trust_rules": lambda n: {"name": f"rule-{n}", "service_principal": f"machine-{n}", **RULE},
    "grants": lambda n: {
        "principal": f"{('user:person', 'team:team', 'sp:machine')[n % 3]}-{n}",
        "role": f"role-{n}",
        "scope": f"reg-{n}",
    },
    "admin_accounts": lambda n: {"registry": f"reg-{n}"},
    "webhooks": lambda n: {"name": f"hook-{n}", "where": f"reg-{n}", "team": f"team-{n}", **HOOK},
}


@pytest.fixture
def full(db: None) -> None:
    """Of each kind many that are there, and with something that others have."""
    reader = Role.objects.get(name="reader")
    for n in range(THERE):
        registry = catalog.registry(f"reg-{n}")
        person = User.objects.create(username=f"person-{n}")
        team = Team.objects.create(name=f"team-{n}")
        Membership.objects.create(team=team, user=person)
        machine = ServicePrincipal.objects.create(name=f"machine-{n}", team=team)
        TrustRule.objects.create(name=f"rule-{n}", service_principal=machine, **RULE)
        role = Role.objects.create(name=f"role-{n}", label="R", actions=["content write"])
        Grant.objects.create(team=team, role=reader, registry=registry)
        Grant.objects.create(service_principal=machine, role=role, registry=registry)
        subscription(registry, "", team)


def nobody() -> User:
    return User.objects.create_user("nobody")


def maintainer() -> User:
    user = User.objects.create_user("maintainer")
    Membership.objects.bulk_create(
        Membership(team=team, user=user, is_maintainer=True) for team in Team.objects.all()
    )
    return user


def owner_of_one() -> User:
    give(user := User.objects.create_user("owner-of-one"), "owner", Scope("reg-0"))
    return user


def almost_owner() -> User:
    role = Role.objects.create(
        name="almost", label="A", actions=texts(ALL - {Action.CONTENT_DELETE})
    )
    give(user := User.objects.create_user("almost-owner"), role.name, EVERYTHING)
    return user


def owner() -> User:
    return User.objects.create_superuser("owner")


def of(kind: str, count: int) -> Document:
    """Half of them there, and half not."""
    numbers: Iterable[int] = (n if n % 2 else n + 1000 for n in range(count))
    return build({"version": 1, kind: [KINDS[kind](n) for n in numbers]})


def statements(document: Document, user: User) -> int:
    rights = rights_of(user)
    with CaptureQueriesContext(connection) as queries:
        plan(document, rights=rights, user=user)
    return len(queries)


@pytest.mark.parametrize("who", [nobody, maintainer, owner_of_one, almost_owner, owner])
def test_ten_times_as_many_things_take_the_same_number_of_statements(
    full: None, who: Callable[[], User]
) -> None:
    user = who()
    few = {kind: statements(of(kind, 6), user) for kind in KINDS}
    many = {kind: statements(of(kind, 60), user) for kind in KINDS}
    assert many == few
    assert max(many.values()) < 40


def test_of_many_problems_some_are_told_and_the_rest_is_counted() -> None:
    wanted = [{"principal": f"user:p-{n}", "role": "reader", "scope": "*"} for n in range(1200)]
    user = nobody()
    shown = plan(build({"version": 1, "grants": wanted}), rights=rights_of(user), user=user)
    assert len(shown.problems) == 1200
    told = shown.as_data()["problems"]
    assert len(told) == TOLD + 1
    assert told[-1] == {"line": 0, "path": "", "sentence": "And at least 1100 more."}
    assert sum(line.startswith("problem: ") for line in lines(shown)) == TOLD + 1


@pytest.mark.parametrize(
    "text",
    [
        "version: 1\nteams:\n- name: a\n" + "".join(f"  k{n}: 1\n" for n in range(50_000)),
        "version: 1\nteams:\n- name: a\n" + "  name: a\n" * 50_000,
        "version: 1\nadmin_accounts:\n" + "- {registry: a, enabled: maybe, on: 1}\n" * 5_000,
    ],
    ids=["unknown keys", "the same key", "bad values"],
)
def test_a_text_that_is_nothing_but_mistakes_is_not_read_to_its_end(text: str) -> None:
    started = time.process_time()
    with pytest.raises(InvalidDocument) as refused:
        parse(text)
    assert time.process_time() - started < 5
    assert (len(refused.value.told), refused.value.left_out) == (TOLD + 1, ENOUGH - TOLD)
    assert refused.value.told[-1].sentence == f"And at least {ENOUGH - TOLD} more."


def test_what_was_meant_is_looked_for_among_few_and_for_few() -> None:
    Team.objects.bulk_create(Team(name=f"team-{n}") for n in range(200))
    wanted = [
        {"principal": f"team:{name}-{n}", "role": "reader", "scope": "*"}
        for n in range(200)
        for name in ("team", "taem")
    ]
    user = owner()
    document = build({"version": 1, "grants": wanted})
    started = time.process_time()
    shown = plan(document, rights=rights_of(user), user=user)
    assert time.process_time() - started < 5
    assert len(shown.problems) == 200
    assert any("did you mean" in problem.sentence for problem in shown.problems)
