"""Statistics of the tables that syncs fill, so that Postgres plans for what is in them.

It makes them anew once a minute at best. Where they still tell of empty tables while thousands of
rows come in (after the first registry was taken away, and another one is imported), joins read all
of one table for each row of the other: minutes for what takes milliseconds.
"""

from __future__ import annotations

from registries.models import Artifact, Manifest, ManifestChild, ManifestLayer, Repository, Tag
from registries.sync.staging import execute, fetch

TABLES = [
    model._meta.db_table
    for model in (Repository, Manifest, ManifestChild, ManifestLayer, Artifact, Tag)
]
PAGE = 8192  # bytes; what Postgres is built with
FEW = 8  # pages in which a plan makes no difference


def keep_up() -> None:
    """Make those statistics anew that tell of nothing, or of less than half of what is there.

    That is a dozen times on the way to a million rows, and costs one statement otherwise.
    """
    outgrown = fetch(
        """
        SELECT oid::regclass::text FROM pg_class
         WHERE oid = ANY(%(tables)s::regclass[])
           AND pg_relation_size(oid) > %(page)s
             * (%(few)s + CASE WHEN reltuples > 0 THEN 2 * relpages ELSE 0 END)
        """,
        {"tables": TABLES, "page": PAGE, "few": FEW},
    )
    for (table,) in outgrown:
        # Who else is at it will be done soon; nobody waits.
        execute(f"ANALYZE (SKIP_LOCKED) {table}")
