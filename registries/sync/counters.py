"""Stored counters, so that no list adds up anything: of repositories, namespaces, registries.

They are counted anew for what was touched, never adjusted by differences, so they cannot drift.
"""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction

from registries.models import Registry
from registries.sync.content import MOST_BYTES
from registries.sync.staging import execute
from registries.sync.turns import lock


def count_tags(repositories: Sequence[int]) -> None:
    """Tags, artifacts and newest date of these repositories (by id); their bytes become due."""
    execute(
        """
        UPDATE registries_repository repository
           SET tag_count = counted.tags, artifact_count = counted.artifacts,
               pushed_at = counted.newest, count_due = true
          FROM (
              SELECT touched.id,
                     (SELECT count(*) FROM registries_tag tag
                       WHERE tag.repository_id = touched.id) AS tags,
                     (SELECT max(tag.dated_at) FROM registries_tag tag
                       WHERE tag.repository_id = touched.id) AS newest,
                     (SELECT count(*) FROM registries_artifact artifact
                       WHERE artifact.repository_id = touched.id
                         AND artifact.missing_since IS NULL) AS artifacts
                FROM unnest(%(ids)s::bigint[]) AS touched(id)
          ) counted
         WHERE repository.id = counted.id
           AND (repository.tag_count, repository.artifact_count, repository.pushed_at,
                repository.count_due)
               IS DISTINCT FROM (counted.tags, counted.artifacts, counted.newest, true)
        """,
        {"ids": list(repositories)},
    )


@transaction.atomic
def count_bytes(registry: Registry, repositories: Sequence[int]) -> None:
    """Bytes of these repositories (by id): each image in full, and each blob once."""
    lock(registry)  # what is stored meanwhile would be counted as if it had been counted
    count_tags(repositories)  # dates and artifacts may have come with the details
    execute(
        """
        WITH present AS (
            SELECT artifact.repository_id AS repository, manifest.id, manifest.size,
                   manifest.total_size, manifest.config_digest,
                   EXISTS (SELECT FROM registries_tag tag
                            WHERE tag.artifact_id = artifact.id) AS is_tagged
              FROM registries_artifact artifact
              JOIN registries_manifest manifest ON manifest.id = artifact.manifest_id
             WHERE artifact.repository_id = ANY(%(ids)s) AND artifact.missing_since IS NULL
        ), blob AS (
            SELECT present.repository, layer.blob_id AS id
              FROM present JOIN registries_manifestlayer layer ON layer.manifest_id = present.id
            UNION
            SELECT present.repository, config.id
              FROM present JOIN registries_blob config ON config.digest = present.config_digest
        ), held AS (
            SELECT blob.repository, sum(held.size) AS bytes
              FROM blob JOIN registries_blob held ON held.id = blob.id GROUP BY blob.repository
        ), counted AS (
            SELECT repository, sum(size) AS manifests,
                   coalesce(sum(total_size) FILTER (WHERE is_tagged), 0) AS logical
              FROM present GROUP BY repository
        )
        UPDATE registries_repository repository
           SET logical_bytes = least(coalesce(counted.logical, 0), %(most)s),
               unique_bytes = least(
                   coalesce(counted.manifests, 0) + coalesce(held.bytes, 0), %(most)s),
               count_due = false
          FROM unnest(%(ids)s::bigint[]) AS touched(id)
          LEFT JOIN counted ON counted.repository = touched.id
          LEFT JOIN held ON held.repository = touched.id
         WHERE repository.id = touched.id
        """,
        {"ids": list(repositories), "most": MOST_BYTES},
    )
    _mark_untagged(repositories)


def _mark_untagged(repositories: Sequence[int]) -> None:
    """Which artifacts of these repositories no tag names and no index there holds."""
    execute(
        """
        UPDATE registries_artifact artifact SET is_untagged = counted.is_untagged
          FROM (
              SELECT held.id, NOT EXISTS (
                         SELECT FROM registries_tag tag WHERE tag.artifact_id = held.id)
                     AND NOT EXISTS (
                         SELECT FROM registries_manifestchild entry
                           JOIN registries_artifact holder ON holder.manifest_id = entry.parent_id
                          WHERE entry.digest = manifest.digest
                            AND holder.repository_id = held.repository_id
                            AND holder.missing_since IS NULL) AS is_untagged
                FROM registries_artifact held
                JOIN registries_manifest manifest ON manifest.id = held.manifest_id
               WHERE held.repository_id = ANY(%(ids)s) AND held.missing_since IS NULL
          ) counted
         WHERE artifact.id = counted.id AND artifact.is_untagged <> counted.is_untagged
        """,
        {"ids": list(repositories)},
    )


def repositories_due(registry: Registry, *, limit: int) -> list[int]:
    """Repositories (by id) whose bytes are to be counted anew."""
    due = registry.repositories.filter(count_due=True).order_by("id")
    return list(due.values_list("pk", flat=True)[:limit])


def count_registry(registry: Registry) -> None:
    """The registry's namespaces, and its own totals from its repositories."""
    execute(
        """
        MERGE INTO registries_namespace namespace
        USING (
            WITH direct AS (
                SELECT string_to_array(namespace, '/') AS parts, count(*) AS repositories,
                       sum(tag_count) AS tags, sum(logical_bytes) AS bytes,
                       max(pushed_at) AS newest
                  FROM registries_repository
                 WHERE registry_id = %(registry)s AND missing_since IS NULL AND namespace <> ''
                 GROUP BY namespace
            ), counted AS (
                -- each namespace counts for itself and for all those above it
                SELECT array_to_string(parts[:depth], '/') AS path,
                       array_to_string(parts[:depth - 1], '/') AS parent,
                       sum(repositories) AS repositories, sum(tags) AS tags,
                       sum(bytes) AS bytes, max(newest) AS newest
                  FROM direct, generate_series(1, cardinality(parts)) AS depth
                 GROUP BY 1, 2
            )
            SELECT coalesce(counted.path, old.path) AS path, counted.parent,
                   counted.repositories, counted.tags,
                   least(counted.bytes, %(most)s)::bigint AS bytes, counted.newest
              FROM counted
              FULL JOIN (SELECT path FROM registries_namespace
                          WHERE registry_id = %(registry)s) old ON old.path = counted.path
        ) news ON namespace.registry_id = %(registry)s AND namespace.path = news.path
        WHEN MATCHED AND news.repositories IS NULL THEN DELETE
        WHEN MATCHED AND (namespace.repository_count, namespace.tag_count,
                          namespace.logical_bytes, namespace.pushed_at)
             IS DISTINCT FROM (news.repositories, news.tags, news.bytes, news.newest)
        THEN UPDATE SET repository_count = news.repositories, tag_count = news.tags,
                        logical_bytes = news.bytes, pushed_at = news.newest
        WHEN NOT MATCHED THEN INSERT (
            registry_id, path, parent, repository_count, tag_count, logical_bytes, pushed_at)
        VALUES (
            %(registry)s, news.path, news.parent,
            news.repositories, news.tags, news.bytes, news.newest)
        """,
        {"registry": registry.pk, "most": MOST_BYTES},
    )
    execute(
        """
        UPDATE registries_registry registry
           SET repository_count = counted.repositories, tag_count = counted.tags,
               unique_bytes = counted.bytes
          FROM (
              SELECT count(*) AS repositories, coalesce(sum(tag_count), 0) AS tags,
                     least(coalesce(sum(unique_bytes), 0), %(most)s)::bigint AS bytes
                FROM registries_repository
               WHERE registry_id = %(registry)s AND missing_since IS NULL
          ) counted
         WHERE registry.id = %(registry)s
           AND (registry.repository_count, registry.tag_count, registry.unique_bytes)
               IS DISTINCT FROM (counted.repositories, counted.tags, counted.bytes)
        """,
        {"registry": registry.pk, "most": MOST_BYTES},
    )
