"""Tags that are to go, with what becomes of their images."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from registries.changing.deleting import MOST_TAGS
from registries.models import Repository, Tag


def chosen_tags(repository: Repository, names: Iterable[str]) -> list[Tag]:
    """These tags with what they point at, and with how many others there are (`siblings`)."""
    wanted = list(dict.fromkeys(names))[:MOST_TAGS]
    tags = list(
        repository.tags.filter(name__in=wanted).with_manifests().order_by("version_key", "pk")
    )
    counted = repository.tags.counted_by_artifact({tag.artifact_id for tag in tags})
    going = Counter(tag.artifact_id for tag in tags)
    for tag in tags:
        others = counted.get(tag.artifact_id, 1) - going[tag.artifact_id]
        tag.siblings = others  # type: ignore[attr-defined]  # for who shows it
    return tags
