"""`manage.py issue_token`: a personal access token for somebody, from a shell."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from access.actions import Action
from access.models import User
from access.personal_tokens import create_token
from access.policy import rights_of
from access.scopes import InvalidScope, Scope
from access.shell import at_shell


class Command(BaseCommand):
    help = "Prints a new personal access token of a person: once, alone on standard output."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("user")
        parser.add_argument("--name", default="from a shell", help="what it is for")
        parser.add_argument(
            "--days",
            type=int,
            default=min(30, settings.PERSONAL_TOKEN_MAX_DAYS),
            help=f"how long it lives, at most {settings.PERSONAL_TOKEN_MAX_DAYS}",
        )
        parser.add_argument(
            "--action",
            action="append",
            default=[],
            metavar="ACTION",
            help='such as "content read"; several times for several; all without',
        )
        parser.add_argument(
            "--scope",
            action="append",
            default=[],
            metavar="SCOPE",
            help="REGISTRY, REGISTRY/team/* or REGISTRY/team/app; everything without",
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        user = User.objects.filter(username=options["user"]).first()
        if user is None:
            raise CommandError(f"There is nobody called {options['user']}.")
        if not 0 < options["days"] <= settings.PERSONAL_TOKEN_MAX_DAYS:
            raise CommandError(f"--days is between 1 and {settings.PERSONAL_TOKEN_MAX_DAYS}.")
        with at_shell("issue_token") as actor:
            try:
                issued = create_token(
                    user=user,
                    label=options["name"],
                    actions=[Action.parse(text) for text in options["action"]],
                    scopes=[Scope.parse(text) for text in options["scope"]],
                    expires_at=timezone.now() + timedelta(days=options["days"]),
                    rights=rights_of(user),
                    actor=actor,
                )
            except ValidationError as error:
                raise CommandError(" ".join(error.messages)) from None
            except (InvalidScope, ValueError) as error:
                raise CommandError(str(error)) from None
        self.stdout.write(issued.text)
