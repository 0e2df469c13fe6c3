"""What was read into Postgres: one short transaction a batch of repositories, events inside it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from registries import events
from registries.actor import Actor
from registries.models import Registry, TagMove
from registries.oci.reference import Digest
from registries.sync import clock, statistics
from registries.sync.artifacts import mark_absent, store_artifacts
from registries.sync.content import store_manifests
from registries.sync.counters import count_tags
from registries.sync.facts import apply_facts, mark_unlisted
from registries.sync.outlines import store_outlines
from registries.sync.plan import TagChange, compare
from registries.sync.readings import TagReading
from registries.sync.repositories import (
    RepositoryRow,
    ids_of,
    mark_verified,
    rows_of,
    upsert_repositories,
)
from registries.sync.tags import store_moves, store_tags
from registries.sync.turns import lock


@dataclass(frozen=True, slots=True)
class Applied:
    """How many tags came, moved and went, and which repositories were touched (by id)."""

    added: int = 0
    moved: int = 0
    removed: int = 0
    repositories: frozenset[int] = frozenset()


@transaction.atomic(durable=True)
def apply_readings(
    registry: Registry, readings: Sequence[TagReading], *, source: TagMove.Source, actor: Actor
) -> Applied:
    """Store these readings' news and emit its events; readings without news cost two statements.

    Durable: when this returns, it is committed. An older reading never overwrites a newer one.
    """
    lock(registry)
    now = clock.now()
    announced = registry.imported_at is not None
    news = [reading for reading in readings if reading.is_news or not reading.slice.ours]
    appeared = upsert_repositories(registry, [reading.slice.path for reading in news], now)
    rows = rows_of(registry, news)
    store_manifests(manifest for reading in news for manifest in reading.manifests.values())
    outlines = (outline for reading in readings for outline in reading.slice.outlines)
    store_outlines(registry, outlines)

    changes: dict[str, tuple[TagChange, ...]] = {}
    happened: list[events.Event] = []
    if announced:
        happened += [
            events.RepositoryAppeared(registry.name, now, path) for path in sorted(appeared)
        ]
    for reading in news:
        part, row = reading.slice, rows[reading.slice.path]
        known = _stored(reading.tags.items(), reading)
        seen = {tag: digest for tag, digest in known if not _is_newer(row, tag, part.at, now)}
        removed = tuple(tag for tag in part.removed if not _is_newer(row, tag, part.at, now))
        changes[part.path] = compare(row.tags, seen, removed)
        if announced:
            happened += _events(registry, part.path, changes[part.path], now)

    came = store_artifacts(registry, readings, announced=announced)
    store_tags(rows, news, changes, announced=announced)
    if news:
        statistics.keep_up()
    if announced:
        store_moves(registry, rows, changes, source=source, actor=actor, now=now)
    gone = mark_absent(rows, news)
    gone += mark_unlisted(registry, readings)
    apply_facts(registry, readings)
    if announced:
        happened += [events.ArtifactGone(registry.name, now, *which) for which in gone]
    paths = {reading.slice.path for reading in news if reading.is_news} | appeared
    # A listing may tell of manifests that came or went where no tag did.
    touched = (
        {rows[path].id for path in paths} | came | ids_of(registry, {path for path, _ in gone})
    )
    count_tags(sorted(touched))
    mark_verified(registry, readings)
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


def _is_newer(row: RepositoryRow, tag: str, at: datetime, now: datetime) -> bool:
    """Whether what we have of the tag was read later. What is dated ahead of now was dated by a
    clock that was wrong, and holds nobody up."""
    changed_at = row.changed_at.get(tag)
    return changed_at is not None and at < changed_at <= now


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
