"""The embedded PostgreSQL and Redis: shared, left by nobody, and unharmed by kill -9."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from dashboard import embedded
from dashboard.embedded import places
from dashboard.embedded.postgres import Postgres
from dashboard.embedded.redis import Redis
from dashboard.embedded.service import EmbeddedError

PROJECT = Path(__file__).resolve().parent.parent.parent

# A command that holds the services until its standard input ends, telling what it got.
HOLD = """
import os, sys
from dashboard import embedded
with embedded.services():
    print(os.environ["DATABASE_URL"], flush=True)
    sys.stdin.read()
"""


UNSET = {"DATABASE_URL": "", "REDIS_URL": "", "PORTOLAN_TRIAL": ""}


@pytest.fixture(autouse=True)
def no_services_given(monkeypatch: pytest.MonkeyPatch) -> None:
    """The test session has servers of its own; here nothing is known of them."""
    for variable in UNSET:
        monkeypatch.setenv(variable, "")


@pytest.fixture(scope="module")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory after its first start: copying it is quicker than making one a test."""
    directory = tmp_path_factory.mktemp("first")
    with pytest.MonkeyPatch.context() as patch:
        for variable in UNSET:
            patch.setenv(variable, "")
        with embedded.services(directory=directory):
            pass
    return directory


@pytest.fixture
def home(made_once: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    directory = Path(tempfile.mkdtemp())
    subprocess.run(["cp", "-a", f"{made_once}/.", directory], check=True)
    monkeypatch.setenv("PORTOLAN_DATA_DIR", str(directory))
    yield directory
    for service in both(directory):
        service.stop()
    shutil.rmtree(directory)


def both(home: Path) -> tuple[Postgres, Redis]:
    sockets = places.socket_dir(home)
    return Postgres(home / "postgres", sockets), Redis(home / "redis", sockets)


def pids(home: Path) -> list[int | None]:
    return [service.pid() for service in both(home)]


def other_command() -> subprocess.Popen[str]:
    """Another process that uses the same services; returns when it has them."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=PROJECT,
        env={**os.environ, **UNSET},
    )
    assert process.stdout is not None
    assert process.stdout.readline().startswith("postgresql://")
    return process


def ask(question: str) -> object:
    with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
        row = connection.execute(question).fetchone()
        return row[0] if row else None


def test_both_run_while_they_are_used_and_no_longer(home: Path) -> None:
    with embedded.services():
        assert ask("SELECT count(*) FROM pg_available_extensions WHERE name = 'pg_trgm'") == 1
        assert os.environ["REDIS_URL"].startswith("unix:///")
        assert None not in pids(home)
    assert pids(home) == [None, None]


def test_nothing_listens_on_tcp(home: Path) -> None:
    with embedded.services():
        assert ask("SHOW listen_addresses") == ""
        assert oct(places.socket_dir(home).stat().st_mode & 0o777) == "0o700"


def test_text_sorts_alike_on_every_machine(home: Path) -> None:
    with embedded.services():
        assert ask("SELECT datlocale FROM pg_database WHERE datname = 'portolan'") == "C.UTF-8"
        assert ask("SELECT upper('ärger')") == "ÄRGER"


def test_the_last_one_out_stops_them(home: Path) -> None:
    with embedded.services():
        other = other_command()
    running = pids(home)
    other.communicate()

    assert None not in running
    assert pids(home) == [None, None]


def test_a_command_that_is_terminated_stops_them(home: Path) -> None:
    other = other_command()
    other.terminate()
    other.communicate()

    assert other.returncode == 128 + signal.SIGTERM
    assert pids(home) == [None, None]


def test_servers_that_a_killed_command_left_are_used_and_then_stopped(home: Path) -> None:
    other = other_command()
    other.kill()
    other.communicate()
    left = pids(home)
    assert None not in left

    with embedded.services():
        assert pids(home) == left
    assert pids(home) == [None, None]


def test_data_survives_the_kill_of_everything(home: Path) -> None:
    with embedded.services():
        with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 7 AS number")
        for pid in pids(home):
            assert pid is not None
            os.kill(pid, signal.SIGKILL)

    with embedded.services():
        assert ask("SELECT number FROM kept") == 7


def test_a_pid_file_that_names_a_stranger_is_stale(home: Path) -> None:
    postgres, redis = both(home)
    # As after a crash, when the number has gone to another program: here, to this very test.
    stale = f"{os.getpid()}\n{postgres.home}\n1700000000\n5432\n{postgres.sockets}\n\n0 0\nready\n"
    for claim in postgres.claims:
        claim.write_text(stale, encoding="utf-8")
    redis.pid_file.write_text(f"{os.getpid()}\n", encoding="utf-8")

    with embedded.services():
        assert ask("SELECT 1") == 1
        assert os.getpid() not in pids(home)


def test_an_interrupted_first_start_is_begun_again(home: Path) -> None:
    postgres, _ = both(home)
    postgres.home.rename(home / "postgres.new")
    (home / "postgres.new" / "PG_VERSION").unlink()

    with embedded.services():
        assert ask("SELECT 1") == 1


def test_servers_of_our_own_are_left_alone(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://db.example.com/portolan")
    with embedded.services():
        assert os.environ["DATABASE_URL"] == "postgresql://db.example.com/portolan"
        assert not os.environ["PORTOLAN_TRIAL"]
        postgres, redis = pids(home)
    assert postgres is None
    assert redis is not None


def test_a_url_in_a_file_counts_as_given(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL_FILE", "/run/secrets/database")
    monkeypatch.setenv("REDIS_URL_FILE", "/run/secrets/redis")
    with embedded.services():
        assert pids(home) == [None, None]
        assert not os.environ["DATABASE_URL"]


def test_commands_without_a_database_get_addresses_and_start_nothing(home: Path) -> None:
    with embedded.services(start=False):
        assert os.environ["DATABASE_URL"].startswith("postgresql://portolan@/portolan?host=%2F")
        assert pids(home) == [None, None]


def test_a_long_path_gets_its_sockets_in_a_short_one(home: Path) -> None:
    deep = home / ("d" * 80)
    deep.mkdir()
    sockets = places.socket_dir(deep)
    try:
        with embedded.services(directory=deep):
            assert ask("SELECT 1") == 1
    finally:
        shutil.rmtree(sockets)
    assert sockets.parent == Path(tempfile.gettempdir())
    assert places.socket_dir(home / "other" / ("d" * 80)) != sockets


def test_a_socket_directory_that_others_may_open_is_refused(home: Path) -> None:
    places.socket_dir(home).chmod(0o755)
    with pytest.raises(EmbeddedError, match="nobody else may open"), embedded.services():
        pass


def test_data_of_another_version_is_not_touched(home: Path) -> None:
    (home / "postgres" / "PG_VERSION").write_text("17\n", encoding="utf-8")
    with (
        pytest.raises(EmbeddedError, match="PostgreSQL 17 and this is PostgreSQL 18"),
        embedded.services(),
    ):
        pass


def test_a_server_that_cannot_start_says_why(home: Path) -> None:
    configuration = home / "postgres" / "postgresql.conf"
    configuration.write_text("no_such_setting = on\n", encoding="utf-8")
    with pytest.raises(EmbeddedError, match="no_such_setting"), embedded.services():
        pass
