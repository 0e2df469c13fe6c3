"""What registries hold, as far as somebody sees it: from stored counters, never by counting rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.db.models import Sum

from access.policy import Someone, visible_registries
from access.sight import Sight, eyes_of, parts_of
from registries.models import Namespace, Registry, Repository


@dataclass(frozen=True, slots=True)
class Held:
    """Sums over what is seen. Bytes are compressed: of a whole registry each blob counts once, of a
    part (`is_part`) they are the sum of its images, for what its parts share is not stored."""

    repositories: int = 0
    tags: int = 0
    bytes: int = 0
    is_part: bool = False

    def __add__(self, other: Held) -> Held:
        return Held(
            self.repositories + other.repositories,
            self.tags + other.tags,
            self.bytes + other.bytes,
            self.is_part or other.is_part,
        )


@dataclass(frozen=True, slots=True)
class Totals:
    """All that somebody sees, in how many registries."""

    registries: int
    held: Held


def held_in(registries: Iterable[Registry], somebody: Someone) -> Mapping[int, Held]:
    """Registry id -> what is seen of it. No query if all of them are seen whole, else two."""
    rows = list(registries)
    eyes = eyes_of(somebody)
    sights = {registry.pk: eyes.on(registry) for registry in rows}
    parts = _parts({pk: sight for pk, sight in sights.items() if not sight.whole})
    return {
        registry.pk: parts[registry.pk]
        if registry.pk in parts
        else Held(registry.repository_count, registry.tag_count, registry.unique_bytes)
        for registry in rows
    }


def totals_of(somebody: Someone) -> Totals:
    """The sums over all that somebody sees; a blob that two registries hold counts in both."""
    registries = visible_registries(somebody).only(
        "name", "repository_count", "tag_count", "unique_bytes"
    )
    held = held_in(registries, somebody)
    return Totals(len(held), sum(held.values(), Held()))


def _parts(sights: Mapping[int, Sight]) -> dict[int, Held]:
    """What the namespaces and single repositories that are seen hold together."""
    found = dict.fromkeys(sights, Held(is_part=True))
    if not sights:
        return found
    namespaces = (
        Namespace.objects.filter(parts_of(sights.items(), of_namespaces=True))
        .order_by()
        .values_list("registry_id")
        .annotate(Sum("repository_count"), Sum("tag_count"), Sum("logical_bytes"))
    )
    for registry, repositories, tags, size in namespaces:
        found[registry] += Held(repositories, tags, size)
    singles = (
        Repository.objects.present()
        .filter(parts_of(sights.items(), of_namespaces=False))
        .values_list("registry_id", "tag_count", "logical_bytes")
    )
    for registry, tags, size in singles:
        found[registry] += Held(1, tags, size)
    return found
