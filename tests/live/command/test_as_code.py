"""What is set up as a file: exported, planned, applied."""

from __future__ import annotations

from pathlib import Path

from access.models import Team
from tests.live.shells import Home


def test_what_is_set_up_is_a_file_and_a_file_is_made_true(signed_in: Home, tmp_path: Path) -> None:
    file = tmp_path / "portolan.yaml"
    assert signed_in.run("export", "-o", str(file)).code == 0
    assert signed_in.run("plan", str(file)).out == "No changes.\n"
    text = file.read_text(encoding="utf-8")
    assert signed_in.run("export").out == text

    file.write_text(
        text.replace("teams: []", "teams:\n- name: shop")
        if "teams: []" in text
        else f"{text}teams:\n- name: shop\n",
        encoding="utf-8",
    )
    planned = signed_in.run("plan", str(file))
    assert (planned.code, planned.out.splitlines()[-1]) == (2, "1 to create.")
    asked = signed_in.run("apply", str(file))
    assert asked.code == 64
    assert not Team.objects.exists()
    assert signed_in.run("apply", str(file), "--yes").out.splitlines()[-1] == "Applied."
    assert Team.objects.get().name == "shop"
    assert signed_in.run("plan", "-", typed=file.read_text(encoding="utf-8")).code == 0

    pruned = "version: 1\nteams: []\n"
    assert "--prune would remove" in signed_in.run("plan", "-", typed=pruned).err
    said = signed_in.run("apply", "-", "--prune", "--yes", "--json", typed=pruned)
    assert [one["verb"] for one in said.json["changes"]] == ["delete"]


def test_a_file_that_is_none_is_told_line_by_line(signed_in: Home) -> None:
    said = signed_in.run("plan", "-", typed="version: 1\nteams:\n- nam: shop\n")
    assert (said.code, said.out) == (1, "")
    assert "line 3: teams[0]" in said.err
    missing = (
        "version: 1\nregistries:\n- {name: new, url: 'https://127.0.0.1:9', kind: distribution,"
        " allow_private: true, username: u, password: 'env:NOT_SET_ANYWHERE'}\n"
    )
    assert signed_in.run("plan", "-", typed=missing).code == 2
    said = signed_in.run("apply", "-", "--yes", typed=missing)
    assert said.code == 1
    assert "NOT_SET_ANYWHERE is not set" in said.err
