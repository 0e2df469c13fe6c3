"""docker_auth's rules, read in order and the first decides, as grants, which only add."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from access.actions import Action
from portolan.importing import docker_auth
from portolan.importing.problems import NotImportable
from portolan.importing.result import Options
from tests.portolan.importing.anything import anything
from tests.portolan.importing.checked import Checked, checked
from tests.portolan.importing.evaluated import allowed

OPTIONS = Options(registry="hub")
WORDS = {
    "pull": Action.CONTENT_READ,
    "push": Action.CONTENT_WRITE,
    "delete": Action.CONTENT_DELETE,
}


def rule(*actions: str, **match: Any) -> dict[str, Any]:
    return {"match": match, "actions": list(actions)}


def imported(*rules: Any, options: Options = OPTIONS, **more: Any) -> Checked:
    users = {name: {"password": "$2y$05$secret"} for name in ("anna", "bert")}
    return checked(docker_auth.convert({"users": users, "acl": list(rules), **more}, options))


def held(found: Checked, who: str, path: str) -> str:
    return " ".join(word for word, it in WORDS.items() if found.may(who, it, f"hub/{path}"))


def test_an_account_gets_what_its_rules_say() -> None:
    found = imported(
        rule("*", account="anna"),
        rule("pull", "push", account="bert", name=r"/^team\/.+$/"),
        rule("pull", account="bert", name="base/alpine"),
    )
    # A rule for everything is for the catalog, too.
    assert found.grants == [
        ("user:anna", "catalog-lister", "hub"),
        ("user:anna", "deleter", "hub"),
        ("user:anna", "pusher", "hub"),
        ("user:bert", "puller", "hub/base/alpine"),
        ("user:bert", "pusher", "hub/team/*"),
    ]
    assert "secret" not in found.text


def test_a_refusal_before_a_wider_rule_holds() -> None:
    rules = (rule(account="anna", name=r"/^secret\//"), rule("pull", account="anna"))
    found = imported(*rules)
    assert found.grants == []
    assert "pull on names such as a" in found.reason("rule 2 (account 'anna')")
    known = replace(OPTIONS, repositories=("team/a", "secret/b", "team/b/c"))
    listed = imported(*rules, options=known)
    assert listed.grants == [("user:anna", "puller", "hub/team/*")]


def test_a_wider_rule_before_a_refusal_holds_too() -> None:
    found = imported(rule("pull", account="anna"), rule(account="anna", name="secret/a"))
    assert found.grants == [("user:anna", "puller", "hub")]
    assert not any(kind == "narrower" for kind, _subject in found.remarks)


def test_one_level_is_not_all_levels() -> None:
    one_level = rule("*", account="/.+/", name="${account}/*")
    found = imported(one_level)
    assert found.grants == []
    (remark,) = [it for it in found.imported.remarks if it.kind.value == "narrower"]
    assert "(to anna, bert)" in remark.reason
    assert "one level" in remark.reason
    assert "--repositories" in remark.advice
    assert "--deep" in remark.advice
    known = imported(
        one_level, options=replace(OPTIONS, repositories=("anna/x", "anna/x/y", "z/z"))
    )
    assert held(known, "user:anna", "anna/x") == "pull push delete"
    assert held(known, "user:anna", "anna/x/y") == ""
    assert held(known, "user:bert", "anna/x") == ""
    deep = imported(one_level, options=replace(OPTIONS, deep=True))
    assert held(deep, "user:bert", "bert/x/y") == "pull push delete"
    assert ("to do", "--deep") in deep.remarks


def test_an_account_is_quoted_where_a_rule_has_it_in_an_expression() -> None:
    users = {"a.b": {"password": "x"}, "axb": {"password": "x"}}
    found = imported(rule("pull", name="/^${account}/"), users=users)
    assert held(found, "user:a.b", "a.b/c") == "pull"
    assert held(found, "user:a.b", "axb/c") == ""


def test_everybody_is_here_whoever_signs_in_too() -> None:
    users = {"anna": {"password": "x"}, "": {}}
    opened = imported(rule("pull", name="public/a"), rule("pull"), users=users)
    assert ("anonymous", "puller", "hub") in opened.grants
    refused = imported(rule(account="anna", name="public/a"), rule("pull"), users=users)
    assert held(refused, "user:anna", "public/a") == ""
    assert ("narrower", "access without signing in") in refused.remarks


def test_what_is_for_some_addresses_is_told_for_whoever_does_not_sign_in_too() -> None:
    found = imported(rule("pull", account="", ip="10.0.0.1"), users={"": {}})
    assert found.grants == []
    assert "addresses of callers" in found.reason("rule 1 (account '', ip '10.0.0.1')")


def test_without_an_account_for_it_nobody_gets_in_unsigned() -> None:
    for nobody in ({}, {"": None}, {"": {"password": "x"}}):
        found = imported(rule("pull"), users={"anna": {}, **nobody})
        assert found.grants == [("user:anna", "puller", "hub")]


def test_the_public_never_pushes() -> None:
    found = imported(rule("*"), users={"": {}})
    assert found.grants == [("anonymous", "puller", "hub")]
    assert ("narrower", "access without signing in") in found.remarks


def test_whom_the_file_does_not_have_cannot_sign_in_there() -> None:
    found = imported(rule("*", account="eve"))
    assert found.grants == []
    assert "cannot sign in" in found.reason("account 'eve'")


def test_accounts_of_a_directory_are_taken_by_name_and_groups_become_teams() -> None:
    rules = (
        rule("*", account="eve"),
        rule("pull", "push", labels={"groups": "devs"}, name=r"/^web\/.*$/"),
    )
    options = replace(OPTIONS, provider="keycloak")
    found = imported(*rules, ldap_auth={"addr": "x"}, options=options)
    assert ("user:eve", "pusher", "hub") in found.grants
    assert ("team:devs", "pusher", "hub/web/*") in found.grants
    assert found.rules == [("devs", "keycloak", "groups", "devs")]
    # Who is refused before gets nothing by his group.
    refused = imported(rule(account="eve", name="web/a"), *rules, ldap_auth={}, options=options)
    assert not refused.may("user:eve", Action.CONTENT_READ, "hub/web/a", teams=["devs"])
    assert refused.rules == []


def test_labels_of_accounts_in_the_file_are_known() -> None:
    users = {
        "anna": {"labels": {"project": ["web", "shop"]}},
        "bert": {"labels": {"project": ["infra"], "group": ["admins"]}},
    }
    found = imported(
        rule("*", labels={"group": "admins"}),
        rule("pull", name=r"/^${labels:project}\/.+$/"),
        users=users,
    )
    assert held(found, "user:bert", "any/thing") == "pull push delete"
    assert held(found, "user:anna", "shop/a") == "pull"
    assert held(found, "user:anna", "infra/a") == ""


@pytest.mark.parametrize(
    ("condition", "why"),
    [
        ({"ip": "10.0.0.0/8"}, "addresses of callers"),
        ({"service": "prod"}, "--service"),
        ({"team": "x"}, "nothing is known of its condition 'team'"),
        ({"name": r"/(?i)team/"}, "its name is not read"),
        ({"name": "${account:1}/*"}, "not known"),
    ],
)
def test_a_condition_that_no_grant_says_gives_nothing_and_still_refuses(
    condition: dict[str, str], why: str
) -> None:
    found = imported(rule("pull", **condition))
    assert found.grants == []
    assert any(why in remark.reason for remark in found.imported.remarks)
    assert imported(rule(**condition), rule("pull")).grants == []
    known = imported(rule("pull", **condition), rule("pull", "push"))
    assert {role for _who, role, _scope in known.grants} == {"puller"}


def test_rules_for_other_services_are_not_for_this_one() -> None:
    rules = (rule(service="dev"), rule("pull", service="prod"))
    assert imported(*rules, options=replace(OPTIONS, service="dev")).grants == []
    assert len(imported(*rules, options=replace(OPTIONS, service="prod")).grants) == 2


def test_listing_the_catalog_is_given_with_pulling_and_else_told() -> None:
    lists = rule("*", account="anna", type="registry", name="catalog")
    found = imported(lists, rule("pull", account="anna"))
    assert ("user:anna", "catalog-lister", "hub") in found.grants
    alone = imported(lists, rule("pull", account="anna", name="a"))
    assert not alone.may("user:anna", Action.CATALOG_LIST, "hub/b")
    assert ("narrower", "the catalog for user:anna") in alone.remarks


def test_machines_are_told_apart_by_who_imports() -> None:
    found = imported(
        rule("pull", account="bert"), options=replace(OPTIONS, machines=frozenset({"bert"}))
    )
    assert found.grants == [("sp:bert", "puller", "hub")]


def test_rules_that_are_elsewhere_are_told() -> None:
    found = imported(rule("pull"), acl_mongo={"x": 1}, casbin_authz={})
    assert {("left out", "acl_mongo"), ("left out", "casbin_authz")} <= set(found.remarks)


@pytest.mark.parametrize(
    "data",
    [
        None,
        [],
        {},
        {"acl": "x"},
        {"acl": [None]},
        {"acl": [{"match": {}}]},
        {"acl": [{"match": None, "actions": []}]},
        {"acl": [{"match": {"name": 5}, "actions": []}]},
        {"acl": [{"match": {"labels": ["x"]}, "actions": []}]},
        {"acl": [{"match": {}, "actions": [5]}]},
    ],
)
def test_what_docker_auth_would_not_take_is_refused_with_a_sentence(data: Any) -> None:
    with pytest.raises(NotImportable):
        docker_auth.convert(data, OPTIONS)


def test_a_large_configuration_is_imported_in_seconds() -> None:
    users = {f"user{number}": {"password": "x"} for number in range(25)}
    rules = [rule("*", account=f"user{it}", name=rf"/^team{it}\/.+$/") for it in range(25)]
    shared = [
        rule(name="/-secret$/"),
        rule("pull", name=r"/^base\/[a-z]+$/"),
        rule("pull", name="lib/*"),
    ]
    known = tuple(f"lib/app{number}" for number in range(40))
    found = imported(*rules, *shared, users=users, options=replace(OPTIONS, repositories=known))
    assert held(found, "user:user24", "team24/a/b") == "pull push delete"
    assert held(found, "user:user24", "lib/app7") == "pull"
    assert len(found.grants) == 25 * (2 + 40)


def test_a_rule_that_would_never_end_ends() -> None:
    evil = "/^(a|a|aa)+(.*a.*){9}(b|c)*$/"
    assert imported(rule("pull", account="anna", name=evil)).grants == []
    assert imported(rule("pull", name="/" + "(" * 90 + "a" + ")" * 90 + "/")).grants == []


# Never wider -----------------------------------------------------------------------------------

NAMES = (
    "a", "b", "a/b", "a/a", "a/b/a", "anna/a", "anna", "bert/b/b", "catalog", "b/anna", "ab", "a-b/a",
)  # fmt: skip
PATTERNS = (
    "*", "a", "a/*", "a/b", "*/*", "?", "a?", "${account}/*", "${account}", "b/${account}", "/./", "/^a/",
    r"/^a\/.*$/", r"/^(a|b)\/[^\/]+$/", "/^[a-b]+$/", "/a$/", "/.*/", "/^${account}/", r"/^a(\/.*)?$/",
    "/^(a|anna)$/", "/b|^a$/", "catalog", r"/^(a|b)\/a/", "/(?i)^a/",
)  # fmt: skip
ACCOUNTS = ("anna", "bert", "*", "/.+/", "/.*/", "", "/^a/", "eve", "b*", "/^$/")
GIVEN: tuple[list[str], ...] = (
    ["*"],
    [],
    ["pull"],
    ["pull", "push"],
    ["push"],
    ["delete", "pull"],
    ["*", "pull"],
)


def optional(values: tuple[Any, ...]) -> st.SearchStrategy[Any]:
    return st.none() | st.sampled_from(values)


RULES = st.tuples(
    optional(ACCOUNTS),
    optional(PATTERNS),
    st.sampled_from((None, None, None, "repository", "registry", "r*", "/^re/")),
    st.sampled_from((None, None, None, None, "10.0.0.1")),
    st.sampled_from((None, None, None, "devs", "ops", "/^d/")),
    st.sampled_from(GIVEN),
)


def made(drawn: tuple[Any, ...]) -> dict[str, Any]:
    account, name, sort, ip, label, actions = drawn
    match = {"account": account, "name": name, "type": sort, "ip": ip}
    match["labels"] = {"group": label} if label else None
    return {"match": {key: it for key, it in match.items() if it is not None}, "actions": actions}


@settings(max_examples=40, deadline=None)
@given(
    st.lists(RULES, max_size=6),
    st.booleans(),
    st.booleans(),
    st.sampled_from(((), NAMES[:8])),
    st.sampled_from((None, "10.0.0.1")),
)
def test_nobody_gets_what_the_rules_do_not_give_and_nothing_is_lost_in_silence(
    drawn: list[Any], anonymous: bool, directory: bool, known: tuple[str, ...], ip: str | None
) -> None:
    users: dict[str, Any] = {"anna": {"labels": {"group": ["devs", "x"]}}, "bert": {}}
    if anonymous:
        users[""] = {}
    config: dict[str, Any] = {"users": users, "acl": [made(one) for one in drawn], "from": ip}
    if directory:
        config["ldap_auth"] = {"addr": "ldap.example.com"}
    options = replace(OPTIONS, repositories=known, provider="keycloak")
    found = checked(docker_auth.convert(config, options))
    told = " ".join(subject for _kind, subject in found.remarks)
    # Who cannot sign in there may still do what everybody may.
    for account in ("anna", "bert", *(["eve"] if directory else []), ""):
        principal = f"user:{account}" if account else "anonymous"
        for name in NAMES:
            theirs = allowed(config, account, name) if account or anonymous else set()
            ours = {word for word, it in WORDS.items() if found.may(principal, it, f"hub/{name}")}
            assert ours <= theirs, (account, name)
            if account != "eve":
                assert ours == theirs or "rule" in told or "without signing in" in told
        lists = found.may(principal, Action.CATALOG_LIST, "hub")
        assert not lists or "*" in allowed(config, account, "catalog", "registry")
    # Members of a group whom no file names: of eve it is known only that she has the label.
    config["users"]["eve"] = {"labels": {"group": ["devs"]}}
    if directory:
        for name in NAMES:
            ours = {
                word
                for word, it in WORDS.items()
                if found.may("user:eve", it, f"hub/{name}", teams=["devs"])
            }
            assert ours <= allowed(config, "eve", name)


KEYS = (
    "acl", "users", "match", "actions", "account", "name", "type", "ip", "service", "labels", "comment",
    "ldap_auth", "acl_mongo", "anna", "",
)  # fmt: skip
LEAVES: tuple[Any, ...] = (
    *PATTERNS,
    *ACCOUNTS,
    "pull",
    "push",
    "[a-",
    "/(/",
    "/a{9999}/",
    "${labels:x}",
    {},
    [],
    ["*"],
)


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 2**64))
def test_whatever_the_configuration_is_there_is_a_document_or_a_sentence(seed: int) -> None:
    data = anything(seed, KEYS, LEAVES)
    with contextlib.suppress(NotImportable):
        checked(docker_auth.convert(data, OPTIONS))


@settings(max_examples=60, deadline=None)
@given(st.text("ab/*?[]\\-^${account}().|+_1", max_size=14))
def test_any_text_is_a_pattern_or_none(pattern: str) -> None:
    checked(docker_auth.convert({"users": {"a": {}}, "acl": [rule("pull", name=pattern)]}, OPTIONS))
