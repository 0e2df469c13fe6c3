"""manage.py verify_audit: is the audit log whole? Exits with 1 and the first broken row if not."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from access.trail import Known, verify


class Command(BaseCommand):
    help = "Verify that no entry of the audit log was changed, replaced, removed or cut off."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--known",
            metavar="NUMBER:HASH",
            help="an entry that was noted elsewhere, as this command printed it, and must still be so",
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        try:
            known = Known.parse(options["known"]) if options["known"] else None
        except ValueError as error:
            raise CommandError(f"--known takes NUMBER:HASH as printed here. {error}") from error
        verdict = verify(known)
        if not verdict.holds:
            self.stderr.write(verdict.sentence)
            sys.exit(1)
        self.stdout.write(verdict.sentence)
        self.stdout.write(f"Note this elsewhere: --known {verdict.number}:{verdict.hash}")
