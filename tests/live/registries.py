"""Real registries on a free port of this machine, with storage of their own."""

import contextlib
import json
import os
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from access.tokens.setup import as_yaml
from tests.live import tools

START_SECONDS = 20.0


@dataclass(frozen=True)
class RealRegistry:
    kind: str
    host: str  # "127.0.0.1:41234"
    storage: Path
    process: subprocess.Popen[bytes]
    scheme: str = "http"

    @property
    def url(self) -> str:
        return f"{self.scheme}://{self.host}"


@contextlib.contextmanager
def running(
    kind: str,
    directory: Path,
    *,
    auth: Mapping[str, Any] | None = None,
    http: Mapping[str, Any] | None = None,
    port: int | None = None,
    more: str = "",
) -> Iterator[RealRegistry]:
    """A registry of `kind`, one of KINDS, with its data and log in `directory`, deletes allowed.

    `auth` and `http` are merged into those sections of its own configuration file, `more` is put
    after it as it is, in YAML. Started again with the same directory it has what it had.
    """
    program = tools.need(kind)
    port = port or free_port()
    storage = directory / "storage"
    storage.mkdir(parents=True, exist_ok=True)
    config = KINDS[kind](storage, port, auth, http or {})
    config_file = directory / "config.json"  # all of them read YAML, and JSON is YAML
    written = f"{as_yaml(config)}\n{more}" if more else json.dumps(config)
    config_file.write_text(written, encoding="utf-8")
    log_file = directory / "registry.log"
    with log_file.open("ab") as log:
        process = subprocess.Popen(
            [program, "serve", config_file],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env={**os.environ, "OTEL_TRACES_EXPORTER": "none"},
        )
    scheme = "https" if "tls" in (http or {}) else "http"
    try:
        _wait_until_listening(process, port, log_file)
        yield RealRegistry(kind, f"127.0.0.1:{port}", storage, process, scheme)
    finally:
        process.kill()
        process.wait()


def _distribution(
    storage: Path, port: int, auth: Mapping[str, Any] | None, http: Mapping[str, Any]
) -> dict[str, Any]:
    config: dict[str, Any] = {
        "version": "0.1",
        "log": {"level": "error", "accesslog": {"disabled": True}},
        "storage": {
            "filesystem": {"rootdirectory": str(storage)},
            "delete": {"enabled": True},
            "maintenance": {"uploadpurging": {"enabled": False}},
        },
        "http": {"addr": f"127.0.0.1:{port}", **http},
    }
    return config | ({"auth": auth} if auth else {})


def _zot(
    storage: Path, port: int, auth: Mapping[str, Any] | None, http: Mapping[str, Any]
) -> dict[str, Any]:
    section = {"address": "127.0.0.1", "port": str(port), **http}
    return {
        "distSpecVersion": "1.1.1",
        "storage": {"rootDirectory": str(storage), "gc": False, "dedupe": False},
        "http": section | ({"auth": auth} if auth else {}),
        "log": {"level": "error"},
    }


# The first is Distribution 2.8 as Debian ships it, the second its successor.
KINDS = {"docker-registry": _distribution, "distribution": _distribution, "zot": _zot}


def available() -> list[str]:
    """The kinds to test with. The Debian one always: a test without it is skipped, not left out."""
    return [kind for kind in KINDS if kind == "docker-registry" or tools.find(kind)]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_until_listening(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.02)
    raise RuntimeError(f"The registry did not start: {log.read_text(encoding='utf-8')[-2000:]}")


def get(url: str, *, accept: str = "*/*", method: str = "GET") -> tuple[int, bytes]:
    """Status and body of one plain request, for asserting what a registry holds."""
    request = urllib.request.Request(url, method=method, headers={"Accept": accept})
    try:
        with urllib.request.urlopen(request, timeout=10) as response:
            return response.status, response.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()
