"""`manage.py plan FILE`: what applying a governance file would change. Changes nothing."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from dashboard.governance.showing import lines
from dashboard.management import governing

DIFFERS = 2


class Command(BaseCommand):
    help = (
        "Shows what applying a governance file would create, change and delete. Exit code: 0 if"
        " nothing, 2 if something, 1 if it cannot be applied."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        governing.add_arguments(parser)
        parser.add_argument("--json", action="store_true", help="say it as one JSON document")

    def handle(self, *_args: Any, **options: Any) -> None:
        shown = governing.planned(options)
        if options["json"]:
            self.stdout.write(json.dumps(shown.as_data(), ensure_ascii=False, indent=2))
        else:
            colour = self.stdout.isatty() and not options["no_color"]
            for line in lines(shown, colour=colour or bool(options["force_color"])):
                self.stdout.write(line)
        if shown.problems:
            sys.exit(1)
        if shown.changes:
            sys.exit(DIFFERS)
