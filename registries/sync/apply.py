"""What was read into Postgres: one short transaction a batch of repositories, events inside it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from registries import events
from registries.actor import Actor
from registries.models import Registry, TagMove
from registries.oci.reference import Digest
from registries.sync.content import store_manifests
from registries.sync.counters import count_tags
from registries.sync.facts import apply_facts, mark_unlisted, told_dates
from registries.sync.outlines import store_outlines
from registries.sync.plan import TagChange, compare, version_key
from registries.sync.readings import TagReading
from registries.sync.staging import execute, fetch, stage
from registries.sync.turns import lock


@dataclass(frozen=True, slots=True)
class Applied:
    """How many tags came, moved and went, and which repositories were touched (by id)."""

    added: int = 0
    moved: int = 0
    removed: int = 0
    repositories: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class _Row:
    """A repository's row as it is inside the transaction.

    `changed_at` also knows of tags that are gone: when they went.
    """

    id: int
    tags: Mapping[str, Digest]
    changed_at: Mapping[str, datetime]


@transaction.atomic(durable=True)
def apply_readings(
    registry: Registry, readings: Sequence[TagReading], *, source: TagMove.Source, actor: Actor
) -> Applied:
    """Store these readings' news and emit its events; readings without news cost two statements.

    Durable: when this returns, it is committed. An older reading never overwrites a newer one.
    """
    lock(registry)
    now = timezone.now()
    announced = registry.imported_at is not None
    news = [reading for reading in readings if reading.is_news or not reading.slice.ours]
    appeared = upsert_repositories(registry, [reading.slice.path for reading in news], now)
    rows = _rows(registry, news)
    store_manifests(manifest for reading in news for manifest in reading.manifests.values())
    store_outlines(outline for reading in readings for outline in reading.slice.outlines)

    changes: dict[str, tuple[TagChange, ...]] = {}
    happened: list[events.Event] = []
    if announced:
        happened += [
            events.RepositoryAppeared(registry.name, now, path) for path in sorted(appeared)
        ]
    for reading in news:
        part, row = reading.slice, rows[reading.slice.path]
        known = _stored(reading.tags.items(), reading)
        seen = {tag: digest for tag, digest in known if not _is_newer(row, tag, part.at)}
        removed = tuple(tag for tag in part.removed if not _is_newer(row, tag, part.at))
        changes[part.path] = compare(row.tags, seen, removed)
        if announced:
            happened += _events(registry, part.path, changes[part.path], now)

    came = _store_presence(registry, readings, announced=announced)
    _store_tags(rows, news, changes, announced=announced)
    if announced:
        _store_moves(registry, rows, changes, source=source, actor=actor, now=now)
    gone = _mark_absent(rows, news)
    gone += mark_unlisted(registry, readings)
    apply_facts(registry, readings)
    if announced:
        happened += [events.ArtifactGone(registry.name, now, *which) for which in gone]
    paths = {reading.slice.path for reading in news if reading.is_news} | appeared
    # A listing may tell of manifests that came or went where no tag did.
    touched = {rows[path].id for path in paths} | came | _ids(registry, {path for path, _ in gone})
    count_tags(sorted(touched))
    _mark_verified(registry, readings)
    events.emit(happened, actor=actor)

    every = [change for each in changes.values() for change in each]
    return Applied(
        added=sum(change.old is None for change in every),
        moved=sum(change.old is not None and change.new is not None for change in every),
        removed=sum(change.new is None for change in every),
        repositories=frozenset(touched),
    )


def _stored(
    tags: Iterable[tuple[str, Digest]], reading: TagReading
) -> Iterable[tuple[str, Digest]]:
    """Tags whose manifest is at hand: it came along, is described or known, or they point where
    they pointed before."""
    ours, listed = reading.slice.ours, reading.slice.listed
    return (
        (tag, digest)
        for tag, digest in tags
        if digest in reading.manifests or ours.get(tag) == digest or listed.get(tag) == digest
    )


def _is_newer(row: _Row, tag: str, at: datetime) -> bool:
    changed_at = row.changed_at.get(tag)
    return changed_at is not None and changed_at > at


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


def _rows(registry: Registry, news: Sequence[TagReading]) -> dict[str, _Row]:
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
    return {path: _Row(pk, tags[pk], changed_at[pk]) for path, pk in ids.items()}


def _ids(registry: Registry, paths: Collection[str]) -> set[int]:
    if not paths:
        return set()
    return set(registry.repositories.filter(path__in=paths).values_list("pk", flat=True))


def _store_presence(
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
    return store_presence(registry, announced=announced)


def _present_in(reading: TagReading) -> dict[Digest, bool]:
    """The digests found in a repository, and whether a listing alone says so."""
    part = reading.slice
    present = {outline.digest: True for outline in part.outlines}
    if reading.is_news or not part.ours:
        described = present.keys() | set(part.listed.values())
        present |= {digest: digest in described for digest in reading.tags.values()}
    return present | dict.fromkeys(reading.manifests, False)


def store_presence(registry: Registry, *, announced: bool) -> set[int]:
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


def _store_tags(
    rows: Mapping[str, _Row],
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


def _store_moves(
    registry: Registry,
    rows: Mapping[str, _Row],
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


def _mark_absent(rows: Mapping[str, _Row], news: Sequence[TagReading]) -> list[tuple[str, Digest]]:
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


def _mark_verified(registry: Registry, readings: Sequence[TagReading]) -> None:
    """Repositories that were read whole, unless a newer reading got here first. What was read at
    all, whole or not, is not missing."""
    execute(
        """
        UPDATE registries_repository repository
           SET verified_at = CASE WHEN was_read.is_whole
                                  THEN greatest(verified_at, was_read.at) ELSE verified_at END,
               missing_count = 0
          FROM unnest(%(paths)s::text[], %(ats)s::timestamptz[], %(wholes)s::bool[],
                      %(proofs)s::bool[]) AS was_read(path, at, is_whole, is_proof)
         WHERE repository.registry_id = %(registry)s AND repository.path = was_read.path
           AND (was_read.is_whole AND (verified_at IS NULL OR verified_at < was_read.at)
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


def _events(
    registry: Registry, path: str, changes: Sequence[TagChange], now: datetime
) -> Iterable[events.Event]:
    for change in changes:
        if change.new is None:
            yield events.TagDeleted(registry.name, now, path, change.tag, change.old or "")
        elif change.old is None:
            yield events.TagCreated(registry.name, now, path, change.tag, change.new)
        else:
            yield events.TagMoved(registry.name, now, path, change.tag, change.old, change.new)
