"""What went wrong in a run, grouped by cause: a thousand failures often have one reason."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import F, QuerySet

from dashboard.pagination import CappedCount, Column
from registries.models import SyncProblem

# Enough to see what is going on; a registry that dies halfway leaves a hundred thousand.
LOOKED_AT = 1000
# The order of a list of them.
COLUMNS = {"found": Column(F("id"), int)}


@dataclass(frozen=True, slots=True)
class Cause:
    """Problems of one kind: how many, what the first one said, and what to do."""

    code: str
    count: CappedCount
    message: str
    advice: str


def causes_of(problems: QuerySet[SyncProblem]) -> list[Cause]:
    """The causes among a run's first thousand problems, the most frequent first; one query."""
    looked_at = list(problems.order_by("pk")[: LOOKED_AT + 1])
    capped = len(looked_at) > LOOKED_AT
    return _grouped(looked_at[:LOOKED_AT], capped=capped)


def _grouped(problems: Iterable[SyncProblem], *, capped: bool) -> list[Cause]:
    by_code: dict[str, list[SyncProblem]] = {}
    for problem in problems:
        by_code.setdefault(problem.code, []).append(problem)
    causes = [
        Cause(
            code=code,
            count=CappedCount(len(alike), capped),
            message=alike[0].message,
            advice=alike[0].advice,
        )
        for code, alike in by_code.items()
    ]
    return sorted(causes, key=lambda cause: -cause.count.value)
