"""The real programs of the live tests: where they are, or why one is not here."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from tests import extra

_CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
TOOLS = Path(os.environ.get("PORTOLAN_TOOLS_DIR") or _CACHE / "portolan" / "tools")

# Built from Go modules by tests/live/build-tools, each by what is named; the others are packages of
# the system.
BUILT = {
    "distribution": "make go-tools",
    "zot": "make go-tools",
    "crane": "make go-tools",
    "gitea": "make gitea",
}

# It takes longer to build than all tests take to run; or wants more rights than tests often have.
EXTRA = frozenset({"gitea", "dockerd"})


def find(name: str) -> Path | None:
    """The program called `name` here, or None."""
    if name in BUILT:
        built = TOOLS / name
        return built if built.is_file() else None
    found = shutil.which(name)
    if name == "dockerd" and not found:
        found = shutil.which(name, path=TOOLS / "docker")
    if name == "podman" and not podman_may_run():
        return None
    return Path(found) if found else None


def podman_may_run() -> bool:
    """Without root it needs a program that not every system has beside it."""
    return os.geteuid() == 0 or shutil.which("newuidmap") is not None


def why_missing(name: str) -> str:
    """One line for people: why `find(name)` finds nothing."""
    if name == "podman" and not podman_may_run():
        return "podman runs as root here, or with newuidmap: install uidmap"
    failed = TOOLS / f"{name}.failed"
    if failed.is_file():
        return f"{name} could not be built: {failed.read_text(encoding='utf-8').strip()}"
    if name in BUILT:
        return f"{name} is not built: install Go and run `{BUILT[name]}`"
    return f"{name} is not installed: `make test` does, as root on Debian or Ubuntu"


def need(name: str) -> Path:
    """The program called `name`; skips the test when it is not here."""
    if found := find(name):
        return found
    if name in EXTRA:
        extra.skip(why_missing(name))
    pytest.skip(why_missing(name))


def run(name: str, *arguments: str) -> str:
    """What `name` prints when run with `arguments`; a failure shows what it said.

    It signs in nowhere, and neither sees the logins of whoever runs the tests nor stumbles over a
    directory for them that it may not read.
    """
    with tempfile.TemporaryDirectory() as nobody:
        done = subprocess.run(
            [need(name), *arguments],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
            env={
                **os.environ,
                "DOCKER_CONFIG": nobody,
                "REGISTRY_AUTH_FILE": f"{nobody}/auth.json",
            },
        )
    assert done.returncode == 0, f"{name} {' '.join(arguments)}: {done.stderr}"
    return done.stdout


def skopeo(command: str, *arguments: str) -> str:
    """Run `skopeo COMMAND` against a registry that speaks plain HTTP."""
    ends = ["src-", "dest-"] if command == "copy" else [""]
    return run("skopeo", command, *(f"--{end}tls-verify=false" for end in ends), *arguments)


def crane(command: str, *arguments: str) -> str:
    """Run `crane COMMAND` against a registry that speaks plain HTTP."""
    return run("crane", command, "--insecure", *arguments)
