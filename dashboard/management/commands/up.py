"""`manage.py up`: the whole of Portolan on this machine, until Ctrl-C."""

import asyncio
import contextlib
import errno
import os
import socket
import sys
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connections

from dashboard import first_run
from dashboard.supervisor import Program, ProgramFailedError, Supervisor

HOST = "127.0.0.1"
# Syncs may take hours: events and deliveries have processes of their own, so as never to wait.
WORKERS = {"worker": "sync,default", "events": "events,deliveries"}
READY_SECONDS = 60.0


class Command(BaseCommand):
    help = "Run web, worker and scheduler here until Ctrl-C. PORT changes the port."

    def handle(self, *_args: Any, **_options: Any) -> None:
        refuse_taken_port(settings.PORT)
        self.stdout.write("Preparing the database and the static files.")
        call_command("migrate", interactive=False, verbosity=0)
        call_command("collectstatic", interactive=False, verbosity=0)
        welcome = self.welcome()
        connections.close_all()
        try:
            asyncio.run(self.supervise(welcome))
        except ProgramFailedError as error:
            raise CommandError(str(error), returncode=1) from error
        self.stdout.write("Stopped.")

    def welcome(self) -> str:
        """What the person at the terminal needs to know once everything runs."""
        lines = ["", f"Portolan runs at {settings.PUBLIC_URL}"]
        try:
            owner = first_run.ensure_owner()
        except ValidationError as error:
            raise CommandError(error.message) from error
        if owner:
            lines += [
                f"Its first owner, {owner.get_username()}, sets a password here (works once):",
                f"  {first_run.link(settings.PUBLIC_URL, owner)}",
            ]
        return "\n".join([*lines, "Ctrl-C stops it.", ""])

    async def supervise(self, welcome: str) -> None:
        async def announce() -> None:
            await until_alive()
            self.say(welcome)

        supervisor = Supervisor(programs(), directory=settings.BASE_DIR, write=self.say)
        await supervisor.run(when_started=announce)

    def say(self, line: str) -> None:
        # A closed terminal is no reason to leave anything running.
        with contextlib.suppress(OSError):
            self.stdout.write(line)
            self.stdout.flush()


def programs() -> list[Program]:
    python = [sys.executable, "-m"]
    # People try Portolan out as root in containers; celery's advice against it is for servers.
    calm = [sys.executable, "-W", "ignore:You're running the worker with superuser", "-m"]
    celery = [*calm, "celery", "-A", "dashboard", "--quiet"]
    return [
        Program(
            "web",
            [
                *(*python, "granian", "--interface", "wsgi"),
                *("--host", HOST, "--port", str(settings.PORT)),
                *("--workers", "2", "--blocking-threads", "4", "--no-ws"),
                *("--log-level", "warning"),
                "dashboard.wsgi:application",
            ],
        ),
        *(
            Program(
                name,
                [
                    *(*celery, "worker", "--hostname", f"{name}@%h", "--queues", queues),
                    *("--concurrency", "2", "--loglevel", "INFO"),
                    *("--without-gossip", "--without-mingle"),
                ],
                # Celery then gives running tasks a while to end, and returns the others to the
                # queue.
                {"REMAP_SIGTERM": "SIGQUIT"},
            )
            for name, queues in WORKERS.items()
        ),
        Program("beat", [*celery, "beat", "--loglevel", "WARNING"]),
    ]


def refuse_taken_port(port: int) -> None:
    """Raise CommandError, with what to do, unless the web server can listen on `port`."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OverflowError as error:
            raise CommandError(f"PORT must be between 1 and 65535, not {port}.") from error
        except OSError as error:
            reason = (
                "is taken by another program"
                if error.errno == errno.EADDRINUSE
                else f"cannot be used ({os.strerror(error.errno or 0)})"
            )
            raise CommandError(
                f"Port {port} {reason}: choose another one, as in `PORT={port + 1} make up`."
            ) from error


async def until_alive() -> None:
    """Return when the web server answers; CommandError when it does not in time."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + READY_SECONDS
    while loop.time() < deadline:
        with contextlib.suppress(OSError, TimeoutError):
            if await asyncio.wait_for(_is_alive(), timeout=5):
                return
        await asyncio.sleep(0.1)
    raise CommandError(
        f"The web server does not answer at http://{HOST}:{settings.PORT}/livez after"
        f" {READY_SECONDS:.0f} seconds; its output is above."
    )


async def _is_alive() -> bool:
    reader, writer = await asyncio.open_connection(HOST, settings.PORT)
    try:
        host = urlsplit(settings.PUBLIC_URL).netloc
        writer.write(f"GET /livez HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
        status = await reader.readline()
        return status.split()[1:2] == [b"200"]
    finally:
        writer.close()
