"""`sync --watch`: somebody who waits is told for what, and for how long."""

from __future__ import annotations

import json
from typing import Any

import pytest

from portolan.failures import Ending
from portolan.main import main
from portolan.session import Session
from tests.portolan.misbehaving import Saying, problem, said

COUNTS = dict.fromkeys(
    (
        "repositories_found",
        "repositories_done",
        "tags_seen",
        "requests",
        "added",
        "moved",
        "removed",
    ),
    0,
)


def run(state: str, **more: Any) -> Any:
    return said({"id": 7, "state": state, "summary": "", **COUNTS, **more})


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long was slept each time; nobody waits."""
    slept: list[float] = []
    monkeypatch.setattr("time.sleep", slept.append)
    monkeypatch.setattr("time.monotonic", lambda: sum(slept))
    return slept


def asked(monkeypatch: pytest.MonkeyPatch, saying: Saying, *arguments: str) -> int:
    monkeypatch.setattr(Session, "server", saying.server())
    return main(["sync", "prod", "--watch", *arguments])


@pytest.mark.parametrize("form", [[], ["--json"]])
def test_what_a_run_waits_for_is_said_at_once_and_when_it_changes(
    form: list[str],
    clock: list[float],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    saying = Saying(run("queued"), *[run("queued")] * 30, run("running"), run("succeeded"))
    assert asked(monkeypatch, saying, *form) == Ending.OK
    assert capsys.readouterr().err.splitlines() == [
        "Sync 7 is waiting for a worker.",
        "No worker has taken it yet: does one run at the server?",
        "Sync 7 is under way.",
    ]


def test_it_is_watched_no_longer_than_was_said(
    clock: list[float], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    saying = Saying(run("queued"), *[run("running", tags_seen=n) for n in range(20)])
    assert asked(monkeypatch, saying, "--timeout", "10") == Ending.NO
    assert sum(clock) == 10
    assert "under way after 10 seconds" in capsys.readouterr().err
    assert main(["sync", "prod", "--timeout", "10"]) == Ending.USAGE


def test_what_is_done_in_part_is_no_success(
    clock: list[float], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    saying = Saying(run("running"), run("partial", summary="Two repositories were not read."))
    assert asked(monkeypatch, saying, "--json") == Ending.NO
    states = [json.loads(line)["state"] for line in capsys.readouterr().out.splitlines()]
    assert states == ["running", "partial"]


def test_a_registry_that_is_not_seen_is_told_by_name(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    nothing = problem(404, "There is no registry of this name.", code="not_found")
    assert asked(monkeypatch, Saying(nothing, nothing)) == Ending.NOT_ALLOWED
    assert capsys.readouterr().err == "portolan: You see no registry “prod”.\n"
