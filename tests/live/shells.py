"""Somebody at a shell with the command `portolan`, with a home of its own for what it remembers."""

from __future__ import annotations

import contextlib
import io
import json
import logging
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast
from unittest.mock import patch

from portolan.main import main

ROOT = Path(__file__).resolve().parents[2]
HELPER = "from portolan.credential_helper import run; run()"
LONGEST_SECONDS = 60


def _hear_interrupts() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@dataclass(frozen=True)
class Said:
    """How a command ended, and what it said where."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        assert self.code == 0, self.err
        return json.loads(self.out)

    @property
    def lines(self) -> list[Any]:
        return [json.loads(line) for line in self.out.splitlines()]


class _Standard(io.TextIOWrapper):
    """A stream that is kept."""

    def __init__(self) -> None:
        super().__init__(io.BytesIO(), encoding="utf-8", write_through=True)

    @property
    def text(self) -> str:
        return cast("io.BytesIO", self.buffer).getvalue().decode()


@dataclass(frozen=True)
class Home:
    """A home directory; what runs there finds `docker-credential-portolan` on PATH."""

    path: Path

    @classmethod
    def make(cls, path: Path) -> Home:
        helper = path / "bin" / "docker-credential-portolan"
        helper.parent.mkdir(parents=True)
        helper.write_text(f'#!/bin/sh\nexec "{sys.executable}" -c "{HELPER}" "$@"\n')
        helper.chmod(0o755)
        (path / "run").mkdir(mode=0o700)
        return cls(path)

    @property
    def docker_config(self) -> Path:
        return self.path / ".docker" / "config.json"

    @property
    def environment(self) -> dict[str, str]:
        ours = {
            "HOME": str(self.path),
            "XDG_CONFIG_HOME": str(self.path / ".config"),
            # Without it skopeo looks into /run, which is closed where root has used podman.
            "XDG_RUNTIME_DIR": str(self.path / "run"),
            "PATH": f"{self.path / 'bin'}:{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "COLUMNS": "100",
            "BROWSER": "true",  # a program that opens nothing
        }
        inherited = ("LANG", "LC_ALL", "TMPDIR", "SSL_CERT_FILE", "LD_LIBRARY_PATH")
        return {name: os.environ[name] for name in inherited if name in os.environ} | ours

    def run(self, *arguments: str, typed: str = "", **environment: str) -> Said:
        """`portolan …`, in this process: starting Python takes longer than most commands."""
        out, err = _Standard(), _Standard()
        with (
            patch.dict(os.environ, self.environment | environment, clear=True),
            patch("sys.stdin", io.StringIO(typed)),
            # Whatever logs in this process, it is not the command's to show.
            patch.object(logging.root, "handlers", []),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
        ):
            code = int(main(list(arguments)))
        return Said(code, out.text, err.text)

    def shell(self, *arguments: str, typed: str = "", **environment: str) -> Said:
        """The same in a process of its own, as people have it."""
        return self._run([sys.executable, "-m", "portolan", *arguments], typed, environment)

    def other(self, *arguments: str, typed: str = "", **environment: str) -> Said:
        """Any other program, in this home."""
        return self._run(list(arguments), typed, environment)

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """`portolan …`, left running; who starts it ends it."""
        return subprocess.Popen(
            [sys.executable, "-m", "portolan", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=self.path,
            env=self.environment,
            # Who runs the tests in the background has them ignore Ctrl-C, and children inherit that.
            preexec_fn=_hear_interrupts,  # noqa: PLW1509  it touches nothing that a thread may hold
        )

    def _run(self, command: list[str], typed: str, environment: dict[str, str]) -> Said:
        done = subprocess.run(
            command,
            input=typed,
            capture_output=True,
            text=True,
            check=False,
            timeout=LONGEST_SECONDS,
            cwd=self.path,
            env=self.environment | environment,
        )
        return Said(done.returncode, done.stdout, done.stderr)
