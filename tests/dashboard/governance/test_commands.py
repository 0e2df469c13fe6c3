"""`manage.py plan` and `apply`: for people and pipelines, by exit code, lines and JSON."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from access.models import AuditEntry, Team
from registries.models import Registry
from tests.dashboard.governance import house
from tests.dashboard.governance.applying import exported

pytestmark = pytest.mark.django_db

Run = Callable[..., tuple[int, str]]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """The exit code and the output of a command on a file of this text."""

    def running(
        command: str, text: str, *options: str, out: io.StringIO | None = None
    ) -> tuple[int, str]:
        (tmp_path / "portolan.yaml").write_text(text, encoding="utf-8")
        out = out or io.StringIO()
        try:
            call_command(command, str(tmp_path / "portolan.yaml"), *options, stdout=out)
        except SystemExit as ended:
            return int(ended.code or 0), out.getvalue()
        except CommandError as error:
            return error.returncode, f"{out.getvalue()}{error}"
        return 0, out.getvalue()

    return running


CHANGED = house.FILE.replace("Who runs it", "Others").replace(
    "    members: [bert]\n", "    members: []\n"
)


def test_nothing_to_change_is_exit_code_0(run: Run) -> None:
    house.furnish()
    assert run("plan", house.FILE) == (0, "No changes.\n")
    assert run("apply", house.FILE) == (0, "No changes.\n")


def test_something_to_change_is_exit_code_2_and_a_line_each(run: Run) -> None:
    house.furnish()
    code, said = run("plan", CHANGED + "  - {name: new, where: yard, topics: [push], payload: acr,"
                     " host: a.b}\n", "--prune")  # fmt: skip
    assert code == 2
    assert said.splitlines() == [
        "~ teams              platform",
        "    description: Who runs it -> Others",
        "+ webhooks           new on yard",
        "- members            bert in platform",
        "1 to create, 1 to change, 1 to delete.",
    ]


def test_what_is_left_alone_is_said(run: Run) -> None:
    house.furnish()
    code, said = run("plan", CHANGED)
    assert code == 2
    assert "left as they are (1); --prune would remove them:\n    members " in said


def test_a_file_that_is_none_is_exit_code_1_with_every_problem(run: Run, tmp_path: Path) -> None:
    code, said = run("plan", "version: 1\nteams: [{}, {name: 1}]\n")
    assert code == 1
    assert "line 2: teams[0]: It needs “name”." in said
    assert "line 2: teams[1].name: " in said
    with pytest.raises(CommandError, match="cannot be read: No such file"):
        call_command("plan", str(tmp_path / "none.yaml"))
    (tmp_path / "binary").write_bytes(b"\xff")
    with pytest.raises(CommandError, match="no text in UTF-8"):
        call_command("plan", str(tmp_path / "binary"))


def test_a_plan_that_cannot_be_applied_is_exit_code_1(run: Run) -> None:
    text = "version: 1\ngrants: [{principal: user:x, role: reader, scope: '*'}]\n"
    code, said = run("plan", text)
    assert code == 1
    assert said.endswith("1 to create. It cannot be applied: 1 problem.\n")
    assert run("apply", text, "--yes")[1].endswith("Nothing was changed.")


def test_a_plan_as_json_is_for_programs(run: Run) -> None:
    house.furnish()
    code, said = run("plan", CHANGED, "--json")
    data = json.loads(said)
    assert code == 2
    assert [one["verb"] for one in data["changes"]] == ["change"]
    assert data["left"][0]["name"] == "bert in platform"
    assert data["problems"] == data["notes"] == []


def test_colours_are_for_terminals_alone(run: Run) -> None:
    house.furnish()
    assert "\x1b[33m~ teams" in run("plan", CHANGED, out=Terminal())[1]
    assert "\x1b[" not in run("plan", CHANGED)[1]
    assert "\x1b[" not in run("plan", CHANGED, "--no-color", out=Terminal())[1]


def test_what_somebody_stored_moves_no_cursor(run: Run) -> None:
    Team.objects.create(name="a", description="\x1b[2Jgone\r")
    code, said = run("plan", "version: 1\nteams: [{name: a}]\n")
    assert code == 2
    assert "description: ·[2Jgone· -> (nothing)" in said


def test_applying_asks_first_and_pipelines_say_yes(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.furnish()
    assert "say --yes" in run("apply", CHANGED)[1]
    monkeypatch.setattr("sys.stdin", Terminal())
    monkeypatch.setattr("builtins.input", lambda _prompt: "no")
    assert run("apply", CHANGED)[0] == 1
    assert Team.objects.get().description == "Who runs it"
    monkeypatch.setattr("builtins.input", lambda _prompt: "yes")
    assert run("apply", CHANGED)[0] == 0
    assert Team.objects.get().description == "Others"
    code, said = run("apply", CHANGED, "--yes", "--prune")
    assert (code, said.splitlines()[-1]) == (0, "Applied.")
    assert "bert" not in exported()
    entry = AuditEntry.objects.latest("number")
    assert (entry.actor_kind, entry.way, entry.agent) == ("shell", "shell", "manage.py apply")


def test_secrets_come_from_the_machine_and_are_printed_nowhere(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PASSWORD", "s3cret-password")
    text = (
        "version: 1\n"
        "registries: [{name: a, kind: zot, url: a.example.com, username: u, password: env:PASSWORD}]\n"
        "webhooks: [{name: w, where: a, topics: [push], payload: acr, url: env:URL}]\n"
    )
    code, said = run("plan", text)
    assert code == 1
    assert "URL is not set in the environment" in said
    monkeypatch.setenv("URL", "https://ci.example.com/s3cret-path")
    said = run("plan", text)[1] + run("apply", text, "--yes", "--no-check")[1]
    assert Registry.objects.get().connection().credentials == ("u", "s3cret-password")
    assert "s3cret" not in said
    assert "whsec_" not in said
    assert "signing secret: not printed here" in said


def test_a_new_signing_secret_is_shown_on_a_terminal_or_when_asked_for(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("URL", "https://ci.example.com/x")
    text = "version: 1\nwebhooks: [{name: NAME, where: '*', topics: [push], payload: acr, url: env:URL}]"
    assert "whsec_" in run("apply", text.replace("NAME", "a"), "--yes", out=Terminal())[1]
    assert "whsec_" in run("apply", text.replace("NAME", "b"), "--yes", "--show-secrets")[1]


def test_a_connection_that_fails_refuses_all_of_it(run: Run) -> None:
    text = "version: 1\nteams: [{name: t}]\nregistries: [{name: a, kind: zot, url: 'https://does-not-exist.invalid'}]\n"
    code, said = run("apply", text, "--yes")
    assert code == 1
    assert "line 3: registries[0]: " in said
    assert not Team.objects.exists()
    assert run("apply", text, "--yes", "--no-check")[0] == 0
