"""The audit log as it is on the first day."""

from __future__ import annotations

from django.db import connection


def begin_anew() -> None:
    """Put aside what earlier tests committed, which stays, as the log is made to.

    For the transaction of who calls: it takes that back at its end.
    """
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute("DELETE FROM access_auditentry")
        cursor.execute(
            "UPDATE access_audithead SET first_number = number + 1, first_previous = hash"
        )
        cursor.execute("SET LOCAL session_replication_role = origin")
