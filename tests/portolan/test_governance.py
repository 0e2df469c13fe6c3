"""What `plan` and `apply` send, and to a server that asks for more than the file says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from portolan.commands.governance import apply_, plan
from portolan.failures import Ending, Failure, Misused, Unreachable
from portolan.output import Output
from portolan.session import Choice, Session
from tests.portolan.misbehaving import ADDRESS, Saying, said

TEXT = "version: 1\nregistries:\n- {name: prod, password: env:PROD_PASSWORD}\n"
MADE = {"verb": "create", "section": "registries", "name": "prod", "fields": []}
ROTATED = {"verb": "change", "section": "registries", "name": "prod", "fields": []}
PROBLEM = {"line": 3, "path": "", "sentence": "No."}
APPLIED = {"changes": [MADE], "secrets": []}


def planned(*references: str, changes: Any = (MADE,), problems: Any = ()) -> httpx.Response:
    answer = {"changes": changes, "problems": problems, "notes": [], "left": []}
    return said(answer | {"references": references, "fingerprint": "f"})


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("PORTOLAN_SERVER", ADDRESS)
    monkeypatch.setenv("PORTOLAN_TOKEN", "a-token")
    monkeypatch.setenv("PROD_PASSWORD", "hunter2")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "aws-very-secret")
    path = tmp_path / "portolan.yaml"
    path.write_text(TEXT, encoding="utf-8")
    return str(path)


def asking(saying: Saying) -> Session:
    session = Session(Choice(), Output())
    session.server = saying.server()
    return session


def sent(saying: Saying) -> list[tuple[str, Any]]:
    """Where to, and which secrets, in their order."""
    return [
        (one.url.path.rpartition("/")[2], json.loads(one.content).get("secrets", {}))
        for one in saying.requests
    ]


def agreeing(monkeypatch: pytest.MonkeyPatch, *answers: bool) -> None:
    """Somebody at a terminal who gives these answers, and is asked no more than that."""
    given = iter(answers)
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr("typer.confirm", lambda *_asked, **_how: next(given))


def test_a_plan_reads_and_sends_no_secret(file: str) -> None:
    saying = Saying(planned("env:PROD_PASSWORD"))
    assert plan(asking(saying), file) == Ending.CHANGES
    assert sent(saying) == [("plan", {})]


def test_what_the_file_names_is_read_and_told_by_its_name(
    file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    saying = Saying(planned("env:PROD_PASSWORD"), planned("env:PROD_PASSWORD"), said(APPLIED))
    assert apply_(asking(saying), file, yes=True) == Ending.OK
    with_it = {"env:PROD_PASSWORD": "hunter2"}
    assert sent(saying) == [("plan", {}), ("plan", with_it), ("apply", with_it)]
    printed = capsys.readouterr()
    assert printed.err == "Secrets read here and sent: env:PROD_PASSWORD.\n"
    assert "hunter2" not in printed.out


def test_a_server_that_asks_for_anything_else_is_sent_nothing(file: str, tmp_path: Path) -> None:
    (tmp_path / "id_rsa").write_text("PRIVATE KEY", encoding="utf-8")
    for evil in (f"file:{tmp_path / 'id_rsa'}", "env:AWS_SECRET_ACCESS_KEY"):
        saying = Saying(planned("env:PROD_PASSWORD", evil))
        with pytest.raises(Unreachable, match="asks for a secret that the file does not name"):
            apply_(asking(saying), file, yes=True)
        assert sent(saying) == [("plan", {})]


def test_secrets_of_a_file_that_cannot_be_applied_stay_where_they_are(file: str) -> None:
    saying = Saying(planned("env:PROD_PASSWORD", problems=[PROBLEM]))
    assert apply_(asking(saying), file, yes=True) == Ending.NO
    assert sent(saying) == [("plan", {})]


def test_nothing_is_read_before_somebody_agreed(
    file: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    saying = Saying(planned("env:PROD_PASSWORD"))
    monkeypatch.setattr("sys.stdin.isatty", lambda: False)
    with pytest.raises(Misused, match="say --yes"):
        apply_(asking(saying), file)
    assert sent(saying) == [("plan", {})]

    agreeing(monkeypatch, False)
    saying = Saying(planned("env:PROD_PASSWORD"))
    with pytest.raises(Failure, match="Nothing was changed"):
        apply_(asking(saying), file)
    assert sent(saying) == [("plan", {})]
    assert "to be read here and sent: env:PROD_PASSWORD." in capsys.readouterr().err


def test_who_agreed_is_asked_again_only_about_another_plan(
    file: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    agreeing(monkeypatch, True)
    same = Saying(planned("env:PROD_PASSWORD"), planned("env:PROD_PASSWORD"), said(APPLIED))
    assert apply_(asking(same), file) == Ending.OK
    assert capsys.readouterr().out.count("1 to create.") == 1

    agreeing(monkeypatch, True, False)
    other = Saying(planned("env:PROD_PASSWORD", changes=[]), planned(changes=[ROTATED]))
    with pytest.raises(Failure, match="Nothing was changed"):
        apply_(asking(other), file)
    assert [where for where, _secrets in sent(other)] == ["plan", "plan"]
    assert "1 to change." in capsys.readouterr().out


def test_a_new_secret_is_in_no_log_of_a_pipeline_with_colours(
    file: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    one = {"section": "webhooks", "name": "deploys", "what": "signing secret", "secret": "whsec"}
    made = APPLIED | {"secrets": [one]}
    assert apply_(asking(Saying(planned(), said(made))), file, yes=True) == Ending.OK
    assert "whsec" not in capsys.readouterr().out
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    apply_(asking(Saying(planned(), said(made))), file, yes=True)
    assert "whsec" in capsys.readouterr().out
