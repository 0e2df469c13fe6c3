"""Where secrets come from: for a shell from its own machine, for a caller from what he sends alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from dashboard.governance.secrets import LIMIT, MissingSecret, from_here, once, sent_along


def test_a_shell_reads_its_environment_and_its_files(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("A_PASSWORD", "s3cret")
    (tmp_path / "token").write_text("with spaces \n")
    assert from_here("env:A_PASSWORD") == "s3cret"
    assert from_here(f"file:{tmp_path / 'token'}") == "with spaces "


def test_what_leads_to_nothing_says_so_and_shows_no_value(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("EMPTY", "")
    monkeypatch.delenv("UNSET", raising=False)
    (tmp_path / "empty").write_text("\n")
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    (tmp_path / "long").write_text("x" * (LIMIT + 1))
    for reference, says in (
        ("env:EMPTY", "is empty"),
        ("env:UNSET", "UNSET is not set"),
        (f"file:{tmp_path / 'none'}", "cannot be read: No such file"),
        (f"file:{tmp_path}", "cannot be read"),
        (f"file:{tmp_path / 'empty'}", "is empty"),
        (f"file:{tmp_path / 'binary'}", "no text"),
        (f"file:{tmp_path / 'long'}", "longer than any secret"),
    ):
        with pytest.raises(MissingSecret, match=says) as missing:
            from_here(reference)
        assert "xxx" not in str(missing.value)


def test_what_a_caller_sends_is_never_looked_up_on_this_machine(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SECRET_KEY", "the server's own")
    resolve = sent_along({"env:MINE": "mine"})
    assert resolve("env:MINE") == "mine"
    for reference in ("env:SECRET_KEY", "file:/etc/passwd"):
        with pytest.raises(MissingSecret, match="not looked up here"):
            resolve(reference)


def test_each_reference_is_looked_up_once_and_a_value_is_itself() -> None:
    asked: list[str] = []

    def resolve(reference: str) -> str:
        asked.append(reference)
        return "s3cret"

    known = once(resolve)
    assert [known("env:A"), known("env:A"), known("https://x.example")] == [
        "s3cret",
        "s3cret",
        "https://x.example",
    ]
    assert asked == ["env:A"]
