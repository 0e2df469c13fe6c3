"""The tags and artifacts of a repository as lists: what they are sorted by, and what rows show
besides, by a statement for a page and none a row."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db.models import Exists, F, OuterRef, QuerySet

from dashboard.pagination import Column
from registries.models import Artifact, ManifestChild, Repository, Tag
from registries.models.artifacts import PUSHED_OR_SEEN, ArtifactQuerySet

TAG_COLUMNS = {
    "date": Column(F("dated_at"), datetime, descending_first=True),
    "name": Column(F("version_key"), str, descending_first=True),
    "size": Column(F("size"), int, descending_first=True),
}
ARTIFACT_COLUMNS = {
    "date": Column(PUSHED_OR_SEEN, datetime, descending_first=True),
    "size": Column(F("size"), int, descending_first=True),
}


def put_aliases(repository: Repository, tags: Sequence[Tag]) -> None:
    """Sets on each tag how many others point at the same artifact (`aliases`)."""
    counted = repository.tags.counted_by_artifact({tag.artifact_id for tag in tags})
    for tag in tags:
        tag.aliases = counted.get(tag.artifact_id, 1) - 1  # type: ignore[attr-defined]  # for who shows it


def put_names(repository: Repository, artifacts: Sequence[Artifact]) -> None:
    """Sets on each artifact its tags (`names`) and whether an index of this repository holds it
    (`is_part`)."""
    named: dict[int, list[str]] = {artifact.pk: [] for artifact in artifacts}
    tags = repository.tags.filter(artifact__in=named).order_by("-dated_at", "-id")
    for artifact_id, name in tags.values_list("artifact_id", "name"):
        named[artifact_id].append(name)
    digests = [artifact.manifest.digest for artifact in artifacts]
    held = set(_held_by(repository).filter(digest__in=digests).values_list("digest", flat=True))
    for artifact in artifacts:
        artifact.names = named[artifact.pk]  # type: ignore[attr-defined]  # for who shows it
        artifact.is_part = artifact.manifest.digest in held  # type: ignore[attr-defined]  # as above


def untagged(repository: Repository, artifacts: ArtifactQuerySet) -> ArtifactQuerySet:
    """Those that nothing names: no tag, and no index of this repository.

    The counted column chooses, by an index; what has been named since it was counted goes.
    """
    tagged = Tag.objects.filter(artifact=OuterRef("pk"))
    in_index = _held_by(repository).filter(digest=OuterRef("manifest__digest"))
    return artifacts.filter(~Exists(tagged), ~Exists(in_index), is_untagged=True)


def _held_by(repository: Repository) -> QuerySet[ManifestChild]:
    """Entries of the indexes that are in a repository."""
    return ManifestChild.objects.filter(
        parent__artifacts__repository=repository, parent__artifacts__missing_since=None
    )
