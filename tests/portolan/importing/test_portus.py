"""Portus' teams, namespaces and users as grants."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from access.actions import Action
from portolan.importing import portus
from portolan.importing.problems import NotImportable
from portolan.importing.result import Options
from tests.portolan.importing.anything import anything
from tests.portolan.importing.checked import Checked, checked

OPTIONS = Options(registry="hub")
PEOPLE = ("anna", "bert", "carla", "dora")
TEAM = {"id": 7, "name": "Web Shop", "description": "They sell", "hidden": False}
PULL, PUSH, SEE = Action.CONTENT_READ, Action.CONTENT_WRITE, Action.CATALOG_LIST


def user(number: int, name: str, **more: Any) -> dict[str, Any]:
    return {"id": number, "username": name, "enabled": True, "admin": False, "bot": False, **more}


def namespace(name: str, visibility: str = "private", **more: Any) -> dict[str, Any]:
    team = {"id": 7, "name": "Web Shop", "hidden": False}
    return {"id": 30, "name": name, "visibility": visibility, "global": False, "team": team, **more}


def members(**roles: str) -> dict[str, Any]:
    rows = [{"user_id": PEOPLE.index(name) + 1, "role": role} for name, role in roles.items()]
    return {"7": [{"id": 900 + number, **row} for number, row in enumerate(rows)]}


def imported(*namespaces: Any, **more: Any) -> Checked:
    answers = {
        "users": [user(number, name) for number, name in enumerate(PEOPLE, 1)],
        "teams": [TEAM],
        "members": members(anna="owner", bert="contributor", carla="viewer"),
        "namespaces": list(namespaces),
        **more,
    }
    return checked(portus.convert(answers, OPTIONS))


def may(found: Checked, path: str, action: Action) -> str:
    allowed = [name for name in PEOPLE if found.may(f"user:{name}", action, f"hub/{path}")]
    return " ".join(allowed + ["anonymous"] * found.may("anonymous", action, f"hub/{path}"))


def test_members_get_what_their_role_in_the_team_is() -> None:
    found = imported(namespace("shop"))
    assert may(found, "shop/api", SEE) == may(found, "shop/api", PULL) == "anna bert carla"
    assert may(found, "shop/api", PUSH) == "anna bert"
    assert may(found, "shop/api", Action.CONTENT_DELETE) == ""
    assert may(found, "other/api", PULL) == may(found, "shop", PULL) == ""
    assert "maintainers:\n      - anna\n    members:\n      - bert\n      - carla\n" in found.text


def test_who_is_in_a_team_without_a_role_is_a_viewer() -> None:
    # As Portus' own API answers: users, and no roles.
    found = imported(namespace("shop"), members={"7": [user(1, "anna"), user(2, "bert")]})
    assert may(found, "shop/api", PULL) == "anna bert"
    assert may(found, "shop/api", PUSH) == ""
    assert ("narrower", "team 'Web Shop'") in found.remarks


@pytest.mark.parametrize(("visibility", "who"), [
    ("private", "anna bert carla"),
    ("protected", "anna bert carla dora"),
    ("public", "anna bert carla dora anonymous"),
    ("secret", "anna bert carla"),
    (None, "anna bert carla"),
])  # fmt: skip
def test_a_namespace_is_pulled_from_by_whom_it_is_visible_to(visibility: Any, who: str) -> None:
    found = imported(namespace("shop", visibility))
    assert may(found, "shop/api", PULL) == who
    assert may(found, "shop/api", SEE) == "anna bert carla"


def test_the_global_namespace_is_the_names_that_are_there() -> None:
    everywhere = namespace("registry.example.com:5000", "protected", id=1, **{"global": True})
    repositories = {"1": [{"name": "alpine"}, {"name": "bad name"}, {"name": "a/b"}]}
    found = imported(everywhere, repositories=repositories)
    assert may(found, "alpine", PULL) == "anna bert carla dora"
    assert may(found, "busybox", PULL) == may(found, "a/b", PULL) == ""
    assert ("narrower", "the global namespace") in found.remarks


@pytest.mark.parametrize(("policy", "team", "own"), [
    ("allow-teams", "anna bert", "dora"),
    ("allow-personal", "", "dora"),
    ("admin-only", "", ""),
    ("whatever", "", ""),
])  # fmt: skip
def test_pushing_is_as_portus_was_set_up(policy: str, team: str, own: str) -> None:
    people = [user(number, name) for number, name in enumerate(PEOPLE, 1)]
    people[3]["namespace_id"] = 31
    hers = namespace("dora", id=31, team={"id": 99, "name": "dora", "hidden": True})
    found = imported(namespace("shop"), hers, users=people, push_policy=policy)
    assert may(found, "shop/api", PUSH) == team
    assert may(found, "dora/x", PUSH) == own
    assert may(found, "dora/x", PULL) == "dora"


def test_bots_become_machines_and_whoever_is_off_stays_away() -> None:
    people = [
        user(1, "anna", bot=True),
        user(2, "bert", enabled=False),
        user(3, "carla", admin=True),
    ]
    found = imported(namespace("shop", "protected"), users=people)
    assert found.may("sp:anna", PUSH, "hub/shop/api")
    assert may(found, "shop/api", PULL) == "carla"
    assert ("left out", "user 'bert'") in found.remarks
    assert ("to do", "administrator 'carla'") in found.remarks


def test_teams_of_one_name_stay_two() -> None:
    teams = [TEAM, {**TEAM, "id": 8, "name": "web-shop"}]
    both = {**members(anna="owner"), "8": [{"user_id": 2, "role": "viewer"}]}
    second = namespace("infra", id=31, team={"id": 8})
    found = imported(namespace("shop"), second, teams=teams, members=both)
    assert may(found, "shop/api", PULL) == "anna"
    assert may(found, "infra/api", PULL) == "bert"


def test_names_that_are_no_paths_are_told() -> None:
    found = imported(namespace("a\\b"), namespace("x/y"))
    assert found.grants == []
    assert ("left out", "namespace 'x/y'") in found.remarks


@pytest.mark.parametrize("data", [None, [], {"teams": []}, {"teams": [], "namespaces": {}}])
def test_what_is_no_portus_is_refused_with_a_sentence(data: Any) -> None:
    with pytest.raises(NotImportable, match="needs"):
        portus.convert(data, OPTIONS)


# Never wider -----------------------------------------------------------------------------------


def pulls(answers: dict[str, Any], name: str | None, path: str) -> bool:
    """`NamespacePolicy#pull?`, for everybody but administrators."""
    (found,) = [it for it in answers["namespaces"] if it["name"] == path.partition("/")[0]] or [
        None
    ]
    known = {it["username"]: it["id"] for it in answers["users"] if it["enabled"]}
    if found is None or found["visibility"] == "public":
        return found is not None
    if name not in known:
        return False
    inside = answers["members"].get(str(found["team"]["id"]), [])
    is_member = any(it["user_id"] == known[name] for it in inside)
    return found["visibility"] == "protected" or is_member


def pushes(answers: dict[str, Any], name: str | None, path: str) -> bool:
    """`NamespacePolicy#push?`, where teams may."""
    (found,) = [it for it in answers["namespaces"] if it["name"] == path.partition("/")[0]] or [
        None
    ]
    known = {it["username"]: it["id"] for it in answers["users"] if it["enabled"]}
    if found is None or name not in known or answers["push_policy"] != "allow-teams":
        return False
    inside = answers["members"].get(str(found["team"]["id"]), [])
    roles = {it["role"] for it in inside if it["user_id"] == known[name]}
    return not roles.isdisjoint({"owner", "contributor"})


ROWS = st.lists(
    st.fixed_dictionaries(
        {"user_id": st.integers(1, 4), "role": st.sampled_from(["owner", "contributor", "viewer"])}
    ),
    max_size=4,
    unique_by=lambda row: row["user_id"],
)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.booleans(), min_size=4, max_size=4),
    st.dictionaries(st.sampled_from(["7", "8"]), ROWS),
    st.lists(
        st.tuples(st.sampled_from([7, 8, 9]), st.sampled_from(["private", "protected", "public"])),
        max_size=3,
    ),
    st.sampled_from(["allow-teams", "allow-personal", "admin-only"]),
)
def test_everybody_may_what_portus_lets_them_and_no_more(
    enabled: list[bool], inside: dict[str, Any], spaces: list[Any], policy: str
) -> None:
    names = ("shop", "infra", "web")
    answers = {
        "users": [user(at, name, enabled=enabled[at - 1]) for at, name in enumerate(PEOPLE, 1)],
        "teams": [TEAM, {**TEAM, "id": 8}],
        # Of the third team nothing is known.
        "members": inside,
        "namespaces": [
            namespace(name, visibility, id=at, team={"id": team})
            for at, (name, (team, visibility)) in enumerate(zip(names, spaces, strict=False))
        ],
        "push_policy": policy,
    }
    found = checked(portus.convert(answers, OPTIONS))
    for name in (*PEOPLE, None):
        principal = f"user:{name}" if name else "anonymous"
        for path in ("shop/a", "infra/a/b", "web/x", "other/x"):
            assert found.may(principal, PULL, f"hub/{path}") == pulls(answers, name, path)
            assert found.may(principal, PUSH, f"hub/{path}") == pushes(answers, name, path)


KEYS = (
    "teams", "namespaces", "users", "members", "repositories", "push_policy", "id", "username", "enabled",
    "admin", "bot", "namespace_id", "name", "description", "user_id", "role", "visibility", "global",
    "team", "7", "unread",
)  # fmt: skip
LEAVES = (
    "shop",
    "owner",
    "viewer",
    "public",
    "protected",
    "private",
    7,
    1,
    "7",
    True,
    "allow-teams",
)


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 2**64))
def test_whatever_the_answers_are_there_is_a_document_or_a_sentence(seed: int) -> None:
    with contextlib.suppress(NotImportable):
        checked(portus.convert(anything(seed, KEYS, LEAVES), OPTIONS))
