"""Repositories in Postgres as a transaction of the sync finds and leaves them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone

from registries.models import Registry
from registries.oci.reference import Digest
from registries.sync.readings import TagReading
from registries.sync.staging import execute, fetch


@dataclass(frozen=True, slots=True)
class RepositoryRow:
    """A repository's row as it is inside the transaction.

    `changed_at` also knows of tags that are gone: when they went.
    """

    id: int
    tags: Mapping[str, Digest]
    changed_at: Mapping[str, datetime]


def upsert_repositories(registry: Registry, paths: Sequence[str], now: datetime) -> set[str]:
    """Make rows for these paths; returns those that were not there, or had gone."""
    there = {
        path
        for (path,) in fetch(
            "SELECT path FROM registries_repository WHERE registry_id = %(registry)s"
            " AND path = ANY(%(paths)s) AND missing_since IS NULL",
            {"registry": registry.pk, "paths": list(paths)},
        )
    }
    if appeared := set(paths) - there:
        execute(
            """
            INSERT INTO registries_repository (
                registry_id, path, namespace, tag_count, artifact_count, logical_bytes,
                unique_bytes, first_seen_at, missing_count, count_due)
            SELECT %(registry)s, path, namespace, 0, 0, 0, 0, %(now)s, 0, true
              FROM unnest(%(paths)s::text[], %(namespaces)s::text[]) AS news(path, namespace)
             ORDER BY path
                ON CONFLICT (registry_id, path)
                   DO UPDATE SET missing_since = NULL, missing_count = 0
            """,
            {
                "registry": registry.pk,
                "now": now,
                "paths": sorted(appeared),
                "namespaces": [path.rpartition("/")[0] for path in sorted(appeared)],
            },
        )
    return appeared


def rows_of(registry: Registry, news: Sequence[TagReading]) -> dict[str, RepositoryRow]:
    """The rows of these repositories with the tags concerned, as the lock now keeps them."""
    paths = [reading.slice.path for reading in news]
    ids = dict(
        fetch(
            "SELECT path, id FROM registries_repository"
            " WHERE registry_id = %(registry)s AND path = ANY(%(paths)s)",
            {"registry": registry.pk, "paths": paths},
        )
    )
    names = {name for reading in news for name in (*reading.tags, *reading.slice.removed)}
    tags: dict[int, dict[str, Digest]] = defaultdict(dict)
    changed_at: dict[int, dict[str, datetime]] = defaultdict(dict)
    for repository, name, digest, changed in fetch(
        """
        SELECT tag.repository_id, tag.name, manifest.digest, tag.changed_at
          FROM registries_tag tag
          JOIN registries_artifact artifact ON artifact.id = tag.artifact_id
          JOIN registries_manifest manifest ON manifest.id = artifact.manifest_id
         WHERE tag.repository_id = ANY(%(ids)s) AND tag.name = ANY(%(names)s)
        """,
        {"ids": list(ids.values()), "names": list(names)},
    ):
        tags[repository][name] = digest
        changed_at[repository][name] = changed
    for repository, name, went in fetch(
        """
        SELECT repository_id, tag, max(at) FROM registries_tagmove
         WHERE repository_id = ANY(%(ids)s) AND tag = ANY(%(names)s) AND new_digest = ''
           AND at > %(since)s
         GROUP BY repository_id, tag
        """,
        {
            "ids": list(ids.values()),
            "names": list(names),
            "since": min((reading.slice.at for reading in news), default=timezone.now()),
        },
    ):
        if name not in tags[repository]:
            changed_at[repository][name] = went
    return {path: RepositoryRow(pk, tags[pk], changed_at[pk]) for path, pk in ids.items()}


def ids_of(registry: Registry, paths: Collection[str]) -> set[int]:
    if not paths:
        return set()
    return set(registry.repositories.filter(path__in=paths).values_list("pk", flat=True))


def mark_verified(registry: Registry, readings: Sequence[TagReading]) -> None:
    """Repositories that were read whole, unless a newer reading got here first. What was read at
    all, whole or not, is not missing."""
    execute(
        """
        UPDATE registries_repository repository
           SET verified_at = CASE WHEN was_read.is_whole
                                       AND coalesce(verified_at < was_read.at
                                                    OR verified_at > clock_timestamp(), true)
                                  THEN was_read.at ELSE verified_at END,
               missing_count = 0
          FROM unnest(%(paths)s::text[], %(ats)s::timestamptz[], %(wholes)s::bool[],
                      %(proofs)s::bool[]) AS was_read(path, at, is_whole, is_proof)
         WHERE repository.registry_id = %(registry)s AND repository.path = was_read.path
           AND (was_read.is_whole AND (verified_at IS NULL OR verified_at < was_read.at
                                       OR verified_at > clock_timestamp())
                OR missing_count > 0 AND was_read.is_proof)
        """,
        {
            "registry": registry.pk,
            "paths": [reading.slice.path for reading in readings],
            "ats": [reading.slice.at for reading in readings],
            "wholes": [reading.is_whole for reading in readings],
            "proofs": [reading.is_whole or bool(reading.tags) for reading in readings],
        },
    )
