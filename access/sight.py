"""How much of a registry somebody sees: all of it, or some of its namespaces and repositories.

Lists ask `visible_repositories`. What shows sums (trees, heads, cards) asks here: what is stored
for a namespace holds where a pattern covers it, and above that it is added up from the parts.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Q

from access.policy import SEEING, Someone, inside, rights_of
from access.scopes import Extent, Scope
from registries.models import Registry, Repository
from registries.models.registry import RepositoryQuerySet


@dataclass(frozen=True, slots=True)
class Sight:
    """What is seen of one registry; `namespaces` are those below which everything is, and
    `repositories` single ones that lie in none of these."""

    whole: bool = False
    namespaces: tuple[str, ...] = ()
    repositories: tuple[str, ...] = ()

    def covers(self, namespace: str) -> bool:
        """Whether all below the namespace is seen, so that what is counted for it may be shown."""
        if self.whole:
            return True
        return any(f"{namespace}/".startswith(f"{seen}/") for seen in self.namespaces)


ALL = Sight(whole=True)


@dataclass(frozen=True, slots=True)
class Eyes:
    """What somebody sees of every registry."""

    scopes: tuple[Scope, ...]

    def on(self, registry: Registry) -> Sight:
        mine = [one for one in self.scopes if one.registry in (None, registry.name)]
        if any(one.extent in (Extent.EVERYTHING, Extent.REGISTRY) for one in mine):
            return ALL
        return Sight(
            namespaces=tuple(
                one.path.removesuffix("/*") for one in mine if one.extent is Extent.PATTERN
            ),
            repositories=tuple(one.path for one in mine if one.extent is Extent.REPOSITORY),
        )


def eyes_of(somebody: Someone) -> Eyes:
    return Eyes(rights_of(somebody).scopes(*SEEING))


def visible_in(somebody: Someone, registry: Registry) -> RepositoryQuerySet:
    """The repositories of one registry that one may know of: of what is granted elsewhere, nothing
    is in the query."""
    rights = rights_of(somebody)
    here = [one for one in rights.scopes(*SEEING) if one.registry in (None, registry.name)]
    return Repository.objects.filter(inside(rights, here), registry=registry)


def parts_of(sights: Iterable[tuple[int, Sight]], *, of_namespaces: bool) -> Q:
    """The condition on rows (of namespaces, or of repositories) that make up what is seen of
    registries of these ids of which not all is seen."""
    condition = Q(pk__in=())
    for registry, sight in sights:
        paths = sight.namespaces if of_namespaces else sight.repositories
        if paths and not sight.whole:
            condition |= Q(registry=registry, path__in=paths)
    return condition
