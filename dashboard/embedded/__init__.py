"""PostgreSQL and Redis for trying Portolan out: started by whoever needs them, stopped by the last.

When DATABASE_URL or REDIS_URL is not set, `services()` runs a real server from a wheel under
PORTOLAN_DATA_DIR and sets the variable, before Django reads its settings. Each process holds a
lease; at its end the one that finds no other lease turns the light off. A server that a killed
process left running is found healthy by the next command and used.

Nothing here imports Django: it must run first.
"""

import contextlib
import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

from dashboard.embedded.lease import Lease
from dashboard.embedded.places import data_dir, socket_dir
from dashboard.embedded.postgres import Postgres
from dashboard.embedded.redis import Redis
from dashboard.embedded.service import EmbeddedError, Service

__all__ = ["EmbeddedError", "services"]


@contextlib.contextmanager
def services(*, start: bool = True, directory: Path | None = None) -> Iterator[None]:
    """Set DATABASE_URL and REDIS_URL where they are missing, with servers behind them meanwhile.

    With `start=False` only the variables are set: enough for commands that read settings and never
    connect. `directory` is where data lives, PORTOLAN_DATA_DIR by default. Raises EmbeddedError,
    one sentence, when a server cannot run here.
    """
    home = directory.resolve() if directory else data_dir()
    missing: list[Service] = []
    if not _given("DATABASE_URL"):
        missing.append(Postgres(home / "postgres", socket_dir(home)))
    if not _given("REDIS_URL"):
        missing.append(Redis(home / "redis", socket_dir(home)))
    with _environment(missing):
        if missing and start:
            with _terminate_by_exception(), _running(missing, home):
                yield
        else:
            yield


@contextlib.contextmanager
def _environment(missing: list[Service]) -> Iterator[None]:
    values = {service.variable: service.url for service in missing}
    if "DATABASE_URL" in values:
        # Settings may then make keys of their own and keep them with the data.
        values["PORTOLAN_TRIAL"] = "1"
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _given(variable: str) -> bool:
    return bool(os.environ.get(variable) or os.environ.get(f"{variable}_FILE"))


@contextlib.contextmanager
def _running(wanted: list[Service], home: Path) -> Iterator[None]:
    owner = os.getpid()
    with Lease(home) as lease:
        with lease.alone():
            lease.hold()
            for service in wanted:
                service.ensure()
        try:
            yield
        finally:
            # A child that forked from us and runs this line is not the one who started them.
            if os.getpid() == owner:
                with _uninterrupted(), lease.alone():
                    if lease.is_last():
                        for service in reversed(wanted):
                            service.stop()


@contextlib.contextmanager
def _terminate_by_exception() -> Iterator[None]:
    """Let SIGTERM and SIGHUP unwind the stack, so that a stopped command stops its servers."""

    def leave(number: int, _frame: FrameType | None) -> None:
        raise SystemExit(128 + number)

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    ours = [s for s in (signal.SIGTERM, signal.SIGHUP) if signal.getsignal(s) is signal.SIG_DFL]
    for number in ours:
        signal.signal(number, leave)
    try:
        yield
    finally:
        for number in ours:
            signal.signal(number, signal.SIG_DFL)


@contextlib.contextmanager
def _uninterrupted() -> Iterator[None]:
    """Ignore an impatient second Ctrl-C for the fraction of a second that stopping takes."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
