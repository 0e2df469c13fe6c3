"""`manage.py up` for real: everything starts, is found at its address, and is gone after Ctrl-C."""

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

import manage
from dashboard.embedded import places
from dashboard.embedded.postgres import Postgres
from dashboard.embedded.redis import Redis
from tests.live.registries import free_port

PROJECT = Path(__file__).resolve().parent.parent.parent
UP = [sys.executable, "manage.py", "up"]


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """As in a fresh clone: no services given, data of its own, a port of its own."""
    ours = {"DATABASE_URL", "REDIS_URL", "PORTOLAN_TRIAL", "PORTOLAN_URL"}
    return {
        **{name: value for name, value in os.environ.items() if name not in ours},
        "PORTOLAN_DATA_DIR": str(tmp_path / "data"),
        "PORT": str(free_port()),
        "PYTHONUNBUFFERED": "1",
    }


@contextlib.contextmanager
def running(environment: dict[str, str]) -> Iterator[tuple[subprocess.Popen[str], list[str]]]:
    """`manage.py up` once it has said that it runs, and the lines until then."""
    process = subprocess.Popen(
        UP,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=PROJECT,
        env=environment,
    )
    assert process.stdout is not None
    lines: list[str] = []
    try:
        for line in process.stdout:
            lines.append(line)
            if "Ctrl-C stops it" in line:
                break
        else:
            pytest.fail(f"It ended by itself:\n{''.join(lines)}")
        yield process, lines
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate()


def servers_left(environment: dict[str, str]) -> list[int]:
    home = Path(environment["PORTOLAN_DATA_DIR"])
    sockets = places.socket_dir(home)
    both = (Postgres(home / "postgres", sockets), Redis(home / "redis", sockets))
    return [pid for service in both if (pid := service.pid())]


def test_it_runs_until_ctrl_c_and_leaves_nothing(environment: dict[str, str]) -> None:
    address = f"http://127.0.0.1:{environment['PORT']}"
    with running(environment) as (process, lines):
        text = "".join(lines)
        assert f"Portolan runs at {address}\n" in text
        (link,) = re.findall(rf"{address}/first-run/\S+", text)
        with urllib.request.urlopen(link, timeout=10) as page:
            assert page.status == 200
        children = subprocess.run(
            ["ps", "-ww", "--ppid", str(process.pid), "-o", "args="],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        assert all(part in children for part in ("granian", "--quiet worker", "--quiet beat"))

        process.send_signal(signal.SIGINT)
        rest, _ = process.communicate(timeout=60)

    assert rest.endswith("Stopped.\n")
    assert process.returncode == 0
    assert servers_left(environment) == []
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", int(environment["PORT"])), 1)


def test_a_taken_port_is_said_in_one_sentence(environment: dict[str, str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = subprocess.run(
            UP,
            cwd=PROJECT,
            env={**environment, "PORT": str(port)},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert ended.returncode == 1
    assert ended.stderr == (
        f"CommandError: Port {port} is taken by another program:"
        f" choose another one, as in `PORT={port + 1} make up`.\n"
    )
    assert servers_left(environment) == []


@pytest.mark.parametrize("arguments", [[], ["help"], ["--version"], ["migrate", "--help"]])
def test_asking_for_help_starts_nothing(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[bool] = []

    def services(*, start: bool) -> contextlib.AbstractContextManager[None]:
        asked.append(start)
        return contextlib.nullcontext()

    monkeypatch.setattr("dashboard.embedded.services", services)
    monkeypatch.setattr("sys.argv", ["manage.py", *arguments])
    with contextlib.suppress(SystemExit):
        manage.main()
    assert asked == [False]
    assert capsys.readouterr().out


def test_without_services_it_helps_in_a_new_directory(environment: dict[str, str]) -> None:
    asked = subprocess.run(
        [sys.executable, "manage.py", "help", "sync"],
        cwd=PROJECT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert "registry" in asked.stdout
    assert not (Path(environment["PORTOLAN_DATA_DIR"]) / "postgres").exists()
