"""What `manage.py grant` and `manage.py revoke` are told, as values."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import date, datetime, time, timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError
from django.utils import timezone

from access.grants import Holder
from access.models import Role
from access.principals import Principal
from access.scopes import InvalidScope, Scope


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("principal", help="user:NAME, team:NAME, sp:NAME, or anonymous")
    parser.add_argument("role", help="such as reader, pusher, owner")
    parser.add_argument(
        "scope", help="*, REGISTRY, REGISTRY/team/* or REGISTRY/team/app (quote the stars)"
    )
    parser.add_argument("--reason", default="", help="for who reviews it, and for the audit log")


def said(options: dict[str, Any]) -> tuple[Holder, Role, Scope]:
    """To whom, which role, where; raises CommandError with a sentence."""
    try:
        holder = Principal.parse(options["principal"]).find()
        scope = Scope.parse(options["scope"])
    except ValidationError as error:
        raise CommandError(" ".join(error.messages)) from None
    except InvalidScope as error:
        raise CommandError(str(error)) from None
    role = Role.objects.filter(name=options["role"]).first()
    if role is None:
        names = ", ".join(Role.objects.values_list("name", flat=True))
        raise CommandError(f"There is no role {options['role']}. There are: {names}.")
    return holder, role, scope


def end_of(text: str | None) -> datetime | None:
    """A day is meant with all of it; a moment (2027-01-31T18:00) is that moment."""
    if text is None:
        return None
    try:
        if len(text) == len("2027-01-31"):
            day = date.fromisoformat(text)
            return timezone.make_aware(datetime.combine(day + timedelta(days=1), time.min))
        moment = datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        raise CommandError(f"{text} is no date such as 2027-01-31.") from None
    return moment if timezone.is_aware(moment) else timezone.make_aware(moment)
