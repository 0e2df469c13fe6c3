"""What registries hold: listed, shown, searched, compared."""

from __future__ import annotations

import json

from tests.live import images
from tests.live.command.pushing import BASE, IMAGE, NEXT
from tests.live.docked import Dock
from tests.live.shells import Home


def test_repositories_and_tags_are_listed_and_shown(signed_in: Home, filled: Dock) -> None:
    dock = filled
    place = f"{dock.name}/team-a/app"
    for where in ([], [dock.name], [dock.host], [f"{dock.name}/team-a"]):
        rows = signed_in.run("repos", *where, "--json").json
        assert [row["path"] for row in rows] == ["team-a/app"]
    assert signed_in.run("repos", dock.name, "--match", "nothing").out == ""
    # In a pipe nothing is cut; a host is as good as a name.
    assert IMAGE.digest in signed_in.run("tags", place).out
    (tag,) = signed_in.run("tags", f"{dock.host}/team-a/app", "--match", "1", "--json").json
    assert (tag["name"], tag["digest"]) == ("1", IMAGE.digest)
    shown = signed_in.run("show", f"{place}:1").out
    assert IMAGE.digest in shown
    assert images.digest_of(BASE.data) in shown
    assert signed_in.run("show", place, "--json").json["tags"] >= 2
    assert f"{place}" in signed_in.run("show", NEXT.digest).out
    found = signed_in.run("search", "team-a/app:1").out
    assert f"{place}:1" in found
    gone = signed_in.run("tags", f"{dock.name}/team-a/nothing")
    assert (gone.code, gone.out) == (4, "")


def test_two_images_are_compared(signed_in: Home, filled: Dock) -> None:
    dock = filled
    said = signed_in.run("diff", f"{dock.name}/team-a/app:1", "2")
    assert said.code == 1
    assert f"- 1 {IMAGE.digest}" in said.out
    assert "~ MODE: slow → fast" in said.out
    assert "•••" in said.out  # of what looks like a secret only that it came
    assert "hunter2" not in said.out
    assert signed_in.run("diff", f"{dock.name}/team-a/app:1", f"@{IMAGE.digest}").code == 0
    changed = signed_in.run("diff", f"{dock.name}/team-a/app:1", ":2", "--json")
    assert json.loads(changed.out)["after"]["digest"] == NEXT.digest
    assert signed_in.run("diff", f"{dock.name}/team-a/app:1", f"{dock.name}/other:1").code == 64
