"""Writers of one registry take turns: syncs, their batches, refreshes."""

from __future__ import annotations

from registries.models import Registry
from registries.sync.staging import execute

# The first half of an advisory lock's key; the second is the registry.
SPACE = 7001


def lock(registry: Registry) -> None:
    """Wait for one's turn, and keep it until the transaction ends."""
    execute("SELECT pg_advisory_xact_lock(%(space)s, %(id)s)", {"space": SPACE, "id": registry.pk})
