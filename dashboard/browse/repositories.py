"""Repositories as a list: what they are sorted by, and a filter that is quick for few and for many."""

from __future__ import annotations

from datetime import datetime

from django.db.models import F

from dashboard.pagination import COUNT_CAP, CappedCount, Column
from registries.models import Repository
from registries.models.registry import PUSHED_OR_NEVER, RepositoryQuerySet

# Of one registry: each has an index there.
COLUMNS = {
    "path": Column(F("path"), str),
    "date": Column(PUSHED_OR_NEVER, datetime, descending_first=True),
    "size": Column(F("unique_bytes"), int, descending_first=True),
}
# Over all registries only the path has one.
COLUMNS_ANYWHERE = {"path": COLUMNS["path"]}


def few_of(repositories: RepositoryQuerySet) -> tuple[RepositoryQuerySet, CappedCount]:
    """Those that a substring chose, in a shape that pages are quick of, and how many they are.

    Unordered, Postgres finds few among many by their trigrams; asked for the first fifty in order
    it would walk through all. Where very many match, that walk ends soon.
    """
    keys = list(repositories.order_by().values_list("pk", flat=True)[: COUNT_CAP + 1])
    few = len(keys) <= COUNT_CAP
    rows = Repository.objects.filter(pk__in=keys) if few else repositories
    return rows, CappedCount(min(len(keys), COUNT_CAP), capped=not few)
