"""Search over all registries one may see: these by name, repositories by path, tags by name, content
by digest.

Five queries, however much there is to find; each group is cut short, and says so.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from access.actions import Action
from access.policy import Someone, visible_registries, visible_repositories
from dashboard.browse.filters import clean
from registries.models import Artifact, Registry, Repository, Tag, TagName
from registries.models.registry import RepositoryQuerySet

SHORTEST_DIGEST = 6
NAMES_TRIED = 30

_DIGEST_START = re.compile(r"(?:(sha256|sha512):)?([0-9a-f]{6,128})")

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Group(Generic[T]):
    """What was found of one kind; `more` says that there is more than this."""

    rows: Sequence[T] = ()
    more: bool = False

    @classmethod
    def cut(cls, rows: Sequence[T], limit: int) -> Group[T]:
        return cls(rows[:limit], more=len(rows) > limit)


@dataclass(frozen=True, slots=True)
class Found:
    """The answer to a search."""

    registries: Group[Registry] = field(default_factory=Group)
    repositories: Group[Repository] = field(default_factory=Group)
    tags: Group[Tag] = field(default_factory=Group)
    artifacts: Group[Artifact] = field(default_factory=Group)

    @property
    def _groups(self) -> tuple[Group[Any], ...]:
        return (self.registries, self.repositories, self.tags, self.artifacts)

    @property
    def count(self) -> int:
        return sum(len(group.rows) for group in self._groups)

    @property
    def summary(self) -> str:
        """One sentence for who cannot see the list."""
        if any(group.more for group in self._groups):
            return _("More than %d results") % self.count
        return ngettext("%d result", "%d results", self.count) % self.count


def search(user: Someone, text: str, *, limit: int) -> Found:
    """What a person may see of everything called so; at most `limit` of each kind.

    Raises FilterError for what nothing can be called. An empty text finds nothing.
    """
    text = clean(text)
    if not text:
        return Found()
    registries = list(visible_registries(user).order_by("name"))
    inside = visible_repositories(user).present()
    # Who may only list a repository is not told what is in it: its tags are shown with digests.
    looked_into = visible_repositories(user, Action.CONTENT_READ).present()
    for registry in registries:
        # What people paste is often what they pull: "registry.example.com/team/app:1.0".
        if text.startswith(f"{registry.host}/"):
            text = text.removeprefix(f"{registry.host}/")
            inside = inside.filter(registry=registry)
            looked_into = looked_into.filter(registry=registry)
            break
    return Found(
        registries=_registries(registries, text, limit),
        repositories=_repositories(inside, text, limit),
        tags=_tags(looked_into, text, limit),
        artifacts=_artifacts(looked_into, text, limit),
    )


def _registries(registries: Iterable[Registry], text: str, limit: int) -> Group[Registry]:
    part = text.lower()
    found = [one for one in registries if part in one.name or part in one.host.lower()]
    return Group.cut(found, limit)


def _repositories(inside: RepositoryQuerySet, text: str, limit: int) -> Group[Repository]:
    path = text.removesuffix(":")
    found = inside.select_related("registry").matching(path)
    return Group.cut(list(found.order_by("path", "registry_id")[: limit + 1]), limit)


def _tags(inside: RepositoryQuerySet, text: str, limit: int) -> Group[Tag]:
    """Tags called so; `path:tag` looks for both."""
    path, _colon, name = text.rpartition(":")
    if not name or (path and _DIGEST_START.fullmatch(text)):
        return Group()
    names = TagName.objects.best_for(name, NAMES_TRIED)
    if not names:
        return Group()
    found = (
        Tag.objects.for_people()
        .filter(name__in=names, repository__in=inside.matching(path) if path else inside)
        .with_manifests()
        .select_related("repository__registry")
        .order_by("name", "repository_id")
    )
    rows = list(found[: limit + 1])
    closeness = {name: at for at, name in enumerate(names)}
    return Group.cut(sorted(rows, key=lambda tag: closeness[tag.name]), limit)


def _artifacts(inside: RepositoryQuerySet, text: str, limit: int) -> Group[Artifact]:
    # Of a whole reference, "team/app:1.0@sha256:…", the digest is what counts.
    digest = text.rpartition("@")[2].lower()
    if not _DIGEST_START.fullmatch(digest):
        return Group()
    found = (
        Artifact.objects.present()
        .of_digest(digest)
        .filter(repository__in=inside)
        .with_manifests()
        .select_related("repository__registry")
    )
    return Group.cut(list(found[: limit + 1]), limit)
