"""manage.py audit_retention: what beat does every day, by hand and with other ages."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError

from access.months import trim
from registries.actor import SYSTEM


class Command(BaseCommand):
    help = "Make the next months of the audit and token log, and drop those that are too old."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--audit-months",
            type=int,
            default=settings.AUDIT_RETENTION_MONTHS,
            help="whole months of the audit log to keep besides this one; 0 keeps all",
        )
        parser.add_argument(
            "--token-log-months",
            type=int,
            default=settings.TOKEN_LOG_RETENTION_MONTHS,
            help="the same of the log of docker tokens",
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        try:
            results = trim(
                audit_months=options["audit_months"],
                token_log_months=options["token_log_months"],
                actor=SYSTEM,
            )
        except OperationalError as error:
            raise CommandError(
                "A log is in use, perhaps by an export. Try again in a moment."
            ) from error
        for one in results:
            self.stdout.write(f"{one.log}: {one.parts} months with {one.entries} entries dropped.")
