"""A plan says what would change, what stands in the way and what is left alone, and changes nothing."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from access.models import AuditEntry, Grant, Membership, Role, Team, User
from access.policy import SHELL, rights_of
from access.scopes import Scope
from dashboard.governance.document import Document, build, parse
from dashboard.governance.plan import Plan, plan
from dashboard.governance.secrets import sent_along
from registries.models import Registry
from tests import catalog
from tests.cast import give
from tests.dashboard.governance import house
from tests.dashboard.governance.applying import planned, problems, told
from tests.dashboard.governance.made import without_nothing

pytestmark = pytest.mark.django_db


@pytest.fixture
def furnished() -> None:
    house.furnish()


def as_planned_by(user: User, said: str, *, prune: bool = False) -> Plan:
    document = parse(f"version: 1\n{said}")
    return plan(document, rights=rights_of(user), user=user, prune=prune)


# What would change ----------------------------------------------------------------------------


def test_what_is_there_already_is_no_change(furnished: None) -> None:
    assert planned(parse(house.FILE), prune=True) == Plan(
        planned(parse(house.FILE)).document, prune=True
    )


def test_each_thing_is_one_change_with_its_fields_before_and_after(furnished: None) -> None:
    shown = planned(
        "teams: [{name: platform, description: New, members: [carla]}, {name: shop}]\n"
        "grants: [{principal: team:platform, role: releaser, scope: harbour/team-a/*, reason: x}]\n"
    )
    assert told(shown) == [
        "change teams platform",
        "create teams shop",
        "create members carla in platform",
        "change grants team:platform is releaser on harbour/team-a/*",
    ]
    assert shown.changes[0].as_data() == {
        "verb": "change",
        "section": "teams",
        "name": "platform",
        "fields": [{"name": "description", "old": "Who runs it", "new": "New"}],
    }


def test_without_pruning_what_is_not_named_stays_and_is_told(furnished: None) -> None:
    shown = planned("grants: []\nteams: [{name: platform, description: Who runs it, members: []}]")
    assert shown.changes == ()
    assert [change.name for change in shown.left] == [
        "user:anna is owner on *",
        "team:platform is releaser on harbour/team-a/*",
        "sp:ci is pusher on yard",
        "bert in platform",
        "anna in platform",
    ]


def test_pruning_removes_only_in_sections_and_lists_that_the_file_has(furnished: None) -> None:
    shown = planned(
        "roles: []\nadmin_accounts: []\n"
        "grants: [{principal: user:anna, role: owner, scope: '*', reason: She runs it}]\n"
        "teams: [{name: platform, description: Who runs it}]\n",
        prune=True,
    )
    assert told(shown) == [
        "delete admin_accounts harbour",
        "delete grants team:platform is releaser on harbour/team-a/*",
        "delete grants sp:ci is pusher on yard",
        "delete roles releaser",
    ]
    assert not shown.problems


def test_what_goes_with_a_thing_is_planned_before_it(furnished: None) -> None:
    registry = planned("registries: [{name: harbour, kind: distribution, url: https://harbour."
                       "example.com, sync_every: 1h, username: robot}]", prune=True)  # fmt: skip
    assert told(registry) == [
        "delete grants sp:ci is pusher on yard",
        "delete mirrors harbour/library/* → yard/hub/*",
        "delete registries yard",
    ]
    machine = planned("service_principals: []", prune=True)
    assert told(machine) == [
        "delete grants sp:ci is pusher on yard",
        "delete trust_rules shop",
        "delete service_principals ci",
    ]


def test_a_member_whom_sign_on_brought_is_no_ones_to_prune(furnished: None) -> None:
    shown = planned(
        "teams: [{name: platform, description: Who runs it, maintainers: [anna], members: [bert]}]",
        prune=True,
    )
    assert shown.changes == ()


def test_a_grant_that_has_ended_is_not_wanted_and_stops_nothing(furnished: None) -> None:
    yesterday = (timezone.now() - timedelta(days=2)).date().isoformat()
    said = f"grants: [{{principal: user:bert, role: pusher, scope: yard, until: {yesterday}}}]"
    shown = planned(said)
    assert shown.changes == ()
    assert [str(note) for note in shown.notes] == [
        "line 2: grants[0]: It has ended, and can be taken out of the file."
    ]


def test_a_plan_changes_nothing(furnished: None) -> None:
    before = AuditEntry.objects.count()
    planned("registries: []\nteams: [{name: new}]\nwebhooks: []", prune=True)
    assert set(Registry.objects.values_list("name", flat=True)) == {"harbour", "yard"}
    assert not Team.objects.filter(name="new").exists()
    assert AuditEntry.objects.count() == before


# What stands in the way -----------------------------------------------------------------------


def test_what_is_named_and_not_there_is_told_with_its_line(furnished: None) -> None:
    shown = planned(
        "grants:\n"
        "  - {principal: user:dora, role: redaer, scope: habour/team-a/*}\n"
        "  - {principal: team:plattform, role: reader, scope: '*'}\n"
        "  - {principal: sp:cd, role: reader, scope: '*'}\n"
        "teams: [{name: a, members: [emil]}]\n"
        "service_principals: [{name: x, team: nobody}]\n"
        "trust_rules: [{name: r, service_principal: y, issuer: 'https://gitlab.example.com',"
        " audience: a, subject: b}]\n"
        "admin_accounts: [{registry: z}]\n"
        "mirrors: [{source: harbour, target: q}]\n"
        "webhooks: [{name: w, where: q/x, topics: [push], payload: acr, host: a.b, team: t}]\n"
    )
    said = [one.partition(".")[0] for one in problems(shown)]
    assert said == [
        "line 3: grants[0]", "line 3: grants[0]", "line 3: grants[0]", "line 4: grants[1]",
        "line 5: grants[2]", "line 6: teams[0]", "line 7: service_principals[0]",
        "line 8: trust_rules[0]", "line 9: admin_accounts[0]", "line 10: mirrors[0]",
        "line 11: webhooks[0]", "line 11: webhooks[0]",
    ]  # fmt: skip
    text = "\n".join(problems(shown))
    assert "There is nobody of the user name “dora”. People are not made by files: invite" in text
    assert "There is no role “redaer”: did you mean “reader”?" in text
    assert "There is no registry “habour”" in text
    assert "There is no team “plattform”" in text


def test_what_the_file_makes_itself_may_be_named_in_it() -> None:
    shown = planned(
        "grants: [{principal: team:t, role: r, scope: new/x}]\n"
        "registries: [{name: new, kind: zot, url: a.example.com}]\n"
        "teams: [{name: t}]\n"
        "roles: [{name: r, label: R, actions: [content read]}]\n"
    )
    assert not shown.problems
    assert [change.section.name for change in shown.changes] == [
        "registries", "roles", "teams", "grants",
    ]  # fmt: skip


def test_what_makes_no_sense_by_itself_is_told_at_its_field() -> None:
    shown = planned(
        "registries: [{name: a, kind: acr, url: 'http://x y', options: {nonsense: 1}}]\n"
        "roles: [{name: owner, label: Mine, actions: [content read]}]\n"
        "mirrors: [{source: a/b, target: a/*}]\n"
        "service_principals: [{name: ci}]\n"
        "trust_rules: [{name: r, service_principal: ci, issuer: nowhere, audience: a, subject: '*',"
        " lifetime: 90s}]\n"
        "webhooks: [{name: w, where: 'a/b:v1', topics: [delete], payload: acr, host: x.y}]\n"
    )
    assert [one.split(": ")[1] for one in problems(shown)] == [
        "registries[0].options",
        "registries[0].url",
        "roles[0].name",
        "mirrors[0].target",
        "trust_rules[0].lifetime",
        "webhooks[0].topics",
    ]


def test_a_webhook_says_where_it_is_sent_or_at_least_to_which_host(furnished: None) -> None:
    new = planned("webhooks: [{name: w, where: yard, topics: [push], payload: acr}]")
    assert "Say where it is sent" in problems(new)[0]
    moved = planned(house.FILE.partition("version: 1")[2].replace("hooks.example", "other.example"))
    assert "It sends to hooks.example.com" in problems(moved)[0]


def test_a_team_or_role_that_something_keeps_cannot_be_pruned(furnished: None) -> None:
    named = planned("teams: []\nservice_principals: [{name: ci, team: platform}]", prune=True)
    assert problems(named) == ["line 3: service_principals[0].team: There is no team “platform”."]
    unnamed = planned("teams: []\nroles: []", prune=True)
    assert problems(unnamed) == [
        "service_principals: The team “platform” is to go, and “ci” still has it."
    ]
    Grant.objects.create(
        user=User.objects.get(username="bert"),
        role=Role.objects.get(name="releaser"),
        granted_by="x",
    )
    assert "The role “releaser” is to go" in problems(planned("roles: []", prune=True))[0]


def test_pruning_never_removes_the_last_owner(furnished: None) -> None:
    shown = planned("grants: []", prune=True)
    assert "This would remove the last owner" in problems(shown)[-1]
    with_end = planned(
        "grants: [{principal: user:anna, role: owner, scope: '*', until: 2031-01-01}]"
    )
    assert "This would remove the last owner" in problems(with_end)[-1]
    other = planned("grants: [{principal: user:bert, role: owner, scope: '*'}]", prune=True)
    assert not other.problems


def test_the_last_owner_may_be_one_by_team_and_then_leaves_it_not(furnished: None) -> None:
    team = "teams: [{name: platform, members: [MEMBERS], maintainers: []}]\n"
    grant = "grants: [{principal: team:platform, role: owner, scope: '*'}]\n"
    Membership.objects.filter(source="claim").delete()
    assert not planned(grant + team.replace("MEMBERS", "bert"), prune=True).problems
    shown = planned(grant + team.replace("MEMBERS", ""), prune=True)
    assert "This would remove the last owner" in problems(shown)[-1]


# Secrets --------------------------------------------------------------------------------------


SAID = (
    "registries: [{name: harbour, kind: distribution, url: https://harbour.example.com,"
    " sync_every: 1h, username: robot, password: env:PASSWORD}]\n"
)


def test_a_secret_is_compared_with_the_stored_one_and_never_shown(furnished: None) -> None:
    same = planned(SAID, secrets={"env:PASSWORD": "a-password"})
    assert same.changes == ()
    other = planned(SAID, secrets={"env:PASSWORD": "another-password"})
    (change,) = other.changes
    assert change.as_data()["fields"] == [
        {"name": "password", "old": "(stored)", "new": "from env:PASSWORD"}
    ]
    assert "another-password" not in repr(other)


def test_without_secrets_those_of_what_is_there_are_left_for_the_apply(furnished: None) -> None:
    shown = plan(parse(f"version: 1\n{SAID}"), rights=SHELL)
    assert shown.changes == ()
    assert "compared with what is stored when it is applied" in str(shown.notes[0])


def test_a_secret_that_leads_to_nothing_is_a_problem(furnished: None) -> None:
    shown = planned(SAID)
    (problem,) = problems(shown)
    assert problem.startswith(
        "line 2: registries[0].password: env:PASSWORD is not looked up here: resolve it where it is"
    )


def test_a_webhooks_address_and_headers_are_secrets_too(furnished: None) -> None:
    said = (
        "webhooks: [{name: deploys, where: harbour/team-a/*, topics: [push, delete], payload:"
        " slack, team: platform, url: env:URL, headers: {Authorization: env:TOKEN}}]"
    )
    url, token = "https://hooks.example.com/hook-of-slack", "Bearer token"
    assert planned(said, secrets={"env:URL": url, "env:TOKEN": token}).changes == ()
    (change,) = planned(said, secrets={"env:URL": url, "env:TOKEN": "other"}).changes
    assert [one.name for one in change.fields] == ["headers"]


@pytest.mark.parametrize("name", ["deploys", "another"])  # one that is there, and a new one
def test_a_secret_that_stands_in_the_file_itself_is_repeated_by_no_plan(
    furnished: None, name: str
) -> None:
    said = (
        f"webhooks: [{{name: {name}, where: harbour/team-a/*, topics: [push, delete], payload:"
        " slack, team: platform, url: https://hooks.example.com/hush-hush,"
        " headers: {Authorization: Bearer hush-hush, X-From: env:FROM}}]"
    )
    (change,) = planned(said, secrets={"env:FROM": "hush-hush"}).changes
    shown = {one.name: one.new for one in change.fields}
    assert shown["headers"] == "Authorization=as the file says X-From=from env:FROM"
    assert shown["url"] == "as the file says"
    assert "hush-hush" not in str(change.as_data())


# Who may --------------------------------------------------------------------------------------


GRANTED = "grants: [{principal: user:bert, role: pusher, scope: harbour/team-b/*}]"


def test_who_has_no_right_reads_what_is_missing(furnished: None) -> None:
    give(bert := User.objects.get(username="bert"), "reader", Scope("harbour"))
    (problem,) = as_planned_by(bert, GRANTED).problems
    assert "access manage" in problem.sentence


def test_who_has_the_right_there_has_no_problem(furnished: None) -> None:
    give(dora := User.objects.create_user("dora"), "owner", Scope("harbour"))
    assert not as_planned_by(dora, GRANTED).problems


@pytest.mark.parametrize(
    ("before", "wanted", "opens"),
    [
        (False, {"allow_private": "true"}, True),
        (True, {"allow_private": "true", "url": "http://10.1.2.3:9200"}, True),
        (True, {"allow_private": "true", "kind": "zot"}, True),
        (True, {"allow_private": "true", "sync_every": "2h"}, False),
        (True, {"allow_private": "false", "url": "https://other.example.com"}, False),
    ],
)
def test_who_manages_one_registry_opens_no_private_network_by_it(
    furnished: None, before: bool, wanted: dict[str, str], opens: bool
) -> None:
    Registry.objects.filter(name="harbour").update(allow_private=before)
    give(dora := User.objects.create_user("dora"), "contributor", Scope("harbour"))
    known = {"name": "harbour", "kind": "distribution", "url": "https://harbour.example.com"}
    fields = ", ".join(f"{name}: '{value}'" for name, value in {**known, **wanted}.items())
    fields = fields.replace("'true'", "true").replace("'false'", "false")
    shown = problems(as_planned_by(dora, f"registries: [{{{fields}}}]"))
    assert ["Only who may connect registries anywhere" in text for text in shown] == (
        [True] if opens else []
    )


def test_who_has_the_right_elsewhere_reads_the_same_whether_it_is_there_or_not(
    furnished: None,
) -> None:
    give(dora := User.objects.create_user("dora"), "owner", Scope("yard"))
    (problem,) = as_planned_by(dora, GRANTED).problems
    (other,) = as_planned_by(dora, GRANTED.replace("harbour", "nowhere")).problems
    assert problem.sentence == other.sentence.replace("nowhere", "harbour")
    mirror = "mirrors: [{source: yard/a, target: harbour/a}]"
    (problem,) = as_planned_by(dora, mirror).problems
    (other,) = as_planned_by(dora, mirror.replace("harbour", "nowhere")).problems
    assert problem.sentence == other.sentence.replace("nowhere", "harbour")


HOOK = "topics: [push], payload: acr, host: a.example.com"
RULE = (
    "trust_rules: [{name: r, service_principal: NAME, issuer: 'https://ci.example.com',"
    " audience: a, subject: b}]"
)


@pytest.mark.parametrize(
    "said",
    [
        "grants: [{principal: user:NAME, role: reader, scope: harbour}]",
        "grants: [{principal: team:NAME, role: reader, scope: harbour}]",
        "grants: [{principal: sp:NAME, role: reader, scope: harbour}]",
        "grants: [{principal: user:NAME, role: nothing, scope: harbour}]",
        "grants: [{principal: sp:NAME, role: nothing, scope: '*'}]",
        "grants: [{principal: user:anna, role: NAME, scope: harbour}]",
        "grants: [{principal: user:nobody, role: NAME, scope: harbour}]",
        "grants: [{principal: user:anna, role: owner, scope: NAME}]",
        "grants: [{principal: user:nobody, role: nothing, scope: NAME/app}]",
        "registries: [{name: NAME, kind: zot, url: a.example.com}]",
        "mirrors: [{source: NAME/*, target: own/*}]",
        "mirrors: [{source: own/*, target: NAME/*}]",
        "roles: [{name: NAME, label: R, actions: [content read]}]",
        "teams: [{name: NAME}]",
        "teams: [{name: NAME, members: [bert]}]",
        "teams: [{name: NAME, maintainers: [nobody]}]",
        "teams: [{name: crew, members: [NAME]}]",
        "teams: [{name: NAME, claim_rules: [{provider: entra, claim: groups, value: ops}]}]",
        "service_principals: [{name: NAME}]",
        "service_principals: [{name: NAME, disabled: true}]",
        "service_principals: [{name: NAME, team: platform}]",
        "service_principals: [{name: x, team: NAME}]",
        RULE,
        RULE.replace("subject: b", "subject: b, disabled: true"),
        RULE.replace("r,", "shop,"),
        RULE.replace("NAME", "ci").replace("name: r", "name: NAME"),
        "admin_accounts: [{registry: NAME}]",
        "admin_accounts: [{registry: NAME, enabled: false}]",
        f"webhooks: [{{name: w, where: NAME, {HOOK}}}]",
        f"webhooks: [{{name: NAME, where: harbour/team-a/*, {HOOK}}}]",
        f"webhooks: [{{name: w, where: own, team: NAME, {HOOK}}}]",
        f"webhooks: [{{name: w, where: harbour, team: NAME, {HOOK}}}]",
    ],
)
@pytest.mark.parametrize("owns", [False, True], ids=["no rights", "rights elsewhere"])
def test_who_may_not_do_a_thing_learns_not_what_there_is(
    furnished: None, said: str, owns: bool
) -> None:
    otto = User.objects.create_user("otto")
    catalog.registry("own")
    if owns:
        give(otto, "owner", Scope("own"))
    told = set()
    for name in ("anna", "platform", "ci", "yard", "releaser", "shop", "deploys", "nobody"):
        problems = as_planned_by(otto, said.replace("NAME", name)).problems
        told.add(str([one.sentence.replace(name, "NAME") for one in problems]))
    (same,) = told
    assert re.search("manage” on|You cannot give|There is no registry “NAME”", same)


def test_who_does_not_see_all_grants_is_told_nothing_of_the_last_owner(furnished: None) -> None:
    """He could find out by it who there is, and would be told so where it is not true."""
    bert = User.objects.get(username="bert")
    said = (
        "teams: [{name: platform, description: Who runs it, members: []}]\n"
        "grants: [{principal: user:NAME, role: owner, scope: '*'}]"
    )
    told = {
        str(
            [
                one.sentence
                for one in as_planned_by(bert, said.replace("NAME", name), prune=True).problems
            ]
        )
        for name in ("carla", "nobody")
    }
    assert len(told) == 1
    Membership.objects.filter(user=bert).update(is_maintainer=True)
    mine = (
        "teams: [{name: platform, description: Who runs it, maintainers: [anna, bert],"
        " members: [carla]}]"
    )
    Membership.objects.create(
        team=Team.objects.get(name="platform"), user=User.objects.create_user("dora")
    )
    assert not as_planned_by(bert, mine, prune=True).problems


@pytest.mark.parametrize(
    ("said", "needs"),
    [
        ("registries: [{name: new, kind: zot, url: a.example.com}]", "registry manage"),
        ("roles: [{name: r, label: R, actions: [content read]}]", "access manage"),
        ("teams: [{name: t}]", "access manage"),
        ("service_principals: [{name: x}]", "access manage"),
        ("grants: [{principal: anonymous, role: owner, scope: '*'}]", "access manage"),
        ("webhooks: [{name: w, where: '*', topics: [push], payload: acr, host: a.b}]", "webhook"),
        ("mirrors: [{source: harbour, target: yard}]", "registry manage"),
        ("admin_accounts: [{registry: yard}]", "access manage"),
    ],
)
def test_an_owner_of_one_registry_plans_nothing_beyond_it(
    furnished: None, said: str, needs: str
) -> None:
    give(dora := User.objects.create_user("dora"), "owner", Scope("harbour"))
    give(dora, "reader", Scope("yard"))
    assert [needs in problem.sentence for problem in as_planned_by(dora, said).problems] == [True]


def test_an_owner_of_one_registry_plans_what_is_his(furnished: None) -> None:
    give(dora := User.objects.create_user("dora"), "owner", Scope("harbour"))
    shown = as_planned_by(
        dora,
        "registries: [{name: harbour, kind: distribution, url: https://harbour.example.com}]\n"
        "webhooks: [{name: w, where: harbour/x, topics: [push, access.granted], payload: acr,"
        " host: a.b}]\n"
        "mirrors: [{source: harbour/a, target: harbour/b}]\n"
        "admin_accounts: []\n",
        prune=True,
    )
    assert not shown.problems
    assert told(shown)[-2:] == [
        "delete webhooks deploys on harbour/team-a/*",
        "delete admin_accounts harbour",
    ]


def test_a_maintainer_plans_members_and_machines_of_his_team_and_no_more(furnished: None) -> None:
    Team.objects.create(name="other")
    Grant.objects.filter(user__username="anna").delete()
    anna = User.objects.get(username="anna")
    mine = as_planned_by(
        anna,
        "teams: [{name: platform, description: Who runs it, maintainers: [anna], members: [carla]}]"
        "\nservice_principals: [{name: ci, team: platform, disabled: true}, {name: x, team:"
        " platform}]",
    )
    assert not mine.problems
    more = as_planned_by(
        anna,
        "teams: [{name: platform, description: New, maintainers: [anna, bert]}]\n"
        "service_principals: [{name: ci, team: other}]",
    )
    assert len(more.problems) == 3


# How much it costs ----------------------------------------------------------------------------


def test_a_hundred_times_as_many_grants_take_the_same_number_of_statements() -> None:
    assert statements(many(100)) == statements(many(2))


def many(count: int) -> Document:
    people = [User(username=f"person-{number}") for number in range(count)]
    User.objects.bulk_create(people, ignore_conflicts=True)
    reader = Role.objects.get(name="reader")
    there = User.objects.filter(username__startswith="person-", grants=None)[: count // 2]
    Grant.objects.bulk_create(Grant(user=one, role=reader, granted_by="x") for one in there)
    grants = [
        without_nothing(principal=f"user:{one.username}", role="reader", scope="*")
        for one in people
    ]
    return build({"version": 1, "grants": grants})


def statements(document: Document) -> int:
    with CaptureQueriesContext(connection) as queries:
        plan(document, rights=SHELL, secrets=sent_along({}), prune=True)
    return len(queries)
