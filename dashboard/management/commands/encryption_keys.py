"""`manage.py encryption_keys`: which key of ENCRYPTION_KEYS holds what, and when an old one may go."""

from __future__ import annotations

from argparse import ArgumentParser
from collections import Counter
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db.models import Count, F, Func, TextField, Value
from django.utils import timezone

from access import keyring
from access.models import Secret
from registries.rekeying import encrypt_anew, encrypted_columns, held_by_key


class Command(BaseCommand):
    help = (
        "Says how many secrets each key of ENCRYPTION_KEYS holds. The first one encrypts; an old"
        " one may be taken out when it holds nothing."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--encrypt-anew",
            action="store_true",
            help="first encrypt with the first key what others hold; it may be done while all runs",
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        unreadable = self._encrypt_anew() if options["encrypt_anew"] else []
        encrypted = sum((held_by_key(column) for column in encrypted_columns()), Counter[str]())
        known = _working_secrets()
        for key in dict.fromkeys([*settings.ENCRYPTION_KEYS, *encrypted, *known]):
            self.stdout.write(
                f"{key}: {encrypted[key]} encrypted, {known[key]} tokens and machines’ secrets"
                f" known by it. {_advice(key, encrypted[key], known[key])}"
            )
        if unreadable:
            raise CommandError("\n".join(unreadable))

    def _encrypt_anew(self) -> list[str]:
        outcomes = [encrypt_anew(column) for column in encrypted_columns()]
        self.stdout.write(f"{sum(one.changed for one in outcomes)} encrypted anew.")
        return [sentence for one in outcomes for sentence in one.unreadable]


def _working_secrets() -> Counter[str]:
    """How many secrets that work are known by which key. They are kept as digests alone: nothing
    can make one anew but who issues another secret."""
    key = Func(F("digest"), Value(":"), Value(1), function="SPLIT_PART", output_field=TextField())
    working = Secret.objects.filter(keyring.live(timezone.now()))
    return Counter(dict(working.values_list(key).annotate(count=Count("pk")).order_by()))


def _advice(key: str, encrypted: int, known: int) -> str:
    if key not in settings.ENCRYPTION_KEYS:
        return "It is not in ENCRYPTION_KEYS: add it, or none of them opens."
    if key == next(iter(settings.ENCRYPTION_KEYS)):
        return "It encrypts."
    if encrypted:
        return "It is needed: run this with --encrypt-anew."
    if known:
        return "It is needed until those are rotated or end."
    return "It may be taken out."
