"""`export`: to a file where one is named, whatever is asked for."""

from __future__ import annotations

import json
from pathlib import Path

import httpx
import pytest

from portolan.main import main
from portolan.session import Session
from tests.portolan.misbehaving import Saying, said

SCHEMA = {"title": "Grüße", "type": "object"}
DOCUMENT = "version: 1\n"


@pytest.mark.parametrize("form", [[], ["--json"]])
def test_the_schema_goes_where_it_was_sent(
    form: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(Session, "server", Saying(said(SCHEMA), said(SCHEMA)).server())
    file = tmp_path / "schema.json"
    assert main(["export", "--schema", "-o", str(file), *form]) == 0
    assert json.loads(file.read_text(encoding="utf-8")) == SCHEMA
    assert capsys.readouterr().out == ""
    assert main(["export", "--schema", *form]) == 0
    assert json.loads(capsys.readouterr().out) == SCHEMA


def test_a_document_is_kept_and_told_where_both_are_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    yaml = httpx.Response(200, text=DOCUMENT, headers={"Content-Type": "application/yaml"})
    monkeypatch.setattr(Session, "server", Saying(yaml).server())
    file = tmp_path / "portolan.yaml"
    assert main(["export", "-o", str(file), "--json"]) == 0
    assert file.read_text(encoding="utf-8") == DOCUMENT
    assert json.loads(capsys.readouterr().out) == {"document": DOCUMENT}
    monkeypatch.setattr(Session, "server", Saying(said(SCHEMA)).server())
    assert main(["export", "--schema", "-o", str(tmp_path / "no" / "x")]) == 1
    assert "cannot be written" in capsys.readouterr().err
