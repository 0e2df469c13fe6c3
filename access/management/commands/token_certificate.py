"""`manage.py token_certificate`: what registries need in order to trust our tokens."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from access.policy import SHELL
from access.shell import at_shell
from access.tokens import signing

MOST_DAYS = 365


class Command(BaseCommand):
    help = (
        "Prints the certificates of all keys that registries should trust, for the"
        " `rootcertbundle` of Distribution and zot. Alone on standard output."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--jwks",
            action="store_true",
            help="the same keys as JSON, for `jwks` of Distribution 3",
        )
        parser.add_argument(
            "--rotate",
            action="store_true",
            help="make a new key first; it signs in some days, when registries have it",
        )
        parser.add_argument(
            "--days",
            type=float,
            default=signing.LEAD.days,
            help=f"when the new key begins to sign: in {signing.LEAD.days} days unless said; 0 is now,"
            " and every registry refuses until it has the new certificate",
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        if not 0 <= options["days"] <= MOST_DAYS:
            raise CommandError(f"--days is between 0 and {MOST_DAYS}.")
        if options["rotate"]:
            self._rotate(timedelta(days=options["days"]))
        keys = signing.ensured()
        if options["jwks"]:
            self.stdout.write(json.dumps(signing.as_jwks(keys), indent=2))
        else:
            self.stdout.write("".join(key.certificate for key in keys), ending="")

    def _rotate(self, lead: timedelta) -> None:
        signing.ensured()  # there must be one to follow
        with at_shell("token_certificate") as actor:
            made = signing.rotate(lead=lead, rights=SHELL, actor=actor)
        self.stderr.write(
            f"Key {made.kid} signs from {made.signs_from:%Y-%m-%d %H:%M %Z} on. Until then, give"
            " every registry what follows, and restart it.",
            self.style.NOTICE,
        )
