"""The file: read strictly, with the place of every mistake; written always the same."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from dashboard.governance import tree
from dashboard.governance.document import Document, build, dump, parse
from dashboard.governance.problems import InvalidDocument
from dashboard.governance.schema import schema
from dashboard.governance.sections import GRANTS, MEMBERS, REGISTRIES, TEAMS, TOP, WEBHOOKS
from tests.dashboard.governance.made import governance

NOBODY = "“someone” is nobody: write user:NAME, team:NAME, sp:NAME, or anonymous."
QUICKLY = settings(max_examples=60, deadline=None)


def problems(text: str) -> list[str]:
    with pytest.raises(InvalidDocument) as refused:
        parse(text)
    return [str(one) for one in refused.value.problems]


def said(text: str) -> str:
    (only,) = problems(text)
    return only


# Reading --------------------------------------------------------------------------------------


def test_a_file_is_read_into_its_kept_forms() -> None:
    document = parse(
        "version: 1\n"
        "grants:\n"
        "  - principal: team:platform\n"
        "    role: reader\n"
        "    scope: harbour/*\n"
        "    until: 2027-01-31\n"
        "teams:\n"
        "  - name: platform\n"
        "    maintainers: [anna]\n"
        "    members: [bert]\n"
    )
    (grant,) = document.of(GRANTS)
    assert grant.key == ("team:platform", "reader", "harbour")
    assert grant.values["until"].isoformat() == "2027-02-01T00:00:00+00:00"
    assert (grant.line, grant.path) == (3, "grants[0]")
    members = {item.values["user"]: item.values["maintainer"] for item in document.of(MEMBERS)}
    assert members == {"anna": True, "bert": False}


def test_a_section_that_is_not_there_says_nothing_and_an_empty_one_says_that_nothing_is() -> None:
    document = parse("version: 1\nteams: [{name: a, members: []}]\ngrants: []\n")
    assert document.names_all(TEAMS, ("b",))
    assert document.names_all(GRANTS, ("user:anna", "owner", "*"))
    assert not document.names_all(REGISTRIES, ("prod",))
    assert document.names_all(MEMBERS, ("a", "anna"))
    assert not document.names_all(MEMBERS, ("b", "anna"))


def test_every_mistake_is_told_at_once_with_line_and_place() -> None:
    told = problems(
        "version: 1\n"
        "grants:\n"
        "  - principal: someone\n"
        "    role: [reader]\n"
        "    scope: harbour/te*am\n"
        "    resaon: x\n"
        "team: []\n"
    )
    assert told == [
        f"line 3: grants[0].principal: {NOBODY}",
        "line 4: grants[0].role: This is to be a text.",
        f"line 5: grants[0].scope: {told[2].partition('scope: ')[2]}",
        "line 6: grants[0].resaon: There is no such key: did you mean “reason”?",
        "line 7: team: There is no such key: did you mean “teams”?",
    ]
    assert len(told) == 5


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "The file is empty."),
        ("[]", "begins with “version: 1”"),
        ("{}", "Write “version: 1”"),
        ("version: true", "Write “version: 1”"),
        ("version: 2", "Write “version: 1”"),
        ("version: 1\nversion: 1", "line 2: version: This key stands here twice."),
        ("version: 1\nteams: {}", "line 2: teams: This is to be a list"),
        ("version: 1\nteams: [x]", "line 2: teams[0]: Write name and the rest as key: value."),
        ("version: 1\nteams: [{}]", "line 2: teams[0]: It needs “name”."),
        ("version: 1\nteams: [{name: 12}]", "write it in quotes, “12”"),
        ("version: 1\nteams: [{name: true}]", "write it in quotes, “true”"),
        ("version: 1\nteams: [{name: a b}]", "use letters, digits"),
        ("version: 1\nteams: [{name: a, members: x}]", "teams[0].members: This is to be a list"),
        ("version: 1\nteams: [{name: a}, {name: a}]", "teams[1]: a stands here already on line 2."),
        ("version: 1\nteams: [{name: a, members: [b], maintainers: [b]}]", "b in a stands here"),
        ("version: 1\nadmin_accounts: [{registry: a, enabled: yes}]", "Write true or false."),
        ("version: 1\nteams: [{name: a, description: 'a\tb\x7f'}]", "characters"),
        ('version: 1\nteams: [{name: a, description: "\\0"}]', "cannot be seen"),
        ("a: &x 1", "Anchors and aliases"),
        ("a: *x", "Anchors and aliases"),
        ("a: !!python/name:os.system x", "Tags (!)"),
        ("--- 1\n--- 2", "One document a file"),
        ("? [a]\n: 1", "A key is a single word."),
        ("a: [", "This is not YAML"),
        ("a: b: c", "line 1: This is not YAML"),
        ("a: \x00", "has characters that no text has"),
        ("a: \ud800", "has characters that no text has"),
        ("[" * 50, "nested too deep"),
        ("[" * 50_000, "exceeded maximum nesting depth"),
    ],
)
def test_what_is_no_governance_is_refused(text: str, says: str) -> None:
    assert says in said(text)


def test_a_file_that_is_too_large_is_not_looked_at() -> None:
    assert "larger than 8 MiB" in said("#" * (tree.BYTES + 1))


def test_a_registry_in_a_file_is_judged_field_by_field() -> None:
    told = problems(
        "version: 1\n"
        "registries:\n"
        "  - name: Prod\n"
        "    kind: distributoin\n"
        "    url: ''\n"
        "    sync_every: 15 minutes\n"
        "    options: {tenant: [a]}\n"
        "    repositories: [a, 1]\n"
        "    password: hunter2\n"
    )
    assert [one.partition(": ")[2].partition(": ")[0] for one in told] == [
        "registries[0].name",
        "registries[0].kind",
        "registries[0].url",
        "registries[0].sync_every",
        "registries[0].options.tenant",
        "registries[0].repositories[1]",
        "registries[0].password",
    ]
    assert "did you mean “distribution”?" in told[1]
    # A password that was written down by mistake is not spread by the error, too.
    assert "env:NAME or file:PATH" in told[-1]
    assert "hunter2" not in "".join(told)


@pytest.mark.parametrize("span", ["59s", "32d", "0m", "1w", "-5m", "1.5h", ""])
def test_a_span_that_cannot_be_is_refused(span: str) -> None:
    text = f"version: 1\nregistries: [{{name: a, kind: zot, url: a.b, sync_every: '{span}'}}]"
    assert "registries[0].sync_every" in said(text)


def test_more_problems_than_anybody_mends_are_counted() -> None:
    with pytest.raises(InvalidDocument) as refused:
        parse("version: 1\nteams:\n" + "  - {}\n" * 150)
    assert len(refused.value.problems) == 100
    assert str(refused.value).endswith("and 50 more")


def test_the_file_in_the_handbook_is_one() -> None:
    handbook = (Path(__file__).resolve().parents[3] / "docs" / "governance.md").read_text()
    text = handbook.partition("```yaml\n")[2].partition("```")[0]
    document = parse(text)
    assert {name: len(items) for name, items in document.items.items()} == {
        "registries": 1, "teams": 1, "members": 2, "claim_rules": 1, "service_principals": 1,
        "trust_rules": 1, "grants": 3, "webhooks": 1,
    }  # fmt: skip
    jsonschema.Draft202012Validator(schema()).validate(
        yaml.load(text, Loader=yaml.BaseLoader) | {"version": 1}
    )


def test_a_mark_of_byte_order_and_line_ends_of_windows_are_no_mistakes() -> None:
    text = "version: 1\nteams:\n  - name: a\n    members: [bert]\n"
    assert parse("\ufeff" + text.replace("\n", "\r\n")) == parse(text)


def test_values_are_read_as_a_file_with_them_would_be() -> None:
    data = {"version": 1, "teams": [{"name": "a", "members": ["anna"]}]}
    assert build(data) == parse(yaml.safe_dump(data))
    with pytest.raises(InvalidDocument, match=r"teams\[0\]\.name"):
        build({"version": 1, "teams": [{"name": 1.5}]})


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from([*TOP, "name", "members", "version", "url"]), inner, max_size=3
        )
    ),
    max_leaves=12,
)


@QUICKLY
@given(anything)
def test_whatever_structure_comes_nothing_but_problems_comes_of_it(data: Any) -> None:
    with contextlib.suppress(InvalidDocument):
        assert isinstance(parse(yaml.safe_dump(data)), Document)
    with contextlib.suppress(InvalidDocument):
        assert isinstance(build({"version": 1, "teams": data}), Document)


@QUICKLY
@given(st.text(max_size=60) | st.text("-:[]{}&*!|>'\"#\n ab1?,%@`\\\t", max_size=60))
def test_whatever_text_comes_nothing_but_problems_comes_of_it(text: str) -> None:
    with contextlib.suppress(InvalidDocument):
        assert isinstance(parse(text), Document)


# Writing --------------------------------------------------------------------------------------


# Each draws a whole installation.
@settings(max_examples=25, deadline=None)
@given(governance())
def test_what_is_written_reads_back_as_the_same_and_is_written_the_same(data: Any) -> None:
    document = build(data)
    text = dump(document)
    again = parse(text)
    assert dump(again) == text
    assert {name: set(map(repr, map(_plain, items))) for name, items in again.items.items()} == {
        name: set(map(repr, map(_plain, items))) for name, items in document.items.items()
    }
    # Another parser, of YAML 1.1, sees the same values.
    assert dump(build(yaml.safe_load(text))) == text
    jsonschema.Draft202012Validator(schema()).validate(yaml.safe_load(text))


def _plain(item: Any) -> list[tuple[str, Any]]:
    return sorted(item.values.items())


def test_the_order_of_a_file_makes_no_difference_to_what_is_written() -> None:
    one = {"name": "a", "members": ["x", "b"]}
    two = {"name": "b"}
    assert dump(build({"version": 1, "teams": [one, two]})) == dump(
        build({"version": 1, "teams": [two, {"name": "a", "members": ["b", "x"]}]})
    )


def test_no_secret_is_written_not_even_where_it_is() -> None:
    document = parse(
        "version: 1\n"
        "registries: [{name: a, kind: zot, url: a.b, username: u, password: env:PASSWORD}]\n"
        "webhooks: [{name: w, where: '*', topics: [push], payload: slack,"
        " url: 'https://hooks.example.com/very-secret', headers: {Authorization: file:/token}}]\n"
    )
    assert document.of(REGISTRIES)[0].values["password"] == "env:PASSWORD"
    assert document.of(WEBHOOKS)[0].values["headers"] == {"Authorization": "file:/token"}
    assert "very-secret" not in repr(document)
    text = dump(document)
    assert all(word not in text for word in ("PASSWORD", "very-secret", "Authorization", "/token"))


def test_certificates_stay_readable() -> None:
    pem = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
    data = {"name": "a", "kind": "zot", "url": "a.b", "ca_certificate": pem}
    text = dump(build({"version": 1, "registries": [data]}))
    assert "    ca_certificate: |\n      -----BEGIN CERTIFICATE-----\n" in text
    assert parse(text).of(REGISTRIES)[0].values["ca_certificate"] == pem


# The schema -----------------------------------------------------------------------------------


def test_the_schema_is_one_and_refuses_what_a_file_may_not_have() -> None:
    jsonschema.Draft202012Validator.check_schema(schema())
    judge = jsonschema.Draft202012Validator(schema())
    team = {"name": "a"}
    assert judge.is_valid({"version": 1, "teams": [team]})
    for wrong in (
        {},
        {"version": 2},
        {"version": 1, "team": []},
        {"version": 1, "teams": [{}]},
        {"version": 1, "teams": [{**team, "owner": "anna"}]},
        {"version": 1, "registries": [{"name": "a", "kind": "ftp", "url": "x"}]},
        {"version": 1, "registries": [{"name": "a", "kind": "zot", "url": "x", "password": "x"}]},
    ):
        assert not judge.is_valid(wrong), wrong
