"""docker's daemon, for what docker's client does not do by itself: `docker pull` and `docker push`.

It runs no container and touches no network of this machine: images come and go, and that is all.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tests import extra
from tests.live import tools

START_SECONDS = 20.0
_ALONE = ("--bridge=none", "--iptables=false", "--ip-forward=false", "--ip-masq=false")
# A key of its own, which nobody asks for any more; its place cannot be chosen.
_KEY = Path("/etc/docker/key.json")


def is_here() -> bool:
    return os.geteuid() == 0 and all(tools.find(name) for name in ("docker", "dockerd"))


@contextlib.contextmanager
def running() -> Iterator[str]:
    """The DOCKER_HOST of a daemon with a storage of its own; skips the test where none can run."""
    had_key = _KEY.exists()
    # A socket takes no long path.
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        address = f"unix://{directory}/engine.sock"
        log_file, process = directory / "engine.log", _started(directory, address)
        try:
            _wait_until_ready(process, address, log_file)
            yield address
        finally:
            # It ends its containerd and unmounts what it mounted.
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            if not had_key:
                _KEY.unlink(missing_ok=True)


def _started(directory: Path, address: str) -> subprocess.Popen[bytes]:
    settings = directory / "daemon.json"  # not those of this machine
    settings.write_text("{}", encoding="utf-8")
    program = tools.need("dockerd")
    with (directory / "engine.log").open("ab") as log:
        return subprocess.Popen(
            [
                *(program, "--host", address, "--config-file", settings, *_ALONE),
                *("--data-root", directory / "data", "--exec-root", directory / "run"),
                # The one kind of storage that works within another container's.
                *("--pidfile", directory / "pid", "--storage-driver", "vfs"),
            ],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            # Its own containerd and runc lie beside it.
            env={**os.environ, "PATH": f"{program.parent}:{os.environ['PATH']}"},
        )


def _wait_until_ready(process: subprocess.Popen[bytes], address: str, log: Path) -> None:
    client = shutil.which("docker") or "docker"
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        asked = subprocess.run(
            [client, "--host", address, "version"], capture_output=True, check=False, timeout=10
        )
        if asked.returncode == 0:
            return
        time.sleep(0.05)
    said = log.read_text(encoding="utf-8").strip().rpartition("\n")[2]
    extra.skip(f"docker's daemon does not run here: {said}")
