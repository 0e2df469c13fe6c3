"""Counters from scratch: from the very bytes of manifests, by plain loops, to hold ours against."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from registries.models import Artifact, Manifest, Namespace, Registry, Repository

Blobs = dict[str, int]


def assert_counters_are_true(registry: Registry) -> None:
    """Repositories', namespaces' and the registry's stored counters are what the rows say."""
    registry.refresh_from_db()
    namespaces: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
    totals = [0, 0, 0]
    for repository in Repository.objects.filter(registry=registry):
        held = Artifact.objects.present().filter(repository=repository).select_related("manifest")
        manifests = [artifact.manifest for artifact in held]
        tagged = {tag.artifact_id for tag in repository.tags.all()}
        counted = (
            repository.tags.count(),
            len(manifests),
            sum(size_of(it.manifest) for it in held if it.pk in tagged),
            sum(len(it.document) for it in manifests) + sum(blobs_of(manifests).values()),
        )
        stored = (
            repository.tag_count,
            repository.artifact_count,
            repository.logical_bytes,
            repository.unique_bytes,
        )
        assert stored == counted, repository.path
        assert_copies_are_true(repository)
        assert not repository.count_due
        if repository.missing_since is not None:
            assert stored == (0, 0, 0, 0)
            continue
        totals = [a + b for a, b in zip(totals, (1, counted[0], counted[3]), strict=True)]
        parts = repository.path.split("/")[:-1]
        for end in range(1, len(parts) + 1):
            above = namespaces["/".join(parts[:end])]
            above[:] = [a + b for a, b in zip(above, (1, *counted[::2]), strict=True)]
    rows = Namespace.objects.filter(registry=registry)
    assert {
        row.path: [row.repository_count, row.tag_count, row.logical_bytes] for row in rows
    } == namespaces
    assert all(row.parent == row.path.rpartition("/")[0] for row in rows)
    assert totals == [registry.repository_count, registry.tag_count, registry.unique_bytes]


def assert_copies_are_true(repository: Repository) -> None:
    """What lists sort and choose by is what it was copied or counted from."""
    held = list(Artifact.objects.filter(repository=repository).select_related("manifest"))
    assert {it.pk: it.size for it in held} == {it.pk: it.manifest.total_size for it in held}
    there = [it for it in held if it.missing_since is None]
    entries = [
        entry["digest"]
        for it in there
        if it.manifest.document
        for entry in json.loads(it.manifest.document).get("manifests", [])
    ]
    tagged = set(repository.tags.values_list("artifact", flat=True))
    free = {it.pk for it in there if it.pk not in tagged and it.manifest.digest not in entries}
    assert {it.pk for it in there if it.is_untagged} == free


def size_of(manifest: Manifest) -> int:
    """A manifest and all that it leads to, each blob once."""
    reached = {it.digest: it for it in _below(manifest, _known())}.values()
    return sum(len(it.document) for it in reached) + sum(blobs_of(reached).values())


def blobs_of(manifests: Iterable[Manifest]) -> Blobs:
    """Digest -> bytes of the blobs that these name themselves."""
    blobs: Blobs = {}
    for manifest in manifests:
        document: dict[str, Any] = json.loads(manifest.document)
        entries = [document.get("config"), *document.get("layers", [])]
        blobs |= {entry["digest"]: entry["size"] for entry in entries if entry}
    return blobs


def _below(manifest: Manifest, known: Mapping[str, Manifest]) -> Iterable[Manifest]:
    yield manifest
    document = json.loads(manifest.document)
    for entry in document.get("manifests", []):
        if child := known.get(entry["digest"]):
            yield from _below(child, known)


def _known() -> dict[str, Manifest]:
    return {manifest.digest: manifest for manifest in Manifest.objects.all()}
