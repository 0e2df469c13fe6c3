"""The command `portolan` against a running Portolan, and docker's clients with its credential."""

from __future__ import annotations

import contextlib
import json
import signal
import stat
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest
from django.core.management import call_command
from django.utils import timezone
from pytest_django.plugin import DjangoDbBlocker

from access.models import Team, TokenLogEntry, User
from access.scopes import Scope
from access.tokens import signing
from registries.models import RegistryCredential, SyncRun
from registries.sync.run import execute_run
from tests import catalog, extra
from tests.access.tokens import asking
from tests.live import clients, engine, images, layout, portolan
from tests.live.clients import Done, Shell
from tests.live.docked import GENERATIONS, Dock, docked
from tests.live.images import Manifest
from tests.live.shells import Home, Said
from tests.reassured import reassured
from tests.registries.sync.syncing import succeed

BASE = images.layer({"a": b"1"})
IMAGE = images.image(BASE, config={"Env": ["MODE=slow"], "User": "app"})
NEXT = images.image(
    BASE, images.layer({"b": b"2"}), config={"Env": ["MODE=fast", "DB_PASSWORD=hunter2"]}
)
SECONDS = 30


@pytest.fixture(scope="module")
def db(django_db_setup: None) -> None:
    """The test database, made and left alone: a server of its own process must see what is in it."""


@pytest.fixture(scope="module")
def server(
    db: None, django_db_blocker: DjangoDbBlocker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The address of a running Portolan."""
    log = tmp_path_factory.mktemp("portolan") / "web.log"
    with django_db_blocker.unblock():
        signing.forget_signer()
        try:
            with portolan.serving(log) as url:
                yield url
        finally:
            call_command("flush", verbosity=0, interactive=False)
            TokenLogEntry.objects.all().delete()  # a table by months, which no flush knows
            signing.forget_signer()


@pytest.fixture(scope="module")
def owner(server: str) -> asking.Login:
    user = User.objects.create_superuser("anna")
    return asking.token_of(user, timezone.now() + timedelta(hours=1))


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return Home.make(tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="module")
def dock(server: str, home: Home, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dock]:
    """A registry that asks this Portolan, beside one that nobody can reach."""
    name = next(iter(GENERATIONS))
    with docked(name, server, tmp_path_factory.mktemp(name)) as dock:
        account, secret = asking.login(asking.machine("syncer", "owner"))
        # Called localhost, as its token server is: a secret goes to no other domain.
        port = dock.host.rpartition(":")[2]
        ours = catalog.registry(
            name, url=f"http://localhost:{port}", public_host=dock.host, allow_private=True
        )
        RegistryCredential.objects.create(registry=ours, username=account, secret=secret)
        catalog.registry("far", url="https://127.0.0.1:9")
        yield dock


@pytest.fixture(scope="module")
def signed_in(home: Home, server: str, dock: Dock, owner: asking.Login) -> Home:
    """Anna's home after her `portolan login`, with what docker had there before."""
    home.docker_config.parent.mkdir()
    before = {"auths": {"other.example.com": {"auth": "YTpi"}}, "currentContext": "x"}
    home.docker_config.write_text(json.dumps(before), encoding="utf-8")
    said = home.shell("login", server, "--token-stdin", typed=owner[1] + "\n")
    assert said.code == 0, said.err
    assert "as user:anna" in said.out
    assert dock.host in said.out
    return home


@pytest.fixture(scope="module")
def filled(signed_in: Home, dock: Dock, tmp_path_factory: pytest.TempPathFactory) -> Dock:
    """With two images of team-a/app, pushed with the login that the command left, and synced."""
    for tag, image in (("1", IMAGE), ("2", NEXT)):
        pushed = skopeo_push(signed_in, dock, image, f"team-a/app:{tag}", tmp_path_factory)
        assert pushed.code == 0, pushed.err
    succeed(dock.registry)
    return dock


@pytest.fixture(scope="module")
def daemon() -> Iterator[dict[str, str]]:
    """What tells docker's client where its daemon is; without one it has commands that need none."""
    with engine.running() if engine.is_here() else contextlib.nullcontext() as address:
        yield {"DOCKER_HOST": address} if address else {}


def skopeo_push(
    home: Home, dock: Dock, image: Manifest, place: str, directories: pytest.TempPathFactory
) -> Said:
    source = layout.write(directories.mktemp("image"), image)
    target = f"docker://{dock.host}/{place}"
    return home.other("skopeo", "copy", "--dest-tls-verify=false", f"oci:{source}:1", target)


def finished(home: Home, dock: Dock, *more: str) -> Said:
    """`portolan sync --watch`, with this process as the worker."""
    before = SyncRun.objects.count()
    process = home.start("sync", dock.name, "--watch", *more)
    try:
        deadline = time.monotonic() + SECONDS
        while SyncRun.objects.count() == before and process.poll() is None:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        run = SyncRun.objects.order_by("-pk").first()
        if run is not None and process.poll() is None:
            execute_run(run)
        out, err = process.communicate(timeout=SECONDS)
    finally:
        process.kill()
    return Said(process.returncode, out, err)


# Signing in ----------------------------------------------------------------------------------------


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


# Registries ----------------------------------------------------------------------------------------


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
    assert refused.code == 1
    assert "did you mean “full”" in refused.err


def test_names_are_completed(signed_in: Home, dock: Dock) -> None:
    asked = {"COMP_WORDS": f"portolan sync {dock.name[0]}", "COMP_CWORD": "2"}
    said = signed_in.shell(_PORTOLAN_COMPLETE="complete_bash", **asked)
    assert said.out.split() == [dock.name]


# What it holds -------------------------------------------------------------------------------------


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


# Access --------------------------------------------------------------------------------------------


def test_a_role_is_granted_explained_and_taken_away(signed_in: Home, dock: Dock) -> None:
    asking.machine("ci")
    scope = f"{dock.name}/team-a/*"
    question = ("can-i", "push", f"{dock.name}/team-a/app", "--as", "sp:ci")
    no = signed_in.run(*question)
    assert (no.code, no.out.partition(":")[0]) == (1, "No")
    assert "pusher" in no.out

    granted = signed_in.run("grant", "sp:ci", "pusher", scope, "--until", "30d", "--reason", "CI")
    assert granted.code == 0, granted.err
    yes = signed_in.run(*question)
    assert (yes.code, yes.out.partition(":")[0]) == (0, "Yes")
    assert scope in yes.out
    assert signed_in.run("can-i", "content-delete", scope, "--as", "sp:ci").code == 1
    who = signed_in.run("who-can", "push", scope, "--json").json
    assert {row["principal"] for row in who} == {"user:anna", "sp:ci", "sp:syncer"}

    (kept,) = signed_in.run("grants", "--principal", "sp:ci", "--json").json
    assert (kept["role"], kept["scope"], kept["reason"]) == ("pusher", scope, "CI")
    assert kept["until"] is not None
    revoked = signed_in.run("revoke", "sp:ci", "pusher", scope)
    assert revoked.out == f"sp:ci is pusher on {scope} no more.\n"
    assert signed_in.run(*question).code == 1
    assert signed_in.run("revoke", str(kept["id"])).code == 4


def test_what_is_refused_is_told_in_sentences(signed_in: Home, dock: Dock) -> None:
    said = signed_in.run("grant", "user:nobody", "puher", f"{dock.name}/Team")
    assert (said.code, said.out) == (1, "")
    assert "scopes" in said.err
    assert "Traceback" not in said.err
    said = signed_in.run("grant", "user:nobody", "reader", dock.name, "--until", "soon")
    assert (said.code, said.out) == (64, "")


def test_who_may_less_is_told_less(
    signed_in: Home, server: str, dock: Dock, tmp_path: Path
) -> None:
    """A machine that reads elsewhere, with its secret in the environment and no file."""
    scope = Scope(dock.name, "team-b/*")
    _name, secret = asking.login(asking.machine("outsider", "reader", scope))
    nobody = Home.make(tmp_path)
    who = {"PORTOLAN_SERVER": server, "PORTOLAN_TOKEN": secret}
    assert nobody.run("repos", "--json", **who).json == []
    for refused in (
        ("tags", f"{dock.name}/team-a/app"),
        ("show", f"{dock.name}/team-a/app:1"),
        ("grants",),
        ("sync", dock.name),
    ):
        said = nobody.run(*refused, **who)
        assert said.code == 4, refused
        assert "team-a" not in said.out + said.err
    assert nobody.run("can-i", "pull", f"{dock.name}/team-a/app", **who).code in (1, 4)
    assert not (tmp_path / ".config").exists()


# Events --------------------------------------------------------------------------------------------


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
    assert f"{dock.name}/team-a/app:3" in shown.splitlines()[-1]


# As code -------------------------------------------------------------------------------------------


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


# Leaving -------------------------------------------------------------------------------------------


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
