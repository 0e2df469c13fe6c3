"""How often things are pulled, and when last: counted for images and tags, dated for repositories."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from registries import events
from registries.actor import Actor
from registries.models import Registry
from registries.sync.staging import execute, fetch
from registries.sync.turns import lock


@dataclass(frozen=True, slots=True)
class Pull:
    """One pull. `tag` is empty where none was asked for, `digest` where none was told.

    `is_part` is a pull that belongs to another: of one platform's image after its index. The image
    counts it; nobody is told twice.
    """

    path: str
    tag: str
    digest: str
    at: datetime
    actor: Actor
    is_part: bool = False


def count_pulls(registry: Registry, pulls: Sequence[Pull]) -> set[tuple[str, str]]:
    """Count these, in the caller's transaction, and emit ImagePulled for each that is in our
    catalog; returns (path, digest) of those that are. A date never goes back."""
    lock(registry)  # images and tags are rows that a sync writes, too
    pulls = _resolved(registry, pulls)
    known = _known(registry, {(pull.path, pull.digest) for pull in pulls})
    pulls = [pull for pull in pulls if (pull.path, pull.digest) in known]
    if not pulls:
        return known
    _count_artifacts(registry, pulls)
    _count_tags(registry, [pull for pull in pulls if pull.tag])
    _date_repositories(registry, pulls)
    if registry.imported_at:
        _tell(registry, [pull for pull in pulls if not pull.is_part])
    return known


def _tell(registry: Registry, pulls: Sequence[Pull]) -> None:
    """One emission for whoever pulled, however often."""
    by_actor: dict[Actor, list[events.Event]] = defaultdict(list)
    for pull in pulls:
        by_actor[pull.actor].append(
            events.ImagePulled(registry.name, pull.at, pull.path, pull.digest, pull.tag)
        )
    for actor, pulled in by_actor.items():
        events.emit(pulled, actor=actor)


def _resolved(registry: Registry, pulls: Sequence[Pull]) -> list[Pull]:
    """With the digest that a tag points at now, where only the tag was told."""
    asked = {(pull.path, pull.tag) for pull in pulls if pull.tag and not pull.digest}
    if not asked:
        return list(pulls)
    digests = {
        (path, tag): digest
        for path, tag, digest in fetch(
            """
            SELECT asked.path, asked.tag, manifest.digest
              FROM unnest(%(paths)s::text[], %(tags)s::text[]) AS asked(path, tag)
              JOIN registries_repository repository
                ON repository.registry_id = %(registry)s AND repository.path = asked.path
              JOIN registries_tag tag
                ON tag.repository_id = repository.id AND tag.name = asked.tag
              JOIN registries_artifact artifact ON artifact.id = tag.artifact_id
              JOIN registries_manifest manifest ON manifest.id = artifact.manifest_id
            """,
            {"registry": registry.pk, **_columns(sorted(asked), "paths", "tags")},
        )
    }
    return [
        Pull(
            pull.path,
            pull.tag,
            pull.digest or digests.get((pull.path, pull.tag), ""),
            pull.at,
            pull.actor,
            pull.is_part,
        )
        for pull in pulls
    ]


def _known(registry: Registry, wanted: set[tuple[str, str]]) -> set[tuple[str, str]]:
    return {
        (path, digest)
        for path, digest in fetch(
            """
            SELECT asked.path, asked.digest
              FROM unnest(%(paths)s::text[], %(digests)s::text[]) AS asked(path, digest)
              JOIN registries_repository repository
                ON repository.registry_id = %(registry)s AND repository.path = asked.path
              JOIN registries_manifest manifest ON manifest.digest = asked.digest
              JOIN registries_artifact artifact
                ON artifact.repository_id = repository.id AND artifact.manifest_id = manifest.id
            """,
            {"registry": registry.pk, **_columns(sorted(wanted), "paths", "digests")},
        )
    }


def _count_artifacts(registry: Registry, pulls: Sequence[Pull]) -> None:
    execute(
        """
        UPDATE registries_artifact artifact
           SET pull_count = artifact.pull_count + pulled.count,
               pulled_at = greatest(artifact.pulled_at, pulled.at)
          FROM unnest(%(paths)s::text[], %(digests)s::text[], %(ats)s::timestamptz[],
                      %(counts)s::bigint[]) AS pulled(path, digest, at, count)
          JOIN registries_repository repository
            ON repository.registry_id = %(registry)s AND repository.path = pulled.path
          JOIN registries_manifest manifest ON manifest.digest = pulled.digest
         WHERE artifact.repository_id = repository.id AND artifact.manifest_id = manifest.id
        """,
        {
            "registry": registry.pk,
            **_counted([((pull.path, pull.digest), pull.at) for pull in pulls], "digests"),
        },
    )


def _count_tags(registry: Registry, pulls: Sequence[Pull]) -> None:
    """Of the tag as it is called: it may point elsewhere by now."""
    execute(
        """
        UPDATE registries_tag tag
           SET pull_count = tag.pull_count + pulled.count,
               pulled_at = greatest(tag.pulled_at, pulled.at)
          FROM unnest(%(paths)s::text[], %(tags)s::text[], %(ats)s::timestamptz[],
                      %(counts)s::bigint[]) AS pulled(path, name, at, count)
          JOIN registries_repository repository
            ON repository.registry_id = %(registry)s AND repository.path = pulled.path
         WHERE tag.repository_id = repository.id AND tag.name = pulled.name
        """,
        {
            "registry": registry.pk,
            **_counted([((pull.path, pull.tag), pull.at) for pull in pulls], "tags"),
        },
    )


def _date_repositories(registry: Registry, pulls: Sequence[Pull]) -> None:
    last: dict[str, datetime] = {}
    for pull in pulls:
        last[pull.path] = max(pull.at, last.get(pull.path, pull.at))
    execute(
        """
        UPDATE registries_repository repository
           SET pulled_at = pulled.at
          FROM unnest(%(paths)s::text[], %(ats)s::timestamptz[]) AS pulled(path, at)
         WHERE repository.registry_id = %(registry)s AND repository.path = pulled.path
           AND (repository.pulled_at IS NULL OR repository.pulled_at < pulled.at)
        """,
        {"registry": registry.pk, **_columns(sorted(last.items()), "paths", "ats")},
    )


def _counted(
    pulled: Sequence[tuple[tuple[str, str], datetime]], second: str
) -> dict[str, list[object]]:
    """As columns: each key once, with how often it was pulled and when last."""
    counts = Counter(key for key, _at in pulled)
    last: dict[tuple[str, str], datetime] = {}
    for key, at in pulled:
        last[key] = max(at, last.get(key, at))
    rows = [(*key, last[key], count) for key, count in sorted(counts.items())]
    return _columns(rows, "paths", second, "ats", "counts")


def _columns(rows: Sequence[tuple[object, ...]], *names: str) -> dict[str, list[object]]:
    return {name: [row[place] for row in rows] for place, name in enumerate(names)}
