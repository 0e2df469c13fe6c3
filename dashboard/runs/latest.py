"""The newest run of each registry: what a list of registries says about how they are doing."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import OuterRef, Subquery

from registries.models import Registry, SyncRun

WENT_WRONG = frozenset({SyncRun.State.PARTIAL, SyncRun.State.FAILED, SyncRun.State.LOST})


def latest_runs(registries: Iterable[Registry]) -> dict[int, SyncRun]:
    """Registry id -> its newest run, where it has one; one query, one index look-up a registry."""
    newest = SyncRun.objects.filter(registry=OuterRef("pk")).order_by("-queued_at", "-pk")
    chosen = Registry.objects.filter(pk__in=[registry.pk for registry in registries]).values_list(
        Subquery(newest.values("pk")[:1])
    )
    runs = SyncRun.objects.filter(pk__in=chosen).select_related("registry")
    return {run.registry_id: run for run in runs}
