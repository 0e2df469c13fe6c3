"""`manage.py apply FILE`: make a governance file true, in one transaction, after showing its plan."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from access.policy import SHELL
from access.shell import at_shell
from dashboard.governance.apply import Applied, apply
from dashboard.governance.plan import Plan
from dashboard.governance.problems import Refused
from dashboard.governance.secrets import from_here
from dashboard.governance.showing import lines
from dashboard.management import governing


class Command(BaseCommand):
    help = (
        "Makes a governance file true: all of it in one transaction, or nothing. Shows the plan"
        " and asks first. New or changed connections are tried out before."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        governing.add_arguments(parser)
        parser.add_argument("--yes", action="store_true", help="do not ask")
        parser.add_argument(
            "--show-secrets",
            action="store_true",
            help="print signing secrets of new webhooks also where this is no terminal",
        )
        parser.add_argument(
            "--no-check",
            dest="check",
            action="store_false",
            help="store connections of registries without trying them out",
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        planned = governing.planned(options)
        colour = self.stdout.isatty() and not options["no_color"]
        for line in lines(planned, colour=colour or bool(options["force_color"])):
            self.stdout.write(line)
        if planned.problems:
            raise CommandError("Nothing was changed.")
        if not planned.changes:
            return
        if not options["yes"]:
            self._ask()
        applied = self._apply(planned, check=options["check"])
        self.stdout.write("Applied.")
        self._show(applied, shows=options["show_secrets"] or self.stdout.isatty())

    def _ask(self) -> None:
        if not sys.stdin.isatty():
            raise CommandError("Nobody can be asked here: say --yes. Nothing was changed.")
        if input("Apply this? Type yes: ").strip() != "yes":
            raise CommandError("Nothing was changed.")

    def _apply(self, planned: Plan, *, check: bool) -> Applied:
        with at_shell("apply") as actor:
            try:
                return apply(planned, rights=SHELL, actor=actor, secrets=from_here, check=check)
            except Refused as error:
                raise CommandError(f"Nothing was changed.\n{error}") from None

    def _show(self, applied: Applied, *, shows: bool) -> None:
        """New signing secrets, this once. What is no terminal is often a pipeline's log."""
        for one in applied.shown:
            secret = one.secret if shows else "not printed here; --show-secrets, or rotate it"
            self.stdout.write(f"{one.name}, {one.what}: {secret}")
