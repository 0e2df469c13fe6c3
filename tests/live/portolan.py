"""Portolan as it runs in production: a web server in processes of its own, on the tests' database."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from django import conf
from django.core.management import call_command
from django.db import connection

from access.models import TokenLogEntry
from access.tokens import signing
from tests.live.registries import free_port

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 40.0


@contextlib.contextmanager
def serving_many(log_file: Path, **settings: str) -> Iterator[str]:
    """The same for many tests, which commit what they do: the database is emptied after the last."""
    signing.forget_signer()
    try:
        with serving(log_file, **settings) as url:
            yield url
    finally:
        call_command("flush", verbosity=0, interactive=False)
        TokenLogEntry.objects.all().delete()  # a table by months, which no flush knows
        signing.forget_signer()


@contextlib.contextmanager
def serving(log_file: Path, **settings: str) -> Iterator[str]:
    """The address of a running Portolan. It is called localhost: crane sends credentials to no realm
    at a private address, and asks for nothing at a bare loopback one either."""
    port = free_port()
    url = f"http://localhost:{port}"
    with log_file.open("ab") as log:
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "granian", "--interface", "wsgi"),
                *("--host", "127.0.0.1", "--port", str(port)),
                *("--workers", "1", "--blocking-threads", "4", "--no-ws"),
                *("--log-level", "warning"),
                "dashboard.wsgi:application",
            ],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env={
                **os.environ,
                "DATABASE_URL": _database(),
                "REDIS_URL": conf.settings.CACHES["default"]["LOCATION"],  # this worker's own
                "PORTOLAN_URL": url,
                **settings,
            },
        )
    try:
        _wait_until_ready(process, url, log_file)
        yield url
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _database() -> str:
    """The address of the tests' own database, on whatever server this session has."""
    parts = urlsplit(os.environ["DATABASE_URL"])
    return parts._replace(path=f"/{connection.settings_dict['NAME']}").geturl()


def _wait_until_ready(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError), urllib.request.urlopen(f"{url}/readyz", timeout=5):
            return
        time.sleep(0.1)
    raise RuntimeError(f"Portolan did not start: {log.read_text(encoding='utf-8')[-2000:]}")
