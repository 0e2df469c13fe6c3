"""What a complete listing leaves out is gone, also while Postgres knows nothing of its tables."""

from __future__ import annotations

import pytest
from django.utils import timezone

from registries.models import Artifact, Manifest, ManifestChild, Repository, Tag
from registries.oci.reference import Digest
from registries.sync.facts import mark_unlisted
from registries.sync.readings import TagReading, TagSlice
from tests import catalog
from tests.registries.sync.emptiness import take_tables_for_empty

pytestmark = pytest.mark.django_db
MANY = 2_000


def fill(repository: Repository) -> list[Manifest]:
    """The first half has tags and is held by an index; of the rest nothing is held by anything."""
    manifests = Manifest.objects.bulk_create(
        Manifest(digest=f"sha256:{number:064x}", kind="image", size=1, total_size=1)
        for number in range(MANY)
    )
    artifacts = Artifact.objects.bulk_create(
        Artifact(repository=repository, manifest=manifest) for manifest in manifests
    )
    Tag.objects.bulk_create(
        Tag(
            repository=repository,
            name=f"v{number}",
            artifact=artifact,
            dated_at=catalog.NOON,
            dated_by="seen",
        )
        for number, artifact in enumerate(artifacts[: MANY // 4])
    )
    holder = manifests[0]
    ManifestChild.objects.bulk_create(
        ManifestChild(parent=holder, position=number, digest=manifest.digest, size=1)
        for number, manifest in enumerate(manifests[MANY // 4 : MANY // 2])
    )
    return manifests


@pytest.mark.parametrize("with_statistics", [True, False])
def test_what_is_left_out_and_held_by_nothing_is_gone(with_statistics: bool) -> None:
    registry = catalog.registry()
    repository = catalog.repository(registry, "team/app")
    manifests = fill(repository)
    if not with_statistics:
        take_tables_for_empty()
    listed = frozenset(Digest(manifest.digest) for manifest in manifests[MANY // 2 : -3])
    part = TagSlice("team/app", timezone.now(), {}, holds=listed)
    gone = mark_unlisted(registry, [TagReading(part)])
    assert gone == [("team/app", manifest.digest) for manifest in manifests[-3:]]
    assert repository.artifacts.filter(missing_since__isnull=False).count() == 3
