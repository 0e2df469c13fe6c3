"""Which manifests lie in which repository: artifacts that came, are there, or went."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from registries.models import Registry
from registries.oci.reference import Digest
from registries.sync.readings import TagReading
from registries.sync.repositories import RepositoryRow
from registries.sync.staging import fetch, stage


def store_artifacts(
    registry: Registry, readings: Sequence[TagReading], *, announced: bool
) -> set[int]:
    """Every manifest read or listed is present in its repository; returns the repositories (by id)
    where that is new."""
    stage(
        "incoming_artifact",
        {"path": "text", "digest": "text", "at": "timestamptz", "is_listed": "bool"},
        (
            (reading.slice.path, digest, reading.slice.at, is_listed)
            for reading in readings
            for digest, is_listed in _present_in(reading).items()
        ),
    )
    return store_incoming_artifacts(registry, announced=announced)


def _present_in(reading: TagReading) -> dict[Digest, bool]:
    """The digests found in a repository, and whether a listing alone says so."""
    part = reading.slice
    present = {outline.digest: True for outline in part.outlines}
    if reading.is_news or not part.ours:
        described = present.keys() | set(part.listed.values())
        present |= {digest: digest in described for digest in reading.tags.values()}
    return present | dict.fromkeys(reading.manifests, False)


def store_incoming_artifacts(registry: Registry, *, announced: bool) -> set[int]:
    """From table incoming_artifact (path, digest, at, is_listed) to artifacts; returns the
    repositories (by id) where that changed any.

    Those back again are present. What a listed one refers to is read once its document was.
    """
    stored = fetch(
        """
        INSERT INTO registries_artifact (
            repository_id, manifest_id, size, first_seen_at, pushed_at, pull_count, details)
        SELECT DISTINCT ON (repository.id, manifest.id) repository.id, manifest.id,
               manifest.total_size, incoming.at,
               CASE WHEN %(announced)s THEN incoming.at END, 0,
               CASE WHEN incoming.is_listed THEN 'listed'
                    WHEN manifest.kind IN ('index', 'chart', 'artifact')
                      OR manifest.kind = 'image' AND manifest.config_digest <> ''
                         AND manifest.config_digest <> manifest.digest
                    THEN 'pending' ELSE 'complete' END
          FROM incoming_artifact incoming
          JOIN registries_repository repository
            ON repository.registry_id = %(registry)s AND repository.path = incoming.path
          JOIN registries_manifest manifest ON manifest.digest = incoming.digest
         WHERE NOT EXISTS (
               -- a row in conflict is locked, which is a write, even where nothing is to change
               SELECT FROM registries_artifact held
                WHERE held.repository_id = repository.id AND held.manifest_id = manifest.id
                  AND held.missing_since IS NULL AND held.size = manifest.total_size
                  AND (incoming.is_listed OR held.details <> 'listed'))
         ORDER BY repository.id, manifest.id, incoming.is_listed, incoming.at
            ON CONFLICT (repository_id, manifest_id) DO UPDATE
           SET missing_since = NULL, size = excluded.size,
               details = CASE WHEN registries_artifact.details = 'listed'
                              THEN excluded.details ELSE registries_artifact.details END
     RETURNING repository_id
        """,
        {"registry": registry.pk, "announced": announced},
    )
    return {repository for (repository,) in stored}


def mark_absent(
    rows: Mapping[str, RepositoryRow], news: Sequence[TagReading]
) -> list[tuple[str, Digest]]:
    """Images that a tag left, or that were said to be gone, and that the registry answered 404 for
    are gone, unless another tag points at them; returns (path, digest) of those."""
    gone: list[tuple[str, Digest]] = []
    for reading in news:
        if reading.absent:
            path = reading.slice.path
            marked = fetch(
                """
                UPDATE registries_artifact artifact SET missing_since = %(at)s
                  FROM registries_manifest manifest
                 WHERE manifest.id = artifact.manifest_id
                   AND artifact.repository_id = %(repository)s
                   AND artifact.missing_since IS NULL
                   AND manifest.digest = ANY(%(digests)s)
                   AND NOT EXISTS (
                       SELECT FROM registries_tag tag WHERE tag.artifact_id = artifact.id)
             RETURNING manifest.digest
                """,
                {
                    "at": reading.slice.at,
                    "repository": rows[path].id,
                    "digests": list(reading.absent),
                },
            )
            gone += [(path, digest) for (digest,) in sorted(marked)]
    return gone
