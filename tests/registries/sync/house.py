"""A Portolan of its own, with real processes that a test may kill: Postgres, Redis, commands, workers."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

from dashboard.embedded import places
from dashboard.embedded.postgres import Postgres
from dashboard.embedded.redis import Redis

PROJECT = Path(__file__).resolve().parent.parent.parent.parent
SECONDS = 90.0  # for what takes one or two; the machine may be busy


class House:
    """Services in a directory of their own, and processes that use them."""

    def __init__(self, home: Path) -> None:
        sockets = places.socket_dir(home)
        self.postgres = Postgres(home / "postgres", sockets)
        self.redis = Redis(home / "redis", sockets)
        self.log = home / "processes.log"
        self._environment = {
            **os.environ,
            "PORTOLAN_DATA_DIR": str(home),
            "PORTOLAN_TRIAL": "1",
            "DATABASE_URL": self.postgres.url,
            "REDIS_URL": self.redis.url,
            "PYTHONUNBUFFERED": "1",
        }

    def manage(self, *arguments: str) -> str:
        """What a command of manage.py prints; it must end well."""
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=PROJECT,
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=SECONDS,
        )
        assert done.returncode == 0, f"{arguments}: {done.stdout}{done.stderr}"
        return done.stdout

    def call(self, task: str, *arguments: object) -> None:
        """Call a function of registries.tasks in a process of its own."""
        words = ", ".join(map(repr, arguments))
        self.manage("shell", "-v0", "-c", f"from registries import tasks; tasks.{task}({words})")

    @contextmanager
    def running(self, *command: str) -> Iterator[subprocess.Popen[bytes]]:
        """A process in a group of its own, killed at the end if it still lives."""
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, *command],
                cwd=PROJECT,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        try:
            yield process
        finally:
            kill(process)

    def worker(self) -> Any:
        """A Celery worker of two processes, as `manage.py up` starts one."""
        queues = ("--queues", "sync,default", "--concurrency", "2", "--loglevel", "INFO")
        return self.running("-m", "celery", "--app", "dashboard", "worker", *queues)

    def ask(self, question: str) -> Any:
        """The first value of a query's first row."""
        with psycopg.connect(self.postgres.url, autocommit=True) as connection:
            row = connection.execute(question).fetchone()
            return row[0] if row else None

    def tell(self, statement: str) -> None:
        with psycopg.connect(self.postgres.url, autocommit=True) as connection:
            connection.execute(statement)

    def wait_until(self, question: str, is_so: Callable[[Any], bool] = bool) -> None:
        deadline = time.monotonic() + SECONDS
        while not is_so(answer := self.ask(question)):
            assert time.monotonic() < deadline, f"{question}: {answer}\n{self.last_words()}"
            time.sleep(0.05)

    def crash(self, service: Postgres | Redis) -> None:
        """End a service at once, as a power cut does, and start it again."""
        pid = service.pid()
        assert pid is not None
        # Postgres calls SIGQUIT its immediate shutdown; SIGKILL would leave its children.
        os.kill(pid, signal.SIGQUIT if service is self.postgres else signal.SIGKILL)
        while service.pid() == pid:
            time.sleep(0.01)
        service.ensure()

    def last_words(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")[-3000:]


def kill(process: subprocess.Popen[bytes]) -> None:
    """Kill a process and its children, without a word of warning."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
