"""A database as the migrations leave it, made once: all others are copies of it.

The migrations take six seconds of a processor, and a whole run of the tests needs such a database
five times. It lies in the Postgres that the session started itself, and is kept with it.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import psycopg
from psycopg import sql

from dashboard.embedded.postgres import programs

PROJECT = Path(__file__).resolve().parent.parent
# Workers of xdist inherit it, and the name of the database with it.
VARIABLE = "PORTOLAN_TEST_TEMPLATE"
PREFIX, DRAFT = "migrated_", "draft_of_migrated"


def make() -> None:
    """Have the database there; Django is set up, with a database of the same server."""
    from django.core.management import call_command
    from django.db import connection

    name = PREFIX + _fingerprint()
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as server:
        rows = server.execute("SELECT datname FROM pg_database WHERE datname ~ 'migrated_'")
        if name not in (found := {row[0] for row in rows}):
            for old in found:
                server.execute(sql.SQL("DROP DATABASE {}").format(sql.Identifier(old)))
            server.execute(f"CREATE DATABASE {DRAFT}")
            connection.close()
            usual, connection.settings_dict["NAME"] = connection.settings_dict["NAME"], DRAFT
            call_command("migrate", verbosity=0, interactive=False)
            connection.close()
            connection.settings_dict["NAME"] = usual
            # Under its name only now: what was interrupted is not taken for it.
            server.execute(f"ALTER DATABASE {DRAFT} RENAME TO {name}")
    os.environ[VARIABLE] = name


def copy_for_tests() -> None:
    """Let the test database of this process be a copy, where there is something to copy."""
    from django.db import connection

    if name := os.environ.get(VARIABLE):
        connection.settings_dict["TEST"]["TEMPLATE"] = name


def copy_to(url: str) -> None:
    """Fill the empty database of another server; there is nothing to copy where none was made."""
    if not (name := os.environ.get(VARIABLE)):
        environment = {**os.environ, "DATABASE_URL": url}
        subprocess.run(["./manage.py", "migrate", "-v0"], cwd=PROJECT, env=environment, check=True)
        return
    source = psycopg.conninfo.make_conninfo(os.environ["DATABASE_URL"], dbname=name)
    dumped = subprocess.run(
        [programs() / "pg_dump", "--no-owner", source], check=True, capture_output=True
    )
    subprocess.run(
        [programs() / "psql", "--quiet", "--no-psqlrc", "--set=ON_ERROR_STOP=1", url],
        input=dumped.stdout,
        stdout=subprocess.DEVNULL,
        check=True,
    )


def _fingerprint() -> str:
    """Of all that the migrations' outcome hangs on; some make tables for months that are near."""
    digest = hashlib.sha256(f"{datetime.now(UTC):%Y-%m}".encode())
    for path in sorted([*PROJECT.glob("*/migrations/*.py"), PROJECT / "requirements.lock"]):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]
