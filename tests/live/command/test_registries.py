"""Registries and their syncs, and any other address of the API."""

from __future__ import annotations

from tests.live.command.watching import finished
from tests.live.docked import Dock
from tests.live.shells import Home


def test_registries_are_listed_for_people_and_for_programs(signed_in: Home, dock: Dock) -> None:
    shown = signed_in.shell("registries")
    assert [line.split()[0] for line in shown.out.splitlines()] == ["REGISTRY", "far", dock.name]
    assert "\x1b" not in shown.out
    rows = signed_in.run("registries", "--json").json
    assert [row["name"] for row in rows] == ["far", dock.name]
    cut = signed_in.run("registries", "--limit", "1", "--json")
    assert [row["name"] for row in cut.json] == ["far"]
    assert "more than these 1" in cut.err


def test_a_sync_is_watched_to_its_end(signed_in: Home, dock: Dock) -> None:
    said = finished(signed_in, dock)
    assert said.code == 0, said.err
    assert "is done: " in said.out
    said = finished(signed_in, dock, "--full", "--json")
    assert said.code == 0, said.err
    assert [said.lines[0]["state"], said.lines[-1]["state"]] == ["queued", "succeeded"]
    assert said.lines[-1]["full"] is True


def test_a_sync_that_fails_is_no_success(signed_in: Home) -> None:
    said = finished(signed_in, Dock("far", ""))
    assert said.code == 1
    assert "failed" in said.out
    assert "Traceback" not in said.err


def test_what_is_not_there_or_not_understood_has_its_own_exit_code(signed_in: Home) -> None:
    said = signed_in.run("sync", "nowhere")
    assert (said.code, said.out) == (4, "")
    assert signed_in.run("registries", "--nonsense").code == 64
    assert signed_in.run("api", "GET", "/registries", "-H", "Authorization: x").code == 64


def test_any_address_can_be_asked(signed_in: Home, dock: Dock) -> None:
    one = signed_in.run("api", "get", f"/registries/{dock.name}").json
    assert one["name"] == dock.name
    listed = signed_in.run("api", "GET", "/registries?limit=1&fields=name").json
    assert listed["items"] == [{"name": "far"}]
    walked = signed_in.run("api", "GET", "/api/v1/registries", "--paginate")
    assert [row["name"] for row in walked.lines] == ["far", dock.name]
    refused = signed_in.run("api", "POST", f"/registries/{dock.name}/runs", "-f", "ful=true")
    assert refused.code == 64
    assert "did you mean “full”" in refused.err


def test_names_are_completed(signed_in: Home, dock: Dock) -> None:
    asked = {"COMP_WORDS": f"portolan sync {dock.name[0]}", "COMP_CWORD": "2"}
    said = signed_in.shell(_PORTOLAN_COMPLETE="complete_bash", **asked)
    assert said.out.split() == [dock.name]
