"""`manage.py revoke`: take a role on a scope away from somebody, from a shell."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from access.grants import revoke_grants
from access.management import granting
from access.models import Grant
from access.policy import SHELL
from access.principals import PUBLIC, Principal
from access.reach import exactly
from access.shell import at_shell


class Command(BaseCommand):
    help = "Revokes the grant of this role, to this principal, on exactly this scope."

    def add_arguments(self, parser: ArgumentParser) -> None:
        granting.add_arguments(parser)

    def handle(self, *_args: Any, **options: Any) -> None:
        holder, role, scope = granting.said(options)
        who = Principal.of(holder) if holder else PUBLIC
        there = Grant.objects.with_names().filter(exactly(scope), role=role)
        ids = [grant.pk for grant in there if Principal.holding(grant) == who]
        if not ids:
            raise CommandError(f"{who} has no grant of {role.name} on exactly {scope}.")
        with at_shell("revoke") as actor:
            try:
                revoke_grants(ids, reason=options["reason"], rights=SHELL, actor=actor)
            except ValidationError as error:
                raise CommandError(" ".join(error.messages)) from None
        self.stdout.write(f"{who} is no longer {role.name} on {scope}.")
