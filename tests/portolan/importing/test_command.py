"""`portolan import`: a document to standard output or a file, and what is not in it beside."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from dashboard.governance import document
from portolan.failures import Ending
from portolan.importing import reading
from portolan.main import main

HARBOR = {
    "projects": [{"name": "shop", "project_id": 1, "metadata": {"public": "true"}}],
    "members": {"shop": [{"entity_name": "anna", "entity_type": "u", "role_id": 2}]},
}


@pytest.fixture
def harbor_file(tmp_path: Path) -> str:
    path = tmp_path / "harbor.json"
    path.write_text(json.dumps(HARBOR))
    return str(path)


def test_the_document_goes_to_standard_output_and_the_remarks_beside_it(
    harbor_file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["import", "harbor", harbor_file, "--registry", "harbour"]) == Ending.OK
    printed = capsys.readouterr()
    assert len(document.parse(printed.out).items["grants"]) == 3
    assert "narrower: public project shop" in printed.err
    assert "Nothing was changed." in printed.err


def test_the_document_goes_to_a_file(
    harbor_file: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = tmp_path / "made.yaml"
    assert main(["import", "harbor", harbor_file, "-r", "harbour", "-o", str(made)]) == Ending.OK
    assert "harbour/shop/*" in made.read_text()
    assert capsys.readouterr().out == ""


def test_programs_get_one_json_document(
    harbor_file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["import", "harbor", harbor_file, "-r", "harbour", "--json"]) == Ending.OK
    told = json.loads(capsys.readouterr().out)
    assert document.build(told["document"]).items["grants"]
    assert told["people"] == ["anna"]
    assert {remark["kind"] for remark in told["remarks"]} == {"narrower", "to do"}


def test_docker_auth_and_portus_are_imported_from_files(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config, names = tmp_path / "auth.yml", tmp_path / "names"
    config.write_text('users: {no: {}, ci: {}}\nacl: [{match: {name: "a/*"}, actions: [pull]}]\n')
    names.write_text("a/b\n")
    arguments = ["--repositories", str(names), "--machine", "ci", "-r", "hub"]
    assert main(["import", "docker-auth", str(config), *arguments]) == Ending.OK
    keys = [item.key for item in document.parse(capsys.readouterr().out).items["grants"]]
    assert keys == [("sp:ci", "puller", "hub/a/b"), ("user:no", "puller", "hub/a/b")]
    answers = tmp_path / "portus.json"
    answers.write_text(json.dumps({"teams": [], "namespaces": []}))
    assert main(["import", "portus", str(answers), "-r", "hub", "--json"]) == Ending.OK


def test_an_address_is_asked_with_the_password_of_standard_input(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[Any] = []

    def ask(address: str, credential: reading.Credential, *, ca_file: str) -> Any:
        asked.append((address, credential.username, credential.secret, ca_file))
        return HARBOR

    monkeypatch.setattr(reading, "harbor", ask)
    monkeypatch.setattr(sys, "stdin", io.StringIO("sesame\n"))
    address = "https://harbor.example.com"
    arguments = ["import", "harbor", address, "-r", "harbour", "-u", "admin", "--password-stdin"]
    assert main(arguments) == Ending.OK
    assert asked == [(address, "admin", "sesame", "")]
    assert "sesame" not in "".join(capsys.readouterr())


@pytest.mark.parametrize(
    ("line", "ending", "sentence"),
    [
        ("harbor none.json -r x", Ending.USAGE, "cannot be read"),
        ("harbor harbor.example.com -r x", Ending.USAGE, "write https://harbor.example.com."),
        ("harbor none.json", Ending.USAGE, "--registry"),
        ("harbor HERE/harbor.json -r X!", Ending.USAGE, "no name of a registry"),
        ("harbor HERE/empty.json -r x", Ending.NO, "is not JSON"),
        ("harbor https://h.example.com -r x", Ending.USAGE, "--password-stdin"),
        ("harbor http://h.example.com -r x", Ending.USAGE, "without TLS"),
        ("harbor http://127.0.0.1:9 -r x -u me --password-stdin", Ending.UNREACHABLE, "listens"),
        ("docker-auth none.yml -r x", Ending.USAGE, "cannot be read"),
    ],
)
def test_what_cannot_be_imported_is_one_sentence(
    line: str,
    ending: Ending,
    sentence: str,
    harbor_file: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    here = Path(harbor_file).parent
    (here / "empty.json").touch()
    monkeypatch.setattr(sys, "stdin", io.StringIO("sesame"))
    assert main(["import", *line.replace("HERE", str(here)).split()]) == ending
    printed = capsys.readouterr()
    assert printed.out == ""
    assert sentence in printed.err


def test_without_a_system_the_help_is_no_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["import"]) == Ending.OK
    shown = capsys.readouterr()
    assert "docker-auth" in shown.out
    assert shown.err == ""
