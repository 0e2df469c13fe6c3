"""A real Gitea on a free port of this machine: SQLite, one person, nothing else."""

from __future__ import annotations

import contextlib
import os
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from tests.live import tools
from tests.live.registries import free_port

USER, PASSWORD = "robot", "a-password-nobody-should-read"
START_SECONDS = 60.0
CONFIG = """\
RUN_MODE = prod
WORK_PATH = {work}
[server]
HTTP_ADDR = 127.0.0.1
HTTP_PORT = {port}
ROOT_URL = http://127.0.0.1:{port}/
STATIC_ROOT_PATH = {static}
DISABLE_SSH = true
OFFLINE_MODE = true
[database]
DB_TYPE = sqlite3
[security]
INSTALL_LOCK = true
[log]
LEVEL = error
[indexer]
ISSUE_INDEXER_TYPE = db
[webhook]
ALLOWED_HOST_LIST = loopback
[cron]
ENABLED = false
"""


@contextlib.contextmanager
def running(work: Path) -> Iterator[str]:
    """The address of a Gitea with its data in `work`, where USER may do everything."""
    program = tools.need("gitea")
    tools.need("git")
    port = free_port()
    config = work / "app.ini"
    static = program.with_suffix(".d")
    config.write_text(CONFIG.format(work=work, port=port, static=static), encoding="utf-8")
    # It is careful of root, whose tests may well be run in a container.
    variables = {
        **os.environ,
        "HOME": str(work),
        "USER": "root" if os.geteuid() == 0 else os.environ.get("USER", "nobody"),
        "GITEA_I_AM_BEING_UNSAFE_RUNNING_AS_ROOT": "true",
    }
    command = [str(program), "--config", str(config)]
    person = ["--username", USER, "--password", PASSWORD, "--email", "robot@example.com"]
    for step in (
        ["migrate"],
        ["admin", "user", "create", "--admin", *person, "--must-change-password=false"],
    ):
        subprocess.run(
            [*command, *step], env=variables, check=True, capture_output=True, timeout=60
        )
    log_file = work / "gitea.log"
    with log_file.open("ab") as log:
        process = subprocess.Popen(
            [*command, "web"], env=variables, stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )
    url = f"http://127.0.0.1:{port}"
    try:
        _wait_until_it_answers(process, f"{url}/v2/", log_file)
        yield url
    finally:
        process.kill()
        process.wait()


def _wait_until_it_answers(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            urllib.request.urlopen(url, timeout=5)
        except urllib.error.HTTPError:
            return  # 401: it wants to know who asks
        except OSError:
            time.sleep(0.05)
    raise RuntimeError(f"Gitea did not start: {log.read_text(encoding='utf-8')[-2000:]}")
