"""What `manage.py plan` and `manage.py apply` share: a file, and its problems as an error."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from access.policy import SHELL
from dashboard.governance.document import Document, parse
from dashboard.governance.plan import Plan, plan
from dashboard.governance.problems import InvalidDocument
from dashboard.governance.secrets import from_here
from dashboard.governance.tree import BYTES


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", help="a governance file; - is standard input")
    parser.add_argument(
        "--prune",
        action="store_true",
        help="also remove what is not in the sections (and lists of teams) that the file has",
    )


def planned(options: dict[str, Any]) -> Plan:
    """The plan of the file that was named; raises CommandError for what is none."""
    return plan(_document(options["file"]), rights=SHELL, secrets=from_here, prune=options["prune"])


def _document(name: str) -> Document:
    try:
        return parse(_text(name))
    except InvalidDocument as error:
        raise CommandError(f"{name} is no governance file:\n{error}") from None


def _text(name: str) -> str:
    try:
        if name == "-":
            return sys.stdin.read(BYTES + 1)
        with Path(name).open(encoding="utf-8", newline="") as file:
            return file.read(BYTES + 1)
    except OSError as error:
        raise CommandError(f"{name} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise CommandError(f"{name} is no text in UTF-8.") from None
