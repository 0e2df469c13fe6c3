"""A big repository comes in while Postgres takes the tables for empty, and does not take longer."""

from __future__ import annotations

import pytest
from django.db import connection

from registries.models import Registry, Repository
from registries.sync import statistics
from tests.fakes import content
from tests.fakes.registry import FakeRegistry
from tests.registries.sync.emptiness import take_tables_for_empty
from tests.registries.sync.syncing import ours, succeed, theirs
from tests.registries.sync.test_listed import registry, vendor

__all__ = ["registry", "vendor"]
MANY = 1_200


def rows_told() -> dict[str, float]:
    """How many rows Postgres believes to be in each table."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname, reltuples FROM pg_class WHERE relname = ANY(%s)", [statistics.TABLES]
        )
        return dict(cursor.fetchall())


def test_no_statement_of_a_sync_takes_tables_for_empty_that_are_not(
    registry: Registry, fake: FakeRegistry
) -> None:
    take_tables_for_empty()
    for number in range(MANY):
        fake.push("team/big", content.image(f"big {number}"), f"v{number}")
    succeed(registry)
    for number in range(0, MANY, 2):
        fake.push("team/big", content.image(f"new {number}"), f"v{number}")
    Repository.objects.update(verified_at=None)
    succeed(registry)
    assert ours(registry) == theirs(fake)
    assert rows_told()["registries_artifact"] > MANY / 4


def test_statistics_that_tell_enough_are_left_alone(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    succeed(registry)
    made: list[str] = []
    monkeypatch.setattr(statistics, "execute", made.append)
    statistics.keep_up()
    assert [one for one in made if "artifact" in one] == []
