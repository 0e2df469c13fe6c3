"""Docker's clients with the credential of `portolan login`, and with one of their own."""

from __future__ import annotations

import json
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest

from access.scopes import Scope
from tests import extra
from tests.access.tokens import asking
from tests.live import clients, layout
from tests.live.clients import Done, Shell
from tests.live.command.pushing import IMAGE
from tests.live.docked import Dock
from tests.live.shells import Home


@pytest.mark.parametrize("tool", clients.available())
def test_each_client_pulls_and_pushes_with_the_login_and_no_other(
    tool: str,
    signed_in: Home,
    filled: Dock,
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    more = request.getfixturevalue("daemon") if tool == "docker" else {}
    image = layout.write(tmp_path_factory.mktemp("image"), IMAGE)
    with tempfile.TemporaryDirectory() as home:  # podman takes no long path for its storage
        shell = Shell(tool, filled.host, Path(home), image, signed_in.environment | more)
        pulled = shell.pull("team-a/app:1")
        assert pulled, pulled.said
        pushed = shell.push(f"team-a/app:by-{tool}", made_from="team-a/app:1")
        assert pushed, pushed.said

        stranger = Home.make(tmp_path_factory.mktemp("stranger"))
        stranger.docker_config.parent.mkdir()
        asks_nobody = {"credHelpers": {filled.host: "portolan"}}
        stranger.docker_config.write_text(json.dumps(asks_nobody), encoding="utf-8")
        refused = replace(shell, environment=stranger.environment | more).pull("team-a/app:1")
        assert refused.denied, refused.said


def test_a_docker_login_goes_before_until_its_logout(
    server: str, filled: Dock, owner: asking.Login, daemon: dict[str, str], tmp_path: Path
) -> None:
    if "docker" not in clients.available():
        extra.skip("docker's client is not here")
    home, host, image = Home.make(tmp_path), filled.host, f"{filled.host}/team-a/app:1"
    kept = tmp_path / ".config" / "portolan" / "contexts.json"

    def docker(*arguments: str, typed: str = "") -> Done:
        said = home.other("docker", *arguments, typed=typed, **daemon)
        return Done(said.code == 0, said.err + said.out)

    def may_read() -> bool:
        asked = docker("manifest", "inspect", "--insecure", image)
        assert asked or asked.denied, asked.said
        return asked.ok

    assert home.run("login", server, "--token-stdin", typed=owner[1]).code == 0
    before = kept.read_text(encoding="utf-8")
    if daemon:
        again = docker("login", host)
        assert again, again.said
    assert kept.read_text(encoding="utf-8") == before  # and no copy that would outlive it
    assert may_read()

    name, secret = asking.login(asking.machine("elsewhere", "reader", Scope(filled.name, "b/*")))
    assert docker("login", "-u", name, "--password-stdin", host, typed=secret)
    assert not may_read()
    assert home.other("docker-credential-portolan", "list").json == {host: name}
    assert host in home.run("logout").err  # still signed in, otherwise
    assert home.other("docker-credential-portolan", "get", typed=host).json["Secret"] == secret
    assert docker("logout", host)
    assert home.other("docker-credential-portolan", "list").json == {}
    assert secret not in kept.read_text(encoding="utf-8")
    assert home.run("login", server, "--token-stdin", typed=owner[1]).code == 0
    assert may_read()
