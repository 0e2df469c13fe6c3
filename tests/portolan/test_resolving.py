"""Secrets of a governance file are read here, and never shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from portolan.failures import Failure
from portolan.resolving import resolved


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
