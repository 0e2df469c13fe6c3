"""The second stage: what artifacts refer to. Indexes' children and images' configs, read from the
artifact's own repository, so that a catalog is browsable long before all of it is known.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from functools import partial

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from registries.models import Artifact, Registry
from registries.oci.reference import Digest
from registries.sync.artifacts import store_incoming_artifacts
from registries.sync.content import (
    MOST_BYTES,
    copy_sizes,
    describe_images,
    store_configs,
    store_manifests,
)
from registries.sync.readings import DetailReading, Pending
from registries.sync.staging import execute, fetch, persistently, stage
from registries.sync.turns import lock

# Indexes within indexes, followed so deep: nobody nests them deeper than twice.
DEEPEST = 8
SETTLED_TOGETHER = 2000
# What signatures and the like refer to.
IS_SUBJECT = Q(manifest__kind__in=["index", "image", "chart", "artifact"]) & Q(
    manifest__subject_digest=""
)


def pending_details(
    registry: Registry, *, after: int, limit: int, repositories: Sequence[int] | None = None
) -> list[Pending]:
    """Artifacts of present repositories whose references are still to be read, by id.

    Children get higher ids than their index, so a walk by id meets them in turn.
    """
    artifacts = fetch(
        """
        SELECT artifact.id, artifact.repository_id, repository.path, manifest.id, manifest.digest,
               manifest.kind, manifest.config_digest, coalesce(config.size, 0),
               manifest.subject_digest = ''
          FROM registries_artifact artifact
          JOIN registries_repository repository ON repository.id = artifact.repository_id
          JOIN registries_manifest manifest ON manifest.id = artifact.manifest_id
          LEFT JOIN registries_blob config ON config.digest = manifest.config_digest
         WHERE artifact.details = 'pending' AND artifact.missing_since IS NULL
           AND repository.registry_id = %(registry)s AND repository.missing_since IS NULL
           AND artifact.id > %(after)s
           AND (%(repositories)s::bigint[] IS NULL OR repository.id = ANY(%(repositories)s))
         ORDER BY artifact.id LIMIT %(limit)s
        """,
        {
            "registry": registry.pk,
            "after": after,
            "limit": limit,
            "repositories": None if repositories is None else list(repositories),
        },
    )
    missing = _missing_children([row[0] for row in artifacts if row[5] == "index"])
    return [
        Pending(
            artifact_id=artifact,
            is_index=kind == "index",
            digest=digest,
            path=path,
            children=tuple(missing.get(artifact, ())),
            config=config if kind == "image" and config else None,
            config_size=size,
            may_have_referrers=is_subject,
        )
        for artifact, _, path, _, digest, kind, config, size, is_subject in artifacts
    ]


def _missing_children(indexes: Sequence[int]) -> dict[int, list[Digest]]:
    """By artifact: the children that have not been read in the artifact's repository."""
    children: dict[int, list[Digest]] = defaultdict(list)
    for artifact, digest in fetch(
        """
        SELECT artifact.id, child.digest
          FROM registries_artifact artifact
          JOIN registries_manifestchild child ON child.parent_id = artifact.manifest_id
         WHERE artifact.id = ANY(%(indexes)s)
           AND NOT EXISTS (
               SELECT FROM registries_manifest manifest
                 JOIN registries_artifact present ON present.manifest_id = manifest.id
                WHERE manifest.digest = child.digest
                  AND present.repository_id = artifact.repository_id
                  AND present.details <> 'listed')
         ORDER BY artifact.id, child.position
        """,
        {"indexes": list(indexes)},
    ):
        children[artifact].append(digest)
    return children


def left_behind(
    registry: Registry, *, before: int, but: Collection[int], among: Sequence[int] | None
) -> bool:
    """Whether a walk that ended at an id left something pending behind it, except for these."""
    pending = Artifact.objects.present().filter(
        pk__lt=before,
        details=Artifact.Details.PENDING,
        repository__registry=registry,
        repository__missing_since=None,
    )
    if among is not None:
        pending = pending.filter(repository__in=among)
    return pending.exclude(pk__in=but).exists()


def known_subjects(
    registry: Registry, *, after: int, limit: int, repositories: Sequence[int] | None = None
) -> list[Pending]:
    """Artifacts that are complete and that something may have been attached to since, by id."""
    artifacts = Artifact.objects.present().filter(
        IS_SUBJECT,
        pk__gt=after,
        details=Artifact.Details.COMPLETE,
        repository__registry=registry,
        repository__missing_since=None,
    )
    if repositories is not None:
        artifacts = artifacts.filter(repository__in=repositories)
    rows = artifacts.order_by("pk").values_list("pk", "repository__path", "manifest__digest")
    return [
        Pending(pk, is_index=False, digest=Digest(digest), path=path, may_have_referrers=True)
        for pk, path, digest in rows[:limit]
    ]


def ask_again(registry: Registry, repositories: Sequence[int] | None = None) -> None:
    """Take nothing for unavailable any more: a full sync asks for it once more."""
    refused = Artifact.objects.filter(
        repository__registry=registry, details=Artifact.Details.UNAVAILABLE
    )
    if repositories is not None:
        refused = refused.filter(repository__in=repositories)
    refused.update(details=Artifact.Details.PENDING)


@transaction.atomic(durable=True)
def apply_details(registry: Registry, asked: Sequence[Pending], reading: DetailReading) -> int:
    """Store what was read of these artifacts; returns how many are settled now."""
    lock(registry)
    store_manifests(manifest for _, manifest in reading.manifests)
    store_configs(reading.configs)
    now = timezone.now()
    stage(
        "incoming_artifact",
        {"path": "text", "digest": "text", "at": "timestamptz", "is_listed": "bool"},
        ((path, manifest.digest, now, False) for path, manifest in reading.manifests),
    )
    store_incoming_artifacts(registry, announced=registry.imported_at is not None)
    # The config may be at hand because another repository proved to have it.
    failed = reading.unavailable | reading.unsettled
    whole = [p for p in asked if p.artifact_id not in failed and not p.is_index]
    describe_images([pending.digest for pending in whole if pending.config])
    # An index is settled when its children are here; its own facts follow in settle_indexes.
    settled = [pending.artifact_id for pending in whole]
    _set_details(settled, Artifact.Details.COMPLETE)
    _set_details(reading.unavailable, Artifact.Details.UNAVAILABLE)
    _carry_to_tags(settled)
    # Their bytes may have been counted already, by an earlier run that could not read all of this.
    changed = {path for path, _ in reading.manifests}
    changed |= {
        pending.path
        for pending in asked
        if pending.refers and pending.artifact_id not in reading.unsettled
    }
    registry.repositories.filter(path__in=changed, count_due=False).update(count_due=True)
    return len(settled) + len(reading.unavailable)


def settle_indexes(registry: Registry, indexes: Sequence[int]) -> None:
    """Add up these indexes (by artifact id) from those of their children that could be read.

    A blob that two platforms share counts once. Created is the newest platform's. Each transaction
    is a short one; until the last of an index's it counts as pending, and is settled anew.
    """
    chunks = list(_in_chunks(sorted(indexes), SETTLED_TOGETHER))
    for chunk in chunks:
        persistently(partial(_add_up, registry, chunk))
    # An index within an index has only now got the size that the outer one adds.
    nested = [found for chunk in chunks if (found := persistently(partial(_with_nested, chunk)))]
    for _level in range(DEEPEST):
        if not sum(persistently(partial(_add_up, registry, chunk)) for chunk in nested):
            break
    for chunk in chunks:
        persistently(partial(_complete, registry, chunk))


@transaction.atomic(durable=True)
def _complete(registry: Registry, indexes: Sequence[int]) -> None:
    lock(registry)
    Artifact.objects.filter(pk__in=indexes, details=Artifact.Details.PENDING).update(
        details=Artifact.Details.COMPLETE
    )
    _carry_to_tags(indexes)


def _with_nested(artifacts: Sequence[int]) -> list[int]:
    rows = fetch(
        """
        SELECT DISTINCT artifact.id
          FROM registries_artifact artifact
          JOIN registries_manifestchild entry ON entry.parent_id = artifact.manifest_id
          JOIN registries_manifest child ON child.digest = entry.digest
         WHERE artifact.id = ANY(%(artifacts)s) AND child.kind = 'index'
        """,
        {"artifacts": list(artifacts)},
    )
    return [artifact for (artifact,) in rows]


@transaction.atomic(durable=True)
def _add_up(registry: Registry, artifacts: Sequence[int]) -> int:
    """Total size and date of these artifacts' manifests; returns how many of them changed."""
    lock(registry)
    changed = fetch(
        """
        WITH index AS (
            SELECT DISTINCT artifact.manifest_id AS id FROM registries_artifact artifact
             WHERE artifact.id = ANY(%(artifacts)s)
        ), child AS (
            SELECT DISTINCT index.id AS index, manifest.id, manifest.kind, manifest.size,
                   manifest.total_size, manifest.config_digest, manifest.created
              FROM index
              JOIN registries_manifestchild entry ON entry.parent_id = index.id
              JOIN registries_manifest manifest ON manifest.digest = entry.digest
        ), blob AS (
            SELECT child.index, layer.blob_id AS id
              FROM child JOIN registries_manifestlayer layer ON layer.manifest_id = child.id
            UNION
            SELECT child.index, config.id
              FROM child JOIN registries_blob config ON config.digest = child.config_digest
        ), held AS (
            SELECT blob.index, sum(held.size) AS bytes
              FROM blob JOIN registries_blob held ON held.id = blob.id GROUP BY blob.index
        ), listed AS (
            SELECT child.index, max(child.created) AS created,
                   -- a nested index has been added up itself, an image's blobs are in `held`
                   sum(CASE WHEN child.kind = 'index' THEN child.total_size
                            ELSE child.size END) AS bytes
              FROM child GROUP BY child.index
        )
        UPDATE registries_manifest manifest
           SET total_size = least(manifest.size + listed.bytes + coalesce(held.bytes, 0), %(most)s),
               created = listed.created
          FROM listed LEFT JOIN held ON held.index = listed.index
         WHERE manifest.id = listed.index
           AND (manifest.total_size, manifest.created) IS DISTINCT FROM (
               least(manifest.size + listed.bytes + coalesce(held.bytes, 0), %(most)s),
               listed.created)
     RETURNING manifest.id
        """,
        {"artifacts": list(artifacts), "most": MOST_BYTES},
    )
    copy_sizes([manifest for (manifest,) in changed])
    return len(changed)


def _set_details(artifacts: Collection[int], details: Artifact.Details) -> None:
    Artifact.objects.filter(pk__in=artifacts).exclude(details=details).update(details=details)


def _carry_to_tags(artifacts: Sequence[int]) -> None:
    """Tags carry a copy of the size and date of what they point at."""
    execute(
        """
        UPDATE registries_tag tag
           SET size = manifest.total_size,
               dated_at = CASE WHEN tag.dated_by = 'pushed' OR manifest.created IS NULL
                               THEN tag.dated_at ELSE manifest.created END,
               dated_by = CASE WHEN tag.dated_by = 'pushed' OR manifest.created IS NULL
                               THEN tag.dated_by ELSE 'built' END
          FROM registries_artifact artifact
          JOIN registries_manifest manifest ON manifest.id = artifact.manifest_id
         WHERE tag.artifact_id = artifact.id AND artifact.id = ANY(%(artifacts)s)
           AND (tag.size <> manifest.total_size
                OR tag.dated_by <> 'pushed' AND tag.dated_at IS DISTINCT FROM manifest.created)
        """,
        {"artifacts": list(artifacts)},
    )


def _in_chunks(ids: Sequence[int], size: int) -> Iterator[list[int]]:
    return (list(ids[start : start + size]) for start in range(0, len(ids), size))
