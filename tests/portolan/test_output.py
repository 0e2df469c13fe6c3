"""What is printed: whole in a pipe, fitting on a terminal, and no orders to it."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from portolan.output import Column, Output, as_json, clean

ROWS = [
    {"name": "prod", "host": "registry.example.com", "tags": 12},
    {"name": "staging-of-a-long-name", "host": "s.example.com", "tags": 3},
]
COLUMNS = (
    Column("Registry", lambda row: row["name"]),
    Column("Host", lambda row: row["host"], spare=True),
    Column("Tags", lambda row: row["tags"], right=True, piped=lambda row: row["tags"] * 1000),
)


def on_a_terminal(width: int) -> Output:
    out = Output()
    out.console = Console(force_terminal=True, width=width, highlight=False, color_system=None)
    out.is_terminal = True
    return out


def test_in_a_pipe_columns_are_plain_and_whole(capsys: pytest.CaptureFixture[str]) -> None:
    Output().rows(COLUMNS, ROWS)
    assert capsys.readouterr().out == (
        "REGISTRY                HOST                   TAGS\n"
        "prod                    registry.example.com  12000\n"
        "staging-of-a-long-name  s.example.com          3000\n"
    )


def test_on_a_narrow_terminal_spare_columns_go(capsys: pytest.CaptureFixture[str]) -> None:
    on_a_terminal(80).rows(COLUMNS, ROWS)
    assert "registry.example.com" in capsys.readouterr().out
    on_a_terminal(34).rows(COLUMNS, ROWS)
    printed = capsys.readouterr().out
    assert "Host" not in printed
    assert "staging-of-a-long-name" in printed
    assert all(len(line) <= 34 for line in printed.splitlines())


DIGEST = "sha256:" + "0f" * 6
IMAGE = (
    Column("Digest", lambda row: row["digest"]),
    Column("Size", lambda row: row["size"], right=True),
    Column("Made by", lambda row: row["command"], long=True),
    Column("Note", lambda row: row["note"], spare=True),
)
LAYER = {
    "digest": DIGEST,
    "size": "28.1 MiB",
    "command": "RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates",
    "note": "of the base",
}


@pytest.mark.parametrize("width", [48, 59, 60, 80, 200])
def test_on_any_terminal_long_text_gives_way_before_names_and_numbers(
    width: int, capsys: pytest.CaptureFixture[str]
) -> None:
    on_a_terminal(width).rows(IMAGE, [LAYER])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split()[:4] == ["Digest", "Size", "Made", "by"]
    assert lines[1].startswith(f"{DIGEST}  28.1 MiB  RUN")
    assert all(len(line) <= width for line in lines)
    assert "ca-certificates" in "".join(line.split("28.1 MiB")[-1].strip() for line in lines)
    assert "…" not in "".join(lines)
    assert ("of the base" in lines[1]) is (width >= 60)


def test_a_name_that_is_wider_than_the_terminal_is_whole(
    capsys: pytest.CaptureFixture[str],
) -> None:
    columns = (Column("Kind", lambda row: row["kind"]), Column("Name", lambda row: row["name"]))
    name = f"prod/team-a/app@{DIGEST * 4}"
    on_a_terminal(50).rows(columns, [{"kind": "repository", "name": name}])
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].startswith("repository  prod/team-a/app@")
    assert "".join(line[len("repository  ") :].strip() for line in lines[1:]) == name


def test_an_empty_cell_is_one_for_programs_too(capsys: pytest.CaptureFixture[str]) -> None:
    Output().rows(COLUMNS[:2], [{"name": "prod", "host": ""}, {"name": "b", "host": None}])
    rows = [line.split() for line in capsys.readouterr().out.splitlines()[1:]]
    assert rows == [["prod", "–"], ["b", "–"]]


@contextlib.contextmanager
def unread() -> Iterator[None]:
    """Standard output is a pipe whose reader has gone."""
    reader, writer = os.pipe()
    os.close(reader)
    # Its last words go nowhere.
    with os.fdopen(writer, "w", encoding="utf-8") as stream, contextlib.ExitStack() as after:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        after.callback(os.close, nowhere)
        after.callback(os.dup2, nowhere, writer)
        with contextlib.redirect_stdout(stream):
            yield


def told(out: Output, *, as_data: bool) -> None:
    for number in range(3):
        out.line(number) if as_data else out.print(number)


@pytest.mark.parametrize("as_data", [False, True])
def test_a_reader_that_goes_ends_a_list_and_takes_no_answer_away(as_data: bool) -> None:
    with unread():
        told(Output(to_the_end=True), as_data=as_data)
    with unread(), pytest.raises(BrokenPipeError):
        told(Output(), as_data=as_data)


def test_nothing_is_said_beside_the_answer(capsys: pytest.CaptureFixture[str]) -> None:
    Output().rows(COLUMNS, [], empty="No registry yet.")
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err == "No registry yet.\n"


def test_a_list_is_one_document(capsys: pytest.CaptureFixture[str]) -> None:
    for rows in ([], ROWS[:1], ROWS):
        Output(as_json=True).rows(COLUMNS, iter(rows))
        assert json.loads(capsys.readouterr().out) == rows


def test_a_strangers_words_give_the_terminal_no_orders(capsys: pytest.CaptureFixture[str]) -> None:
    evil = "\x1b]0;owned\x07[red]red[/red]\x9b31m\u202efdp.exe"
    out = Output()
    out.rows(COLUMNS, [{"name": evil, "host": evil, "tags": 1}])
    out.facts({}, [("Note", evil)])
    out.note(evil)
    out.failed(evil, [evil])
    printed = capsys.readouterr()
    for character in "\x1b\x07\x9b\u202e":
        assert character not in printed.out + printed.err
    assert "[red]red[/red]" in printed.out


def test_nobodys_words_make_a_line_of_ours(capsys: pytest.CaptureFixture[str]) -> None:
    evil = "x\n- registries prod\nNo changes."
    row = {"name": evil, "host": evil, "tags": 1}
    said: list[tuple[str, tuple[Any, ...], int]] = [
        ("print", (evil,), 1),
        ("say", (evil, "", evil), 1),
        ("changed", ("+", evil), 1),
        ("event", (evil, evil, [evil]), 1),
        ("note", (evil,), 1),
        ("failed", (evil, [evil]), 2),
        ("rows", (COLUMNS, [row]), 2),
    ]
    for out in (Output(), on_a_terminal(200)):
        for name, words, lines in said:
            getattr(out, name)(*words)
            printed = capsys.readouterr()
            assert len((printed.out + printed.err).splitlines()) == lines, name


def test_facts_of_several_lines_stay_below_each_other(capsys: pytest.CaptureFixture[str]) -> None:
    Output().facts({}, [("Note", "one\ntwo"), ("By", "anna")])
    assert capsys.readouterr().out == "Note  one\n      two\nBy    anna\n"


def test_what_is_printed_whole_gives_a_terminal_no_orders(
    capsysbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    evil = b'{"a": "\xc2\x9b31mRED \x1b]0;owned\x07"}\r\n\xff'
    # Colours are about looks: a pipe that is to have them stays a pipe.
    monkeypatch.setenv("FORCE_COLOR", "1")
    Output().content(evil)
    Output().whole("\x1b")
    assert capsysbinary.readouterr().out == evil + b"\x1b"
    # And a terminal that is to have none stays a terminal.
    monkeypatch.setenv("FORCE_COLOR", "")
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    Output().content(evil)
    Output().whole("\x1b")
    shown = capsysbinary.readouterr().out.decode()
    assert shown == '{"a": "�31mRED �]0;owned�"}�\n��'


@given(st.text())
def test_json_stays_what_it_was_and_is_printable(text: str) -> None:
    written = as_json({"a": text})
    assert json.loads(written) == {"a": text}
    assert written.isprintable()
    assert "\x1b" not in clean(text)
