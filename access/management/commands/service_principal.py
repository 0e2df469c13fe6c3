"""`manage.py service_principal`: a machine and its first secret, from a shell."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from access.machine_secrets import create_secret
from access.machines import create_machine
from access.models import ServicePrincipal, Team
from access.policy import SHELL
from access.shell import at_shell


class Command(BaseCommand):
    help = (
        "Makes a service principal and prints its secret, which is never shown again: alone on"
        " standard output, so that a script can take it. It may do nothing until `manage.py grant"
        " sp:NAME ROLE SCOPE`."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help="lower-case letters, digits and hyphens")
        parser.add_argument("--team", help="the team that owns it")
        parser.add_argument("--description", default="")
        parser.add_argument("--days", type=int, help="how long the secret lives; no end without")

    def handle(self, *_args: Any, **options: Any) -> None:
        name, days = options["name"], options["days"]
        if days is not None and not 0 < days <= 3650:
            raise CommandError("--days is between 1 and 3650.")
        if ServicePrincipal.objects.filter(name=name).exists():
            raise CommandError(f"There is a service principal {name} already.")
        expires_at = timezone.now() + timedelta(days=days) if days else None
        with at_shell("service_principal") as actor:
            try:
                machine = create_machine(
                    name=name,
                    description=options["description"],
                    team=_team(options["team"]),
                    rights=SHELL,
                    actor=actor,
                )
                issued = create_secret(machine, expires_at=expires_at, rights=SHELL, actor=actor)
            except ValidationError as error:
                raise CommandError(" ".join(error.messages)) from None
        self.stderr.write(
            f"{name} signs in with this user name and this secret:", self.style.NOTICE
        )
        self.stdout.write(issued.text)


def _team(name: str | None) -> Team | None:
    if name is None:
        return None
    team = Team.objects.filter(name=name).first()
    if team is None:
        raise CommandError(f"There is no team {name}.")
    return team
