"""`manage.py connect`: connect a registry from a shell, after trying the connection out."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, ArgumentTypeError
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from registries.actor import Actor
from registries.connection_checks import ConnectionCheck, check_connection
from registries.connections import connect_registry, name_taken
from registries.connectors import CONNECTORS
from registries.models import Registry
from registries.registry_settings import RegistrySettings

SHELL = Actor(kind="system", id="", label="manage.py connect")
_MARKS = {True: "ok     ", False: "FAILED ", None: "-      "}
_MAY = {True: "yes    ", False: "no     ", None: "unknown"}


class Command(BaseCommand):
    help = (
        "Connects a registry: tries the connection out step by step, and stores it only if all"
        " goes well. Nothing is synced yet; that is `manage.py sync NAME`, or the schedule."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help="lower-case letters, digits and hyphens")
        parser.add_argument("url", help="the host that docker login takes")
        parser.add_argument(
            "--kind", default="", help=f"found out if not given: {', '.join(CONNECTORS)}"
        )
        parser.add_argument(
            "--option",
            dest="options",
            action="append",
            type=_option,
            default=[],
            metavar="NAME=VALUE",
            help="a setting of the kind, such as tenant=…; docs/registries.md lists them",
        )
        parser.add_argument("--username", default="")
        parser.add_argument(
            "--password-stdin",
            action="store_true",
            help="read the password from standard input, where no list of processes shows it",
        )
        parser.add_argument("--api-username", default="", help="for the vendor's own API")
        parser.add_argument(
            "--api-secret-file", type=Path, help="a file with the secret for the vendor's own API"
        )
        parser.add_argument("--public-host", default="", help="the host in pull commands")
        parser.add_argument("--ca-file", type=Path, help="PEM certificates to trust")
        parser.add_argument(
            "--allow-private",
            action="store_true",
            help="allow addresses of private networks and plain http",
        )
        parser.add_argument(
            "--repositories",
            nargs="+",
            default=[],
            metavar="PATTERN",
            help="names or patterns such as team-a/*, instead of the whole catalog",
        )
        parser.add_argument(
            "--sync-every",
            type=_interval,
            default="15",
            metavar="MINUTES",
            help="0: only when asked for",
        )

    def handle(self, *_: Any, **options: Any) -> None:
        settings = self._settings(options)
        try:
            if Registry.objects.filter(name=settings.name).exists():
                raise name_taken(settings.name)
            check = check_connection(settings)
            self._print(check)
            if (failure := check.failure) is not None:
                raise CommandError(f"{failure.detail} {failure.advice}".strip())
            registry = connect_registry(check=check, actor=SHELL)
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from None
        self.stdout.write(
            f"Connected {registry.name}. `manage.py sync {registry.name}` reads it now."
        )

    def _settings(self, options: dict[str, Any]) -> RegistrySettings:
        if options["username"] and not options["password_stdin"]:
            raise CommandError("Give the password on standard input, with --password-stdin.")
        return RegistrySettings(
            name=options["name"],
            url=options["url"],
            kind=options["kind"],
            options=dict(options["options"]),
            api_username=options["api_username"],
            api_secret=_secret(options["api_secret_file"]) if options["api_secret_file"] else None,
            public_host=options["public_host"],
            allow_private=options["allow_private"],
            ca_certificate=_read(options["ca_file"]) if options["ca_file"] else "",
            repository_names=tuple(options["repositories"]),
            sync_interval=options["sync_every"],
            username=options["username"],
            password=_password() if options["password_stdin"] else None,
        )

    def _print(self, check: ConnectionCheck) -> None:
        for step in check.steps:
            self.stdout.write(f"  {_MARKS[step.ok]} {step.name:<8}  {step.detail}")
        if not check.passed:
            return
        self.stdout.write(f"It is {CONNECTORS[check.settings.kind].label}. This credential may:")
        for power in check.powers:
            self.stdout.write(f"  {_MAY[power.allowed]} {power.name:<8}  {power.detail}")


def _interval(text: str) -> timedelta | None:
    try:
        return timedelta(minutes=int(text)) or None
    except (ValueError, OverflowError):
        raise ArgumentTypeError(f"{text} is not a number of minutes") from None


def _option(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise ArgumentTypeError(f"{text} is not NAME=VALUE")
    return name, value


def _secret(path: Path) -> str:
    try:
        secret = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeError) as error:
        raise CommandError(f"{path} cannot be read: {error}") from None
    if not secret:
        raise CommandError(f"{path} is empty.")
    return secret


def _password() -> str:
    """The first line of standard input, as `docker login --password-stdin` reads it."""
    password = sys.stdin.readline().rstrip("\r\n")
    if not password:
        raise CommandError("No password came on standard input.")
    return password


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii")
    except (OSError, UnicodeError) as error:
        raise CommandError(f"{path} cannot be read as PEM text: {error}") from None
