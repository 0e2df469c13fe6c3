"""What is offered to a shell, which makes code of it: names, and nothing else."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from portolan import completion
from portolan.contexts import Context, Contexts
from portolan.failures import NotSignedIn, Unreachable

ROOT = Path(__file__).resolve().parents[2]
EVIL = [
    "$(touch owned)",
    "`touch owned`",
    "a'b",
    'a"b',
    "a;b",
    "a b",
    "a\nb",
    "a\\b",
    "a\x1b]0;owned\x07",
    "a)",
    "--yes",
    "",
    "…",
]
ANSWERS: list[Any] = [None, [], {"items": None}, {"items": [{}]}, {"items": [7]}, "text"]
OFFERING = """
import sys, portolan.completion as completion
from portolan.main import run
completion._asked = lambda *_asked: sys.argv.pop().split("|")
run()
"""


@pytest.fixture
def saying(monkeypatch: pytest.MonkeyPatch) -> Callable[[Any], None]:
    """A server that gives this answer, or raises it."""
    monkeypatch.setenv("PORTOLAN_SERVER", "https://portolan.example.com")
    monkeypatch.setenv("PORTOLAN_TOKEN", "a-token")

    def say(answer: Any) -> None:
        def get(*_asked: object, **_query: object) -> Any:
            if isinstance(answer, Exception):
                raise answer
            return answer

        monkeypatch.setattr("portolan.server.Server.get", get)

    return say


def test_names_of_registries_are_offered_and_nothing_else(saying: Callable[[Any], None]) -> None:
    names = ["prod", "prod-2", "r.example.com", "staging", *EVIL]
    saying({"items": [{"name": name} for name in names]})
    assert completion.registry_names("") == ["prod", "prod-2", "r.example.com", "staging"]
    assert completion.registry_names("prod") == ["prod", "prod-2"]
    assert completion.repository_names("st") == ["staging/"]
    assert completion.registry_names("$") == []


def test_paths_of_repositories_are_offered_and_nothing_else(saying: Callable[[Any], None]) -> None:
    paths = ["team-a/app", "team_b/app.web", "a/../b", "a//b", "/a", *EVIL]
    saying({"items": [{"path": path} for path in paths]})
    offered = ["prod/team-a/app", "prod/team_b/app.web"]
    assert completion.registry_names("prod/") == offered
    assert completion.repository_names("prod/team-") == offered[:1]
    assert completion.repository_names("$(touch owned)/") == []
    assert completion.repository_names("../..//") == []


def test_contexts_are_offered_by_names_that_are_plain() -> None:
    contexts = Contexts()
    for name in ("work", "localhost:8000", "me@home", *EVIL):
        contexts = contexts.with_context(Context(name, "https://c.example.com", "token"))
    contexts.save()
    assert completion.context_names("") == ["work", "localhost:8000", "me@home"]


@pytest.mark.filterwarnings("error::pytest.PytestUnhandledThreadExceptionWarning")
@pytest.mark.parametrize("answer", [*ANSWERS, NotSignedIn("No."), Unreachable("No.")])
def test_what_is_no_answer_offers_nothing(
    saying: Callable[[Any], None], answer: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    saying(answer)
    assert completion.registry_names("") == []
    assert completion.repository_names("prod/") == []
    assert capsys.readouterr() == ("", "")


def test_nobody_waits_at_a_tab_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(completion, "SECONDS", 0.01)
    monkeypatch.setattr(completion, "_asked", lambda *_asked: [str(Event().wait(5))])
    began = time.monotonic()
    assert completion.registry_names("") == []
    assert time.monotonic() - began < 4


def test_what_zsh_evaluates_holds_names_alone() -> None:
    done = subprocess.run(
        [sys.executable, "-c", OFFERING, "|".join(["prod", *EVIL])],
        env={"_PORTOLAN_COMPLETE": "complete_zsh", "_TYPER_COMPLETE_ARGS": "portolan sync "},
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    assert done.stdout.strip() == """_arguments '*: :(("prod"))'""", done.stderr
