"""Harbor's projects, members, groups and robots as grants."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from access.actions import Action
from portolan.importing import harbor
from portolan.importing.problems import NotImportable
from portolan.importing.result import Options
from tests.portolan.importing.anything import anything
from tests.portolan.importing.checked import Checked, checked

NOW = 1_790_000_000
OPTIONS = Options(registry="harbour", now=NOW)
FULL_ACCESS = [
    {"resource": "repository", "action": "pull"},
    {"resource": "repository", "action": "push"},
]
DELETING = [{"resource": it, "action": "delete"} for it in ("repository", "artifact", "tag")]


def project(name: str, number: int, **more: Any) -> dict[str, Any]:
    return {"name": name, "project_id": number, "metadata": {"public": "false"}, **more}


def member(name: str, role: int, sort: str = "u") -> dict[str, Any]:
    return {"entity_name": name, "entity_type": sort, "role_id": role}


def robot(name: str, access: list[Any], namespace: str = "shop", **more: Any) -> dict[str, Any]:
    permissions = [{"kind": "project", "namespace": namespace, "access": access}]
    return {"name": name, "expires_at": -1, "disable": False, "permissions": permissions, **more}


def imported(options: Options = OPTIONS, **answers: Any) -> Checked:
    answers.setdefault("projects", [project("shop", 1)])
    return checked(harbor.convert(answers, options))


def test_each_role_becomes_what_it_may_there_and_nothing_else() -> None:
    names = {1: "admin", 2: "developer", 3: "guest", 4: "maintainer", 5: "limited"}
    found = imported(members={"shop": [member(name, role) for role, name in names.items()]})
    held = {
        name: {action for action in Action if found.may(f"user:{name}", action, "harbour/shop/a")}
        for name in names.values()
    }
    seeing = {Action.REGISTRY_READ, Action.CATALOG_LIST, Action.METADATA_READ}
    pulling = {Action.CONTENT_READ, Action.METADATA_READ}
    maintaining = {
        *seeing, *pulling, Action.CONTENT_WRITE, Action.CONTENT_DELETE, Action.METADATA_WRITE,
        Action.POLICY_MANAGE,
    }  # fmt: skip
    assert held == {
        "admin": set(Action) - {Action.REGISTRY_MANAGE, Action.CONTENT_SIGN},
        "maintainer": maintaining,
        "developer": seeing | pulling | {Action.CONTENT_WRITE},
        "guest": seeing | pulling,
        "limited": pulling | {Action.CATALOG_LIST},
    }
    assert not any(found.may(f"user:{it}", Action.CONTENT_READ, "harbour/b/a") for it in held)


def test_built_in_roles_are_taken_where_they_fit() -> None:
    found = imported(members={"1": [member("dora", 2), member("gus", 3)]})
    assert found.grants == [
        ("user:dora", "pusher", "harbour/shop/*"),
        ("user:dora", "reader", "harbour/shop/*"),
        ("user:gus", "reader", "harbour/shop/*"),
    ]
    assert found.imported.people == ("dora", "gus")
    assert "Harbor: developer of project shop" in found.text


def test_a_group_becomes_a_team_which_claims_fill_where_the_provider_is_known() -> None:
    groups = [
        {"group_name": "devs", "group_type": 3},
        {"group_name": "ops", "group_type": 1, "ldap_group_dn": "cn=ops,dc=example,dc=com"},
        {"group_name": "web team", "group_type": 2},
    ]
    members = {"shop": [member(name, 3, "g") for name in ("devs", "ops", "web team")]}
    options = Options(registry="harbour", provider="keycloak", claim="roles", now=NOW)
    found = imported(options, members=members, usergroups=groups)
    assert found.rules == [
        ("devs", "keycloak", "roles", "devs"),
        ("ops", "keycloak", "roles", "cn=ops,dc=example,dc=com"),
    ]
    assert ("team:web-team", "reader", "harbour/shop/*") in found.grants
    # Nothing is said of who is in it, so that nobody is taken out.
    assert "members" not in found.text
    assert "not known" in found.reason("team web-team")
    without = imported(members=members, usergroups=groups)
    assert without.rules == []
    assert "--provider" in next(
        it.advice for it in without.imported.remarks if "devs" in it.subject
    )


def test_a_public_project_may_be_pulled_by_everybody() -> None:
    found = imported(projects=[project("open", 1, metadata={"public": "true"})])
    assert found.grants == [("anonymous", "puller", "harbour/open/*")]
    assert ("narrower", "public project open") in found.remarks


def test_nobody_pushes_into_a_cache() -> None:
    projects = [project("hub", 1, registry_id=7), project("shop", 2)]
    members = {"hub": [member("dora", 2), member("anna", 1)]}
    robots = [robot("robot$all", FULL_ACCESS, "*"), robot("robot$hub+ci", FULL_ACCESS, "hub")]
    found = imported(projects=projects, members=members, robots=robots)
    for who in ("user:dora", "user:anna", "sp:all", "sp:hub-ci"):
        assert not found.may(who, Action.CONTENT_WRITE, "harbour/hub/alpine")
        assert found.may(who, Action.CONTENT_READ, "harbour/hub/alpine")
    assert found.may("sp:all", Action.CONTENT_WRITE, "harbour/shop/a")
    assert ("narrower", "project hub") in found.remarks


def test_a_robot_becomes_a_machine_with_its_end_and_without_its_secret() -> None:
    robots = [
        robot("robot$shop+ci", FULL_ACCESS, secret="never-this", expires_at=NOW + 86_400),
        robot("robot$everything", FULL_ACCESS + DELETING, "*"),
    ]
    found = imported(robots=robots)
    assert found.grants == [
        ("sp:everything", "deleter", "harbour"),
        ("sp:everything", "pusher", "harbour"),
        ("sp:shop-ci", "pusher", "harbour/shop/*"),
    ]
    assert "2026-09-22T14:13:20Z" in found.text
    assert "never-this" not in found.text
    assert ("to do", "2 service principals") in found.remarks


def test_a_robot_that_is_off_stays_off_and_one_that_has_expired_stays_away() -> None:
    robots = [
        robot("robot$off", FULL_ACCESS, disable=True),
        robot("robot$old", FULL_ACCESS, expires_at=NOW - 1),
        robot("robot$odd", FULL_ACCESS, expires_at="tomorrow"),
    ]
    found = imported(robots=robots)
    assert [it.key for it in found.document.items["service_principals"]] == [("off",)]
    assert not found.may("sp:off", Action.CONTENT_READ, "harbour/shop/a")
    assert found.reason("robot 'robot$old'") == "It has expired."


@pytest.mark.parametrize("missing", range(3))
def test_deleting_a_part_is_not_deleting_everything(missing: int) -> None:
    access = [it for at, it in enumerate(DELETING) if at != missing] + FULL_ACCESS
    found = imported(robots=[robot("robot$ci", access)])
    assert not found.may("sp:ci", Action.CONTENT_DELETE, "harbour/shop/a")
    assert "artifact delete" in found.reason("robot 'robot$ci'") or missing == 1


def test_pushing_without_pulling_has_a_role_of_its_own() -> None:
    found = imported(robots=[robot("robot$ci", FULL_ACCESS[1:])])
    assert found.grants == [("sp:ci", "imported-push", "harbour/shop/*")]
    assert not found.may("sp:ci", Action.CONTENT_READ, "harbour/shop/a")


def test_what_a_robot_is_denied_it_does_not_get() -> None:
    denied = [*FULL_ACCESS, {"resource": "repository", "action": "push", "effect": "deny"}]
    found = imported(robots=[robot("robot$ci", denied)])
    assert found.grants == [("sp:ci", "puller", "harbour/shop/*")]


def test_rights_on_harbor_itself_and_on_projects_that_are_not_there_are_told() -> None:
    system = {"name": "robot$sys", "permissions": [{"kind": "system", "namespace": "/"}]}
    found = imported(robots=[system, robot("robot$x", FULL_ACCESS, "elsewhere")])
    assert found.grants == []
    assert "Harbor itself" in found.reason("robot 'robot$sys'")
    assert "no project" in found.reason("robot 'robot$x'")


def test_names_that_would_be_somebody_else_here_are_left_out() -> None:
    found = imported(members={"shop": [member("anna ", 3), member("a:b", 3), member("anna", 3)]})
    assert found.grants == [("user:anna", "reader", "harbour/shop/*")]
    assert ("left out", "user 'a:b'") in found.remarks


def test_two_robots_never_become_one_machine() -> None:
    names = ("robot$a+b", "robot$a-b", "robot$A+B", "a-b")
    found = imported(robots=[robot(name, FULL_ACCESS) for name in names])
    machines = {it.key[0] for it in found.document.items["service_principals"]}
    assert len(machines) == 4


def test_unknown_roles_and_members_of_unknown_projects_are_told() -> None:
    members = {"shop": [member("anna", 9)], "gone": [member("bert", 1)]}
    found = imported(members=members)
    assert found.grants == []
    assert ("left out", "member 'anna' of shop") in found.remarks
    assert ("left out", "members of 'gone'") in found.remarks


def test_a_large_harbor_is_imported_whole() -> None:
    projects = [project(f"p{number}", number) for number in range(150)]
    members = {
        f"p{number}": [member(f"user{it % 250}", 1 + it % 5) for it in range(number, number + 12)]
        for number in range(150)
    }
    robots = [robot(f"robot$p{it}+ci", FULL_ACCESS, f"p{it}") for it in range(150)]
    found = imported(projects=projects, members=members, robots=robots)
    assert found.may("sp:p149-ci", Action.CONTENT_WRITE, "harbour/p149/a/b")
    assert len(found.imported.document["service_principals"]) == 150
    assert len({principal for principal, _role, _scope in found.grants}) == 311


@pytest.mark.parametrize("data", [None, [], {}, {"projects": {}}, {"projects": None}])
def test_what_is_no_harbor_is_refused_with_a_sentence(data: Any) -> None:
    with pytest.raises(NotImportable, match="projects"):
        harbor.convert(data, OPTIONS)


def test_what_is_no_name_of_a_registry_is_refused() -> None:
    with pytest.raises(NotImportable, match="no name of a registry"):
        harbor.convert({"projects": []}, Options(registry="Harbor/x"))


ODD = ("shop", "*", "u", "g", "true", "project", "repository", "pull", "push", 1, 2, 5, NOW + 9)
KEYS = (
    "projects", "members", "usergroups", "robots", "name", "project_id", "metadata", "public",
    "registry_id", "entity_name", "entity_type", "role_id", "role_name", "group_name", "group_type",
    "ldap_group_dn", "permissions", "kind", "namespace", "access", "resource", "action", "effect",
    "expires_at", "disable", "description", "unread", "shop",
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 2**64))
def test_whatever_the_answers_are_there_is_a_document_or_a_sentence(seed: int) -> None:
    data = anything(seed, KEYS, ODD)
    before = repr(data)
    with contextlib.suppress(NotImportable):
        checked(harbor.convert(data, Options(registry="harbour", provider="p", now=NOW)))
    assert repr(data) == before
