"""Whatever goes wrong, a command ends with a sentence and a number of its own."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from portolan.failures import Ending
from portolan.main import main
from portolan.session import Session

ROOT = Path(__file__).resolve().parents[2]


def shell(line: str, home: Path) -> subprocess.CompletedProcess[str]:
    """A line of a shell in which `portolan` is the command, as people run it."""
    script = f'portolan() {{ "{sys.executable}" -m portolan "$@"; }}; {line}'
    return subprocess.run(
        ["bash", "-c", script],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={**os.environ, "PYTHONPATH": str(ROOT), "HOME": str(home)},
    )


def breaks(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    """What every command does first raises this."""

    def broken(_session: Session) -> None:
        raise error

    monkeypatch.setattr(Session, "contexts", property(broken))


def test_what_the_system_refuses_is_said_with_its_place(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    breaks(monkeypatch, PermissionError(13, "Permission denied", "/proc/nope"))
    assert main(["contexts"]) == Ending.NO
    assert capsys.readouterr().err == "portolan: /proc/nope: Permission denied.\n"


def test_a_mistake_of_ours_is_admitted_and_its_words_are_kept_to_ourselves(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    breaks(monkeypatch, KeyError("Bearer ptl_pat_secret"))
    assert main(["contexts"]) == Ending.MISTAKE
    said = capsys.readouterr().err
    assert "This is a mistake in portolan" in said
    assert "KeyError in test_main.py" in said
    assert "Traceback" not in said
    assert "ptl_pat" not in said
    monkeypatch.setenv("PORTOLAN_DEBUG", "1")
    assert main(["contexts"]) == Ending.MISTAKE
    assert "Traceback" in capsys.readouterr().err


def test_an_end_of_input_is_an_interruption(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    breaks(monkeypatch, EOFError())
    assert main(["contexts"]) == Ending.INTERRUPTED
    assert capsys.readouterr().err.strip() == ""


def test_bytes_that_are_no_text_are_no_token(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"\xff\xfe"), encoding="utf-8"))
    assert main(["login", "localhost:9", "--token-stdin"]) == Ending.USAGE
    assert "is no token" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("line", "code", "said"),
    [
        ("portolan login localhost:9 <&- >&-", 64, "Nobody is here"),
        ("portolan --help > /dev/full", 1, "No space left"),
        ("portolan --help | true; exit ${PIPESTATUS[0]}", 0, ""),
    ],
)
def test_streams_that_are_closed_or_full_end_in_a_sentence(
    line: str, code: int, said: str, home: Path
) -> None:
    done = shell(line, home)
    assert done.returncode == code, done.stderr
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr.splitlines()) <= 1
