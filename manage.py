#!/usr/bin/env python
"""Portolan's command line: Django's commands and our own, each with the database it needs."""

import os
import sys

from dashboard import embedded

# These read the settings at most, so they start nothing.
OFFLINE = {"", "help", "version", "check", "collectstatic", "makemessages", "compilemessages"}
ASKING = {"-h", "--help", "--version"}


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dashboard.settings")
    command = sys.argv[1] if len(sys.argv) > 1 else ""
    offline = command in OFFLINE or not ASKING.isdisjoint(sys.argv[1:])
    try:
        with embedded.services(start=not offline):
            # Settings may be read while this is imported, so the services come first.
            from django.core.management import execute_from_command_line  # noqa: PLC0415

            execute_from_command_line(sys.argv)
    except embedded.EmbeddedError as error:
        sys.exit(f"Error: {error}")


if __name__ == "__main__":
    main()
