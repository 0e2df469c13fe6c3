"""What a process remembers of rights between requests, for as long as nothing changed them.

A pull of ten layers asks for its token ten times over, and each time the same grants would be read.
Whatever changes rights renews a stamp in its own transaction (a trigger: migration 0006), which
comes along with the row that every request reads anyway. What was read under another stamp is read
again: a revoked grant counts from the next request on, in every process.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from django.db import connection
from django.utils import timezone

# As an expression of SQL. Read in the same statement as what leads to the rights, or before them.
STAMP = "(SELECT renewed_by FROM access_rightsstamp)"
MOST = 10_000

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class _Kept(Generic[Value]):
    stamp: int
    value: Value
    until: datetime | None

    def has_ended(self) -> bool:
        return self.until is not None and timezone.now() >= self.until


class Remembered(Generic[Value]):
    """Values by key, each with the stamp that it was read under."""

    def __init__(self, ends: Callable[[Value], datetime | None]) -> None:
        """`ends` is when the clock alone changes a value; None is never."""
        self._ends = ends
        self._kept: dict[Hashable, _Kept[Value]] = {}

    def get(self, key: Hashable, stamp: int | None, read: Callable[[], Value]) -> Value:
        """The value of this key, from memory where it holds under this stamp.

        Inside a transaction nothing is remembered: it may itself have changed what no stamp tells
        of yet. Nor without a stamp.
        """
        if stamp is None or connection.in_atomic_block:
            return read()
        kept = self._kept.get(key)
        if kept is not None and kept.stamp == stamp and not kept.has_ended():
            return kept.value
        value = read()
        if len(self._kept) >= MOST:
            self._kept.clear()
        self._kept[key] = _Kept(stamp, value, self._ends(value))
        return value

    def forget(self) -> None:
        self._kept.clear()


def stamp() -> int | None:
    """The stamp now, by a query of its own."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {STAMP}")
        row = cursor.fetchone()
    return row[0] if row else None
