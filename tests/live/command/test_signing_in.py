"""`portolan login` and `logout`: what they keep, for whom, and what is gone afterwards."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import httpx

from access.models import User
from tests.access.tokens import asking
from tests.live.command.watching import SECONDS
from tests.live.docked import Dock
from tests.live.shells import Home
from tests.reassured import reassured


def test_a_wrong_token_is_told_and_nothing_is_kept(server: str, tmp_path: Path) -> None:
    home = Home.make(tmp_path)
    said = home.shell("login", server, "--token-stdin", typed="ptl_wrong")
    assert (said.code, said.out) == (3, "")
    assert "no secret of Portolan" in said.err
    assert "Traceback" not in said.err
    assert not (tmp_path / ".config").exists()
    assert home.run("registries").code == 3
    assert home.run("registries", "--server", "http://localhost:9").code == 3
    nobody = {"PORTOLAN_TOKEN": "x", "PORTOLAN_SERVER": "http://localhost:9"}
    said = home.run("registries", **nobody)
    assert said.code == 5
    assert "cannot be reached" in said.err


def test_a_login_is_kept_for_its_owner_alone(
    signed_in: Home, server: str, owner: asking.Login, dock: Dock
) -> None:
    (file,) = (signed_in.path / ".config" / "portolan").iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    me = signed_in.run("whoami", "--json").json
    assert (me["principal"], me["server"]) == ("user:anna", server)
    shown = signed_in.run("contexts")
    assert owner[1] not in shown.out + shown.err
    docker = json.loads(signed_in.docker_config.read_text(encoding="utf-8"))
    # Only the one that sends docker to this Portolan; and all that was there is there.
    assert docker["credHelpers"] == {dock.host: "portolan"}
    assert docker["auths"] == {"other.example.com": {"auth": "YTpi"}}
    assert docker["currentContext"] == "x"


def test_a_click_in_the_browser_signs_in(server: str, owner: asking.Login, tmp_path: Path) -> None:
    home = Home.make(tmp_path)
    process = home.start("login", server, "--browser", "--no-docker")
    try:
        assert process.stderr is not None
        page = next(line.strip() for line in process.stderr if line.startswith(server))
        browser = reassured(User.objects.get(username="anna"))
        asked = dict(parse_qsl(urlsplit(page).query))
        answer = browser.post(urlsplit(page).path, asked)
        there = answer.headers["Refresh"].partition("url=")[2]
        wrong = there.replace(asked["state"], "x" * 32)
        assert httpx.get(wrong).status_code == 404  # somebody else's
        assert httpx.get(there.replace("127.0.0.1", "localhost")).status_code == 404
        assert "You can close this page" in httpx.get(there).text
        out, err = process.communicate(timeout=SECONDS)
    finally:
        process.kill()
    assert process.returncode == 0, err
    assert "as user:anna" in out
    assert home.run("whoami", "--json").json["principal"] == "user:anna"


def test_after_signing_out_neither_we_nor_docker_get_in(
    server: str, dock: Dock, owner: asking.Login, tmp_path: Path
) -> None:
    home = Home.make(tmp_path)
    assert home.run("login", server, "--token-stdin", typed=owner[1]).code == 0
    get = home.other("docker-credential-portolan", "get", typed=dock.host)
    assert get.json["Username"] == "anna"
    assert home.run("logout").code == 0
    assert home.run("whoami").code == 3
    assert json.loads(home.docker_config.read_text(encoding="utf-8")) == {}
    get = home.other("docker-credential-portolan", "get", typed=dock.host)
    assert (get.code, get.out) == (1, "credentials not found in native keychain\n")


def test_a_login_is_kept_where_docker_cannot_be_told(
    server: str, dock: Dock, owner: asking.Login, tmp_path: Path
) -> None:
    home = Home.make(tmp_path)
    (tmp_path / ".docker").touch()  # no directory, as docker has it
    said = home.run("login", server, "--token-stdin", typed=owner[1])
    assert said.code == 1
    assert "docker is not" in said.err
    assert "--no-docker" in said.err
    assert home.run("whoami").code == 0
