"""`manage.py export`: the whole governance as one file, or the JSON Schema of such files."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from access.policy import SHELL
from dashboard.governance.document import dump
from dashboard.governance.export import export
from dashboard.governance.schema import schema


class Command(BaseCommand):
    help = (
        "Writes registries (without secrets), mirrors, roles, teams, machines, trust rules, grants,"
        " admin accounts and webhooks as one YAML file, which `manage.py plan` and `apply` take."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("-o", "--output", type=Path, metavar="FILE", help="instead of printing")
        parser.add_argument(
            "--schema", action="store_true", help="the JSON Schema of such files, for editors"
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        text = json.dumps(schema(), indent=2) + "\n" if options["schema"] else dump(export(SHELL))
        output: Path | None = options["output"]
        if output is None:
            self.stdout.write(text, ending="")
            return
        try:
            output.write_text(text, encoding="utf-8")
        except OSError as error:
            raise CommandError(f"{output} cannot be written: {error.strerror}.") from None
