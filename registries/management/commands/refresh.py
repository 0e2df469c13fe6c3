"""manage.py refresh NAME REPOSITORY [--tag TAG]: one repository, or one tag, now."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from registries.actor import SYSTEM
from registries.models import Registry, TagMove
from registries.oci.errors import RegistryError
from registries.oci.reference import is_repository, is_tag
from registries.sync.refresh import refresh_repository

CHANGES = ("added", "moved", "removed")


class Command(BaseCommand):
    help = "Read one repository of a registry, or one of its tags, now and in this process."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help="the registry's name in Portolan")
        parser.add_argument("repository", help="its path, such as team-a/app")
        parser.add_argument("--tag", help="only this tag")
        parser.add_argument("--json", action="store_true", help="say it as one line of JSON")

    def handle(self, *_args: Any, **options: Any) -> None:
        path, tag = options["repository"], options["tag"]
        registry = Registry.objects.filter(name=options["name"]).first()
        if registry is None:
            raise CommandError(f"There is no registry named {options['name']!r}.")
        if not is_repository(path) or (tag is not None and not is_tag(tag)):
            raise CommandError(f"No registry can have {':'.join(filter(None, (path, tag)))!r}.")
        try:
            tally = refresh_repository(
                registry, path, tag=tag, source=TagMove.Source.SYNC, actor=SYSTEM
            )
        except RegistryError as error:
            raise CommandError(f"{error} {error.advice}") from error
        changes = {name: tally.counts[name] for name in CHANGES}
        if options["json"]:
            self.stdout.write(json.dumps({**changes, "errors": len(tally.problems)}))
        else:
            told = ", ".join(f"{count} {name}" for name, count in changes.items())
            self.stdout.write(f"{registry.name}/{path}: tags {told}.")
        for problem in tally.problems:
            self.stderr.write(f"{problem.message} {problem.advice}")
        if tally.problems:
            sys.exit(1)
