"""What listings say besides digests: when something was pushed and pulled, locks, scans.

Written only where it differs, so that a sync with nothing new writes nothing. A date of a pull never
goes back: Portolan may have heard of a later one than the registry tells.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from registries.models import Registry
from registries.oci.reference import Digest
from registries.sync.content import json_text
from registries.sync.readings import TagReading, TagSlice
from registries.sync.staging import execute, fetch, stage


def told_dates(part: TagSlice) -> Mapping[str, datetime]:
    """By tag: when it was pushed, by the tag's own date, else by its manifest's."""
    pushed = {outline.digest: outline.pushed_at for outline in part.outlines}
    dates = {tag: pushed.get(digest) for tag, digest in part.listed.items()}
    dates |= {tag: facts.pushed_at for tag, facts in part.facts.items() if facts.pushed_at}
    return {tag: at for tag, at in dates.items() if at is not None}


def apply_facts(registry: Registry, readings: Sequence[TagReading]) -> None:
    """Bring dates of pushes and pulls, locks and scans up to date; in the caller's transaction."""
    parts = [reading.slice for reading in readings]
    if any(part.facts for part in parts):
        _apply_to_tags(registry, parts)
    if any(part.outlines for part in parts):
        _apply_to_artifacts(registry, parts)
    if any(part.repository for part in parts):
        _apply_to_repositories(registry, parts)


def _apply_to_tags(registry: Registry, parts: Iterable[TagSlice]) -> None:
    stage(
        "told_tag",
        {
            "path": "text",
            "name": "text",
            "pushed_at": "timestamptz",
            "pulled_at": "timestamptz",
            "locks": "int2",
        },
        (
            (part.path, tag, facts.pushed_at, facts.pulled_at, facts.locks)
            for part in parts
            for tag, facts in part.facts.items()
        ),
    )
    execute(
        """
        UPDATE registries_tag tag
           SET dated_at = coalesce(told.pushed_at, tag.dated_at),
               dated_by = CASE WHEN told.pushed_at IS NULL THEN tag.dated_by ELSE 'pushed' END,
               pulled_at = greatest(tag.pulled_at, told.pulled_at),
               locks = coalesce(told.locks, tag.locks)
          FROM told_tag told
          JOIN registries_repository repository
            ON repository.registry_id = %(registry)s AND repository.path = told.path
         WHERE tag.repository_id = repository.id AND tag.name = told.name
           AND (tag.dated_at <> told.pushed_at
                OR told.pulled_at > coalesce(tag.pulled_at, '-infinity')
                OR tag.locks <> told.locks)
        """,
        {"registry": registry.pk},
    )
    execute(
        """
        UPDATE registries_repository repository SET pulled_at = newest.pulled_at
          FROM (SELECT path, max(pulled_at) AS pulled_at FROM told_tag GROUP BY path) newest
         WHERE repository.registry_id = %(registry)s AND repository.path = newest.path
           AND newest.pulled_at > coalesce(repository.pulled_at, '-infinity')
        """,
        {"registry": registry.pk},
    )


def _apply_to_artifacts(registry: Registry, parts: Iterable[TagSlice]) -> None:
    stage(
        "told_artifact",
        {
            "path": "text",
            "digest": "text",
            "pushed_at": "timestamptz",
            "pulled_at": "timestamptz",
            "pull_count": "int8",
            "locks": "int2",
            "scan": "text",
        },
        (
            (
                part.path,
                outline.digest,
                outline.pushed_at,
                outline.pulled_at,
                outline.pull_count,
                outline.locks,
                None if outline.scan is None else json_text(dict(outline.scan)),
            )
            for part in parts
            for outline in part.outlines
        ),
    )
    execute(
        """
        UPDATE registries_artifact artifact
           SET pushed_at = coalesce(told.pushed_at, artifact.pushed_at),
               pulled_at = greatest(artifact.pulled_at, told.pulled_at),
               pull_count = coalesce(told.pull_count, artifact.pull_count),
               locks = coalesce(told.locks, artifact.locks),
               scan = coalesce(told.scan::jsonb, artifact.scan)
          FROM told_artifact told
          JOIN registries_repository repository
            ON repository.registry_id = %(registry)s AND repository.path = told.path
          JOIN registries_manifest manifest ON manifest.digest = told.digest
         WHERE artifact.repository_id = repository.id AND artifact.manifest_id = manifest.id
           AND (artifact.pushed_at IS DISTINCT FROM coalesce(told.pushed_at, artifact.pushed_at)
                OR told.pulled_at > coalesce(artifact.pulled_at, '-infinity')
                OR artifact.pull_count <> told.pull_count
                OR artifact.locks <> told.locks
                OR artifact.scan IS DISTINCT FROM coalesce(told.scan::jsonb, artifact.scan))
        """,
        {"registry": registry.pk},
    )


def _apply_to_repositories(registry: Registry, parts: Iterable[TagSlice]) -> None:
    told = [(part.path, part.repository) for part in parts if part.repository is not None]
    execute(
        """
        UPDATE registries_repository repository
           SET pull_count = coalesce(told.pull_count, repository.pull_count),
               locks = coalesce(told.locks, repository.locks)
          FROM unnest(%(paths)s::text[], %(pulls)s::int8[], %(locks)s::int2[])
               AS told(path, pull_count, locks)
         WHERE repository.registry_id = %(registry)s AND repository.path = told.path
           AND (repository.pull_count IS DISTINCT FROM
                    coalesce(told.pull_count, repository.pull_count)
                OR repository.locks <> told.locks)
        """,
        {
            "registry": registry.pk,
            "paths": [path for path, _ in told],
            "pulls": [facts.pull_count for _, facts in told],
            "locks": [facts.locks for _, facts in told],
        },
    )


def mark_unlisted(registry: Registry, readings: Sequence[TagReading]) -> list[tuple[str, Digest]]:
    """Manifests that a complete listing does not name are gone; returns (path, digest) of those.

    Not an index's platforms, nor what refers to something: some vendors list those apart. Nor
    what has a tag, or came after the listing was asked for. Each is looked up by itself (OFFSET 0
    keeps Postgres from joining): right after the first import it takes tables for empty, and its
    joins then read all of one for each row of the other.
    """
    gone: list[tuple[str, Digest]] = []
    for part in (reading.slice for reading in readings):
        if part.holds is None:
            continue
        marked = fetch(
            """
            UPDATE registries_artifact artifact SET missing_since = %(at)s
             WHERE artifact.repository_id = (
                   SELECT id FROM registries_repository
                    WHERE registry_id = %(registry)s AND path = %(path)s)
               AND artifact.missing_since IS NULL AND artifact.first_seen_at < %(at)s
               AND (SELECT manifest.subject_digest = '' AND manifest.digest <> ALL(%(held)s)
                           AND NOT EXISTS (
                               SELECT FROM registries_manifestchild entry
                                WHERE entry.digest = manifest.digest AND EXISTS (
                                      SELECT FROM registries_artifact listing
                                       WHERE listing.repository_id = artifact.repository_id
                                         AND listing.manifest_id = entry.parent_id
                                         AND listing.missing_since IS NULL OFFSET 0) OFFSET 0)
                      FROM registries_manifest manifest WHERE manifest.id = artifact.manifest_id)
               AND NOT EXISTS (
                   SELECT FROM registries_tag tag WHERE tag.artifact_id = artifact.id OFFSET 0)
         RETURNING (SELECT digest FROM registries_manifest WHERE id = artifact.manifest_id)
            """,
            {
                "registry": registry.pk,
                "path": part.path,
                "at": part.at,
                "held": list(part.holds),
            },
        )
        gone += [(part.path, digest) for (digest,) in sorted(marked)]
    return gone
