"""Search over all registries one may see: repositories by path, tags by name, content by digest.

Four queries, however much there is to find; each group is cut short, and says so.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from django.contrib.auth.models import AnonymousUser
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from access.models import User
from access.policy import visible_repositories
from dashboard.browse.filters import clean
from registries.models import Artifact, Repository, Tag, TagName

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

    repositories: Group[Repository] = field(default_factory=Group)
    tags: Group[Tag] = field(default_factory=Group)
    artifacts: Group[Artifact] = field(default_factory=Group)

    @property
    def count(self) -> int:
        groups = (self.repositories, self.tags, self.artifacts)
        return sum(len(group.rows) for group in groups)

    @property
    def summary(self) -> str:
        """One sentence for who cannot see the list."""
        if any(group.more for group in (self.repositories, self.tags, self.artifacts)):
            return _("More than %d results") % self.count
        return ngettext("%d result", "%d results", self.count) % self.count


def search(user: User | AnonymousUser, text: str, *, limit: int) -> Found:
    """What a person may see of everything called so; at most `limit` of each kind.

    Raises FilterError for what nothing can be called. An empty text finds nothing.
    """
    text = clean(text)
    if not text:
        return Found()
    return Found(
        repositories=_repositories(user, text, limit),
        tags=_tags(user, text, limit),
        artifacts=_artifacts(user, text, limit),
    )


def _repositories(user: User | AnonymousUser, text: str, limit: int) -> Group[Repository]:
    path = text.removesuffix(":")
    found = visible_repositories(user).select_related("registry").present().matching(path)
    return Group.cut(list(found.order_by("path", "registry_id")[: limit + 1]), limit)


def _tags(user: User | AnonymousUser, text: str, limit: int) -> Group[Tag]:
    """Tags called so; `path:tag` looks for both."""
    path, _colon, name = text.rpartition(":")
    if not name or (path and _DIGEST_START.fullmatch(text)):
        return Group()
    names = TagName.objects.best_for(name, NAMES_TRIED)
    if not names:
        return Group()
    inside = visible_repositories(user).present()
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


def _artifacts(user: User | AnonymousUser, text: str, limit: int) -> Group[Artifact]:
    # What people paste is often the whole reference: "team/app@sha256:…".
    digest = text.rpartition("@")[2].lower()
    if not _DIGEST_START.fullmatch(digest):
        return Group()
    found = (
        Artifact.objects.present()
        .of_digest(digest)
        .filter(repository__in=visible_repositories(user).present())
        .with_manifests()
        .select_related("repository__registry")
    )
    return Group.cut(list(found[: limit + 1]), limit)
