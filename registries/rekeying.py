"""Changing the key of secrets at rest: what is encrypted with which, and all of it anew.

A key is taken into ENCRYPTION_KEYS before the old one, everything is encrypted anew, and then the
old one may go. Nothing is locked meanwhile: a row that changed since it was read is left to who
changed it, who has used the new key.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.conf import settings
from django.db import models
from django.db.models.functions import Cast

from registries.fields import EncryptedTextField, UndecryptableError, decrypt, encrypt

_CHUNK = 500


@dataclass(frozen=True, slots=True)
class Outcome:
    """How many values were encrypted anew, and a sentence for each that does not open."""

    changed: int
    unreadable: tuple[str, ...]


def encrypted_columns() -> list[EncryptedTextField]:
    """Every column that holds secrets, of all apps."""
    return [
        field
        for model in apps.get_models()
        for field in model._meta.local_concrete_fields
        if isinstance(field, EncryptedTextField)
    ]


def held_by_key(column: EncryptedTextField) -> Counter[str]:
    """How many values each key holds there."""
    key = models.Func(
        models.F(column.name),
        models.Value(":"),
        models.Value(2),
        function="SPLIT_PART",
        output_field=models.TextField(),
    )
    found = _rows(column).values_list(key).annotate(count=models.Count("pk")).order_by()
    return Counter(dict(found))


def encrypt_anew(column: EncryptedTextField) -> Outcome:
    """Encrypt with the first key whatever there is under another."""
    changed, unreadable = 0, []
    current = next(iter(settings.ENCRYPTION_KEYS))
    for pk, stored in _under_others(column, current):
        context = f"{column.model._meta.db_table}:{column.column}:{pk}"
        try:
            anew = encrypt(decrypt(stored, context=context), context=context)
        except UndecryptableError as error:
            unreadable.append(str(error))
            continue
        as_it_was = _rows(column).filter(pk=pk, stored=stored)
        changed += as_it_was.update(**{column.name: anew})
    return Outcome(changed, tuple(unreadable))


def _under_others(column: EncryptedTextField, current: str) -> Iterator[tuple[Any, str]]:
    others = _rows(column).exclude(stored__startswith=f"v1:{current}:")
    yield from others.order_by("pk").values_list("pk", column.name).iterator(chunk_size=_CHUNK)


def _rows(column: EncryptedTextField) -> models.QuerySet[Any]:
    """The table, with the text as it is stored, which the column itself gives nobody."""
    text = Cast(models.F(column.name), models.TextField())
    found: models.QuerySet[Any] = models.QuerySet(column.model).alias(stored=text)
    return found
