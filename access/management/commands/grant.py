"""`manage.py grant`: a role for somebody on a scope, from a shell."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from access.grants import grant_role
from access.management import granting
from access.policy import SHELL
from access.principals import Principal
from access.shell import at_shell


class Command(BaseCommand):
    help = "Grants a role to somebody on a scope; the same again changes its end and reason."

    def add_arguments(self, parser: ArgumentParser) -> None:
        granting.add_arguments(parser)
        parser.add_argument("--until", metavar="DATE", help="the last day, such as 2027-01-31")

    def handle(self, *_args: Any, **options: Any) -> None:
        holder, role, scope = granting.said(options)
        with at_shell("grant") as actor:
            try:
                made = grant_role(
                    role=role,
                    to=holder,
                    scope=scope,
                    until=granting.end_of(options["until"]),
                    reason=options["reason"],
                    rights=SHELL,
                    actor=actor,
                )
            except ValidationError as error:
                raise CommandError(" ".join(error.messages)) from None
        until = f" until {made.until:%Y-%m-%d %H:%M %Z}" if made.until else ""
        self.stdout.write(f"{Principal.holding(made)} is {role.name} on {scope}{until}.")
