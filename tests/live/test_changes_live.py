"""Deleting at real registries that allow it."""

from __future__ import annotations

import pytest

from registries.actor import SYSTEM
from registries.changing.deleting import delete_image
from registries.changing.outcomes import Outcome
from registries.models import Registry, Repository, Tag
from tests.live import images, registries
from tests.live.pusher import push
from tests.live.registries import RealRegistry
from tests.registries.sync.syncing import ours, present, succeed

pytestmark = pytest.mark.django_db


def test_an_image_is_deleted_with_its_tags_and_the_last_one_too(
    registry: RealRegistry, path: str
) -> None:
    old, new = (images.image(images.layer({"version": it})) for it in (b"1", b"2"))
    push(registry.url, path, old, "1.0", "1.0.1")
    push(registry.url, path, new, "2.0")
    connected = Registry.objects.create(
        name="harbour", url=registry.url, allow_private=True, repository_names=[path]
    )
    succeed(connected)

    assert _delete("1.0", seen_tags=2) == Outcome(old.digest)
    assert ours(connected) == {path: {"2.0": new.digest}}
    assert (
        registries.get(f"{registry.url}/v2/{path}/manifests/1.0.1", accept=images.OCI_MANIFEST)[0]
        == 404
    )

    # Of an empty repository the registry says that it is not there: its tags go all the same.
    assert _delete("2.0", seen_tags=1) == Outcome(new.digest)
    assert not Tag.objects.exists()
    assert not present(connected, path)
    assert Repository.objects.get(path=path).tag_count == 0


def _delete(tag: str, *, seen_tags: int) -> Outcome:
    artifact = (
        Tag.objects.select_related("artifact__manifest", "artifact__repository__registry")
        .get(name=tag)
        .artifact
    )
    return delete_image(artifact=artifact, seen_tags=seen_tags, breaks_indexes=False, actor=SYSTEM)
