"""Secrets of a governance file are read here, and never shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from dashboard.governance.kinds import REFERENCE as ON_THE_SERVER
from dashboard.governance.sections import SECTIONS
from portolan.failures import Failure, Unreachable
from portolan.resolving import PLACES, REFERENCE, references_in, resolved, wanted

FILE = """\
version: 1
# password: file:/comment
registries:
- {name: env:NAME, url: https://r.example.com, password: env:PASSWORD}
- name: other
  username: env:USERNAME
  'password': "file:/run/secrets/\\
    other"
  "api_secret": 'file:with space'
  description: file:/home/anna/.ssh/id_rsa
webhooks:
- name: deploys
  url: env:HOOK
  headers: {Authorization: env:TOKEN, X-Plain: text, env:KEY: file:/run/secrets/header}
teams:
- {name: shop, description: env:AWS_SECRET_ACCESS_KEY, password: env:NO_PLACE}
"""
NAMED = {
    "env:PASSWORD",
    "file:/run/secrets/other",
    "file:with space",
    "env:HOOK",
    "env:TOKEN",
    "file:/run/secrets/header",
}
BY = "https://portolan.example.com"


def test_a_file_names_what_stands_where_secrets_have_their_place() -> None:
    assert references_in(FILE) == NAMED
    as_json = '{"version": 1, "registries": [{"name": "r", "password": "env:PASSWORD"}]}'
    assert references_in(as_json) == {"env:PASSWORD"}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "registries: [",
        "\0",
        "registries: file:/etc/passwd",
        "- registries: [{password: [[[[[[[[[[[[[[[env:DEEP]]]]]]]]]]]]]]]}]",
        "[" * 100_000,
        "a: &a {password: env:A}\nregistries: [*a]\n",
        "a: &a {password: env:A}\nregistries:\n- {<<: *a}\n",
        "--- {}\n--- {registries: [{password: env:SECOND}]}\n",
    ],
)
def test_what_is_no_file_of_ours_names_nothing(text: str) -> None:
    assert references_in(text) == frozenset()


def test_the_places_are_those_of_the_server() -> None:
    assert REFERENCE.pattern == ON_THE_SERVER.pattern
    there = {
        (name, one.name) for name, it in SECTIONS.items() for one in it.fields if one.is_secret
    }
    assert there == PLACES


def test_a_server_is_given_what_it_asks_for_of_the_file() -> None:
    assert wanted(FILE, [], by=BY) == []
    assert wanted(FILE, ["env:TOKEN", "env:PASSWORD", "env:TOKEN"], by=BY) == [
        "env:PASSWORD",
        "env:TOKEN",
    ]


@pytest.mark.parametrize(
    "asked",
    [
        ["env:PASSWORD", "env:AWS_SECRET_ACCESS_KEY"],
        ["file:/home/anna/.ssh/id_rsa"],
        ["env:NO_PLACE"],
        ["env:password"],
        ["text"],
        ["file:/run/secrets/\nother"],
        [["env:PASSWORD"]],
        [None],
        {"env:PASSWORD": ""},
        None,
    ],
)
def test_a_server_that_asks_for_more_gets_nothing(asked: object) -> None:
    with pytest.raises(Unreachable, match="asks for a secret that the file does not name") as said:
        wanted(FILE, asked, by=BY)
    assert "\n" not in said.value.sentence


def test_a_reference_is_read_where_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROD_PASSWORD", "hunter2")
    file = tmp_path / "password"
    file.write_text("hunter3\n", encoding="utf-8")
    assert resolved(["env:PROD_PASSWORD", f"file:{file}"]) == {
        "env:PROD_PASSWORD": "hunter2",
        f"file:{file}": "hunter3",
    }


def test_all_that_lead_to_nothing_are_named_and_no_value_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SET", "hunter2")
    (tmp_path / "empty").touch()
    (tmp_path / "bytes").write_bytes(b"\xff\xfe")
    (tmp_path / "long").write_bytes(b"x" * 70_000)
    wrong = [
        "env:UNSET_AND_MISSING",
        "env:SET",
        f"file:{tmp_path / 'nothing'}",
        *(f"file:{tmp_path / name}" for name in ("empty", "bytes", "long")),
        f"file:{tmp_path}",
        "file:a\0b",
        "http:x",
    ]
    with pytest.raises(Failure) as failure:
        resolved(wrong)
    assert len(failure.value.details) == len(wrong) - 1
    assert "hunter2" not in repr(failure.value.details)
