"""Postgres taking tables for empty that are not: the worst plans there are."""

from __future__ import annotations

from django.db import connection

from tests import extra


def take_tables_for_empty() -> None:
    """As after the first import, or after many rows went, until statistics are made anew."""
    if connection.pg_version < 180_000:  # type: ignore[attr-defined]  # psycopg's
        extra.skip("PostgreSQL 18 or later sets statistics to what a test needs")
    with connection.cursor() as cursor:
        cursor.execute("""
            SELECT pg_restore_relation_stats('schemaname', 'public', 'relname', relname::text,
                                             'relpages', 30, 'reltuples', 0::real)
              FROM pg_class WHERE relkind IN ('r', 'i') AND relname LIKE 'registries_%'
        """)
        cursor.execute("SET LOCAL statement_timeout = '20s'")
