"""What happened, and what comes."""

from __future__ import annotations

import json
import signal

import pytest

from tests.live.command.pushing import NEXT, skopeo_push
from tests.live.command.watching import SECONDS, finished
from tests.live.docked import Dock
from tests.live.shells import Home


def test_what_happened_is_printed_and_what_comes_is_followed(
    signed_in: Home, filled: Dock, tmp_path_factory: pytest.TempPathFactory
) -> None:
    dock = filled
    process = signed_in.start("events", dock.name, "--follow", "--json", "--limit", "1")
    try:
        assert process.stdout is not None
        assert json.loads(process.stdout.readline())["registry"] == dock.name
        copied = skopeo_push(signed_in, dock, NEXT, "team-a/app:3", tmp_path_factory)
        assert copied.code == 0, copied.err
        assert finished(signed_in, dock).code == 0
        comes = (json.loads(line) for line in process.stdout)
        made = (one for one in comes if one["topic"] == "tag.created")
        event = next(one for one in made if one["tag"] == "3")
        assert event["repository"] == "team-a/app"
        assert event["digest"] == NEXT.digest
        process.send_signal(signal.SIGINT)
        assert process.wait(SECONDS) == 130
        assert process.stderr is not None
        assert "Traceback" not in process.stderr.read()
    finally:
        process.kill()
    shown = signed_in.run("events", f"{dock.name}/team-a/*", "--topic", "tag.created").out
    assert any(f"{dock.name}/team-a/app:3" in line.split() for line in shown.splitlines())
