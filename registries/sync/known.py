"""What we hold of listed repositories, so that only news is asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from registries.models import Registry
from registries.oci.reference import Digest
from registries.sync.readings import Known, Listing
from registries.sync.staging import fetch


def known_of(registry: Registry, listed: Sequence[Listing]) -> dict[str, Known]:
    """By path: what we hold of these listed repositories."""
    paths = [listing.path for listing in listed]
    tags: dict[str, dict[str, Digest]] = {}
    for path, name, digest in fetch(
        """
        SELECT repository.path, tag.name, manifest.digest
          FROM registries_repository repository
          JOIN registries_tag tag ON tag.repository_id = repository.id
          JOIN registries_artifact artifact ON artifact.id = tag.artifact_id
          JOIN registries_manifest manifest ON manifest.id = artifact.manifest_id
         WHERE repository.registry_id = %(registry)s AND repository.path = ANY(%(paths)s)
        """,
        {"registry": registry.pk, "paths": paths},
    ):
        tags.setdefault(path, {})[name] = digest
    digests = _digests_at_hand(registry, listed, tags)
    was_read = registry.repositories.filter(path__in=paths, verified_at__isnull=False)
    known = set(was_read.values_list("path", flat=True))
    return {
        path: Known(tags.get(path, {}), frozenset(digests.get(path, ())), path not in known)
        for path in paths
    }


def _digests_at_hand(
    registry: Registry, listed: Sequence[Listing], tags: Mapping[str, Mapping[str, Digest]]
) -> dict[str, set[Digest]]:
    """Of the digests that listings tell and tags of ours do not have: those that are known there."""
    told = [
        (listing.path, digest)
        for listing in listed
        if listing.tags
        for tag, digest in listing.tags.digests.items()
        if tags.get(listing.path, {}).get(tag) != digest
    ]
    digests: dict[str, set[Digest]] = {}
    if told:
        for path, digest in fetch(
            """
            SELECT repository.path, manifest.digest
              FROM unnest(%(paths)s::text[], %(digests)s::text[]) AS told(path, digest)
              JOIN registries_repository repository
                ON repository.registry_id = %(registry)s AND repository.path = told.path
              JOIN registries_manifest manifest ON manifest.digest = told.digest
              JOIN registries_artifact artifact
                ON artifact.repository_id = repository.id AND artifact.manifest_id = manifest.id
            """,
            {
                "registry": registry.pk,
                "paths": [path for path, _ in told],
                "digests": [digest for _, digest in told],
            },
        ):
            digests.setdefault(path, set()).add(digest)
    return digests
