"""Repositories that do not answer any more. A repository is gone when its own tag list answered
404 in two runs; until then nothing of it is removed (some servers drop names at page cuts).

Where most of a registry does not answer, it more likely lost its storage than its content: then
nothing is removed until somebody says that it is so, by a full sync.
"""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction

from registries import events
from registries.actor import Actor
from registries.models import Registry, Repository, Tag, TagMove
from registries.sync import clock
from registries.sync.counters import count_tags
from registries.sync.readings import Listing
from registries.sync.repositories import upsert_repositories
from registries.sync.turns import lock

# In how many runs a 404 must have come.
PROOFS = 2
# From so many on, and more than half of all, they are too many to be believed.
TOO_MANY = 20


@transaction.atomic(durable=True)
def apply_absences(
    registry: Registry,
    absences: Sequence[Listing],
    *,
    listed: set[str],
    is_proof: bool = True,
    source: TagMove.Source = TagMove.Source.SYNC,
    actor: Actor,
) -> int:
    """Record that these repositories' tag lists answered 404; returns how many tags that removed.

    A repository that the catalog names (`listed`) but that has no tag list is an empty one: it
    loses its tags all the same, and stays. Without `is_proof` (a refresh, a batch tried again:
    what may come twice in a moment) the answer is a first sign at most, and removes nothing.
    """
    lock(registry)
    now = clock.now()
    there = {
        repository.path: repository
        for repository in Repository.objects.filter(
            registry=registry, path__in=[absence.path for absence in absences]
        )
    }
    empty = sorted(a.path for a in absences if a.path in listed and a.path not in there)
    upsert_repositories(registry, empty, now)
    if registry.imported_at:
        appeared = [events.RepositoryAppeared(registry.name, now, path) for path in empty]
        events.emit(appeared, actor=actor)
    removed = 0
    for absence in absences:
        repository = there.get(absence.path)
        if repository is None or _is_settled(repository, is_listed=absence.path in listed):
            continue
        verified_at = repository.verified_at
        if verified_at and absence.at < verified_at <= now:
            continue  # a newer reading found it
        if repository.missing_count and not is_proof:
            continue
        repository.missing_count += 1
        if repository.missing_count >= PROOFS:
            removed += _remove_tags(registry, repository, source=source, actor=actor)
            if absence.path not in listed:
                repository.missing_since = now
                if registry.imported_at:
                    gone = events.RepositoryGone(registry.name, now, repository.path)
                    events.emit([gone], actor=actor)
        repository.save(update_fields=["missing_count", "missing_since"])
    return removed


def unbelievably_missing(registry: Registry) -> int:
    """How many repositories answered 404 and are not given up, if that is most of the registry, and
    else 0."""
    present = Repository.objects.present().filter(registry=registry)
    missing = present.filter(missing_count__gt=0).count()
    return missing if missing >= TOO_MANY and missing * 2 > present.count() else 0


def _is_settled(repository: Repository, *, is_listed: bool) -> bool:
    """Whether one more 404 says nothing new."""
    if repository.missing_since is not None:
        return True
    return is_listed and repository.tag_count == 0


def _remove_tags(
    registry: Registry, repository: Repository, *, source: TagMove.Source, actor: Actor
) -> int:
    now = clock.now()
    present = repository.artifacts.filter(missing_since__isnull=True)
    digests = list(present.order_by("pk").values_list("manifest__digest", flat=True))
    tags = list(
        Tag.objects.filter(repository=repository)
        .order_by("name")
        .values_list("name", "artifact__manifest__digest")
    )
    if registry.imported_at:
        TagMove.objects.bulk_create(
            [
                TagMove(
                    registry=registry,
                    repository=repository,
                    tag=name,
                    old_digest=digest,
                    at=now,
                    source=source,
                    actor_kind=actor.kind,
                    actor_id=actor.id,
                    actor_label=actor.label,
                )
                for name, digest in tags
            ],
            batch_size=1000,
        )
        events.emit(
            [
                events.TagDeleted(registry.name, now, repository.path, name, digest)
                for name, digest in tags
            ]
            + [events.ArtifactGone(registry.name, now, repository.path, it) for it in digests],
            actor=actor,
        )
    Tag.objects.filter(repository=repository).delete()
    present.update(missing_since=now)
    count_tags([repository.pk])
    return len(tags)
