"""An installation that has content goes from one version's tables to the next's."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from registries.models import Artifact
from tests import catalog
from tests.registries.sync.counting import assert_copies_are_true

pytestmark = pytest.mark.django_db(transaction=True)

BEFORE = ("registries", "0009_reports")


def migrate(*targets: tuple[str, str]) -> None:
    executor = MigrationExecutor(connection)
    executor.migrate(list(targets) or executor.loader.graph.leaf_nodes())


@pytest.fixture(autouse=True)
def as_it_was(db: None) -> Iterator[None]:
    yield
    migrate()


def test_sizes_and_what_is_untagged_are_copied_for_what_is_there() -> None:
    repository = catalog.repository(catalog.registry(), "team/app")
    tagged, alone = catalog.image(repository, "a"), catalog.image(repository, "b")
    of_index, gone = catalog.image(repository, "c"), catalog.image(repository, "d")
    catalog.tag(repository, "1", tagged)
    catalog.tag(repository, "2", catalog.index(repository, [of_index]))
    Artifact.objects.filter(pk=gone.pk).update(missing_since=catalog.NOON)
    migrate(BEFORE)
    migrate()
    assert_copies_are_true(repository)
    untagged = Artifact.objects.filter(is_untagged=True)
    assert [artifact.pk for artifact in untagged] == [alone.pk]
    assert all(artifact.size > 0 for artifact in Artifact.objects.all())
