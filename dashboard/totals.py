"""Sums over registries, from the counters each of them keeps."""

from __future__ import annotations

from typing import TypedDict, cast

from django.db.models import Count, QuerySet, Sum

from registries.models import Registry


class Totals(TypedDict):
    """`unique_bytes` adds up registries: a blob that two of them hold takes its place in both."""

    registries: int
    repositories: int | None
    tags: int | None
    unique_bytes: int | None


def totals_of(registries: QuerySet[Registry]) -> Totals:
    """The sums, with one query; None where there is nothing to add up."""
    sums = registries.order_by().aggregate(
        registries=Count("pk"),
        repositories=Sum("repository_count"),
        tags=Sum("tag_count"),
        unique_bytes=Sum("unique_bytes"),
    )
    return cast("Totals", sums)
