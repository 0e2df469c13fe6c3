"""Somebody at a shell with skopeo, crane, podman or docker: signs in, pulls, pushes, lists."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.live import tools

# docker is no package of Debian's that the tests install: where it is, its client is tested, too.
TOOLS = ("skopeo", "crane", "podman", "docker")


def available() -> list[str]:
    return [tool for tool in TOOLS if tool != "docker" or tools.find(tool)]


@dataclass(frozen=True)
class Done:
    """How a command ended, and all that it said."""

    ok: bool
    said: str

    def __bool__(self) -> bool:
        return self.ok

    @property
    def denied(self) -> bool:
        """Whether it failed for want of rights, and for no other reason."""
        words = ("denied", "unauthorized", "401", "invalid username/password", _SPENT)
        return not self.ok and any(word in self.said.lower() for word in words)


# What crane says at times when it is refused: it asks again with the body that it sent before.
_SPENT = "with body length 0"


@dataclass(frozen=True)
class Shell:
    """One tool against the registry at `host`, with a home of its own for what it remembers.

    `image` is an OCI layout on disk, which is what it pushes. `environment` is that of somebody who
    signed in otherwise, instead of the tests' own with a file for logins; with a DOCKER_HOST in it
    docker has a daemon.
    """

    tool: str
    host: str
    home: Path
    image: Path
    environment: Mapping[str, str] | None = None

    def login(self, name: str, secret: str) -> Done:
        what = ["auth", "login", "--insecure"] if self.tool == "crane" else ["login"]
        insecure = ["--tls-verify=false"] if self.tool in ("skopeo", "podman") else []
        return self.run(*what, *insecure, "-u", name, "--password-stdin", self.host, typed=secret)

    def pull(self, image: str) -> Done:
        """For docker, which pulls into a daemon only, it is reading the manifest without one."""
        place = f"{self.host}/{image}"
        match self.tool:
            case "skopeo":
                target = f"dir:{self.home}/pulled"
                return self.run("copy", "--src-tls-verify=false", f"docker://{place}", target)
            case "crane":
                return self.run("pull", "--insecure", place, f"{self.home}/pulled.tar")
            case "podman":
                return self._podman("pull", "--tls-verify=false", place)
        if self._has_daemon:
            return self.run("pull", place)
        return self.run("manifest", "inspect", "--insecure", place)

    def push(self, image: str, *, made_from: str = "") -> Done:
        """For docker it is what it pulled; without a daemon a manifest list, made of an image that is
        in the registry already."""
        place = f"{self.host}/{image}"
        match self.tool:
            case "skopeo":
                source = f"oci:{self.image}:1"
                return self.run("copy", "--dest-tls-verify=false", source, f"docker://{place}")
            case "crane":
                return self.run("push", "--insecure", str(self.image), place)
            case "podman":
                pulled = self._podman("pull", f"oci:{self.image}:1")
                name = pulled.said.split()[-1]
                return self._podman("push", "--tls-verify=false", name, place)
        source = f"{self.host}/{made_from}"
        if self._has_daemon:
            return self.run("tag", source, place) and self.run("push", place)
        made = self.run("manifest", "create", "--amend", "--insecure", place, source)
        return made and self.run("manifest", "push", "--insecure", place)

    def run(self, *arguments: str, typed: str = "") -> Done:
        logins = self.home / "auth.json"
        if not logins.exists():  # podman wants one
            self.home.mkdir(parents=True, exist_ok=True)
            logins.write_text("{}", encoding="utf-8")
        done = subprocess.run(
            [tools.need(self.tool), *arguments],
            input=typed,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
            env=self.environment
            or {
                **os.environ,
                "DOCKER_CONFIG": str(self.home / "docker"),
                "REGISTRY_AUTH_FILE": str(logins),
            },
        )
        return Done(done.returncode == 0, done.stderr + done.stdout)

    @property
    def _has_daemon(self) -> bool:
        return "DOCKER_HOST" in (self.environment or ())

    def _podman(self, *arguments: str) -> Done:
        """With storage of its own, of the kind that needs no rights and no kernel module."""
        places = ["--root", f"{self.home}/storage", "--runroot", f"{self.home}/run"]
        return self.run(*places, "--storage-driver", "vfs", *arguments)
