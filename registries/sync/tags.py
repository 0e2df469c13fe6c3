"""Tags and their moves, written as a batch of changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from registries.actor import Actor
from registries.models import Registry, TagMove
from registries.sync.facts import told_dates
from registries.sync.plan import TagChange, version_key
from registries.sync.readings import TagReading
from registries.sync.repositories import RepositoryRow
from registries.sync.staging import execute, stage


def store_tags(
    rows: Mapping[str, RepositoryRow],
    news: Sequence[TagReading],
    changes: Mapping[str, Sequence[TagChange]],
    *,
    announced: bool,
) -> None:
    at = {reading.slice.path: reading.slice.at for reading in news}
    pushed_at = {reading.slice.path: told_dates(reading.slice) for reading in news}
    stage(
        "incoming_tag",
        {
            "repository": "int8",
            "name": "text",
            "digest": "text",
            "version_key": "text",
            "at": "timestamptz",
            "pushed_at": "timestamptz",
        },
        (
            (
                rows[path].id,
                change.tag,
                change.new,
                version_key(change.tag),
                at[path],
                pushed_at[path].get(change.tag),
            )
            for path, each in changes.items()
            for change in each
        ),
    )
    execute(
        """
        MERGE INTO registries_tag tag
        USING (
            SELECT incoming.repository, incoming.name, incoming.version_key, incoming.at,
                   artifact.id AS artifact, manifest.total_size AS size,
                   CASE WHEN incoming.pushed_at IS NOT NULL THEN incoming.pushed_at
                        WHEN %(announced)s THEN incoming.at
                        ELSE coalesce(manifest.created, incoming.at) END AS dated_at,
                   CASE WHEN incoming.pushed_at IS NOT NULL OR %(announced)s THEN 'pushed'
                        WHEN manifest.created IS NOT NULL THEN 'built'
                        ELSE 'seen' END AS dated_by
              FROM incoming_tag incoming
              LEFT JOIN registries_manifest manifest ON manifest.digest = incoming.digest
              LEFT JOIN registries_artifact artifact
                ON artifact.repository_id = incoming.repository
               AND artifact.manifest_id = manifest.id
             ORDER BY incoming.repository, incoming.name
        ) news ON tag.repository_id = news.repository AND tag.name = news.name
        WHEN MATCHED AND news.artifact IS NULL THEN DELETE
        WHEN MATCHED THEN UPDATE SET
            artifact_id = news.artifact, size = news.size, dated_at = news.dated_at,
            dated_by = news.dated_by, changed_at = news.at
        WHEN NOT MATCHED AND news.artifact IS NOT NULL THEN INSERT (
            repository_id, name, artifact_id, version_key, size, dated_at, dated_by,
            first_seen_at, changed_at)
        VALUES (
            news.repository, news.name, news.artifact, news.version_key, news.size,
            news.dated_at, news.dated_by, news.at, news.at)
        """,
        {"announced": announced},
    )
    execute("""
        INSERT INTO registries_tagname (name)
        SELECT DISTINCT name FROM incoming_tag WHERE digest IS NOT NULL ORDER BY name
            ON CONFLICT (name) DO NOTHING
    """)


def store_moves(
    registry: Registry,
    rows: Mapping[str, RepositoryRow],
    changes: Mapping[str, Sequence[TagChange]],
    *,
    source: TagMove.Source,
    actor: Actor,
    now: datetime,
) -> None:
    TagMove.objects.bulk_create(
        [
            TagMove(
                registry_id=registry.pk,
                repository_id=rows[path].id,
                tag=change.tag,
                old_digest=change.old or "",
                new_digest=change.new or "",
                at=now,
                source=source,
                actor_kind=actor.kind,
                actor_id=actor.id,
                actor_label=actor.label,
            )
            for path, each in changes.items()
            for change in each
        ],
        batch_size=1000,
    )
