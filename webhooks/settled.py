"""Up to where events are complete: no transaction that is still running can add one before.

Ids are given out before their rows are committed, so who remembers the last id he saw passes over a
row that was committed later with a lower one. Transactions are numbered, too, and Postgres tells
which of them are running: all before the first of those are committed or were never there.
"""

from __future__ import annotations

from django.db import connection

# A snapshot has the transactions of all databases of the server; those of others do not hold us up.
# One that ends while this is read is complete for whoever reads events afterwards.
_OLDEST_RUNNING = """
    WITH now AS (SELECT pg_current_snapshot() AS snapshot)
    SELECT coalesce(
        (
            SELECT min(running::text::bigint)
            FROM now, pg_snapshot_xip(now.snapshot) AS running
            WHERE EXISTS (
                SELECT FROM pg_locks AS held JOIN pg_stat_activity AS backend USING (pid)
                WHERE held.locktype = 'transactionid' AND held.granted
                    AND held.transactionid = running::xid
                    AND backend.datname = current_database()
            )
        ),
        (SELECT pg_snapshot_xmax(now.snapshot)::text::bigint FROM now)
    )
"""


def settled_before() -> int:
    """The number of the oldest transaction that is running here: events whose `written_in` is below
    it are complete."""
    with connection.cursor() as cursor:
        cursor.execute(_OLDEST_RUNNING)
        (number,) = cursor.fetchone()
    return int(number)
