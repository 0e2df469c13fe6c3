"""Where a digest is: repositories, tags, the indexes that hold it, and what refers to it.

All of it is looked for in what one may look into: an index that one does not see holds nothing, and
what that lies in is not found by way of it. A dozen statements, however many places there are.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.db.models import Count, Exists, F, Model, OuterRef, Q, QuerySet, Window
from django.db.models.functions import RowNumber
from django.http import Http404
from django.utils.functional import cached_property
from django.utils.translation import gettext as _

from access.actions import Action
from access.policy import Someone, visible_repositories
from dashboard.browse.referrers import COSIGN_KINDS
from dashboard.pagination import CappedCount
from registries.models import Artifact, Manifest, ManifestChild, Registry, Tag, TagMove
from registries.models.artifacts import ArtifactQuerySet
from registries.oci.reference import Digest, referrers_tag

# Of each registry, and of each other list: more are on a page of their own.
PLACES_SHOWN = 10
ROWS_SHOWN = 20
TAGS_SHOWN = 6
CHILDREN_SHOWN = 100
# Indexes hold indexes that hold images; what goes deeper is a joke, or an attack.
LEVELS = 3
# A base image may be in very many indexes; so many of a level are shown and looked through.
INDEXES_FOLLOWED = 1000

M = TypeVar("M", bound=Model)


@dataclass(frozen=True, slots=True)
class Place:
    """A manifest in a repository, with the newest of the tags that point at it there."""

    artifact: Artifact
    tags: Sequence[str] = ()
    tag_count: int = 0
    # How far above the digest in question its index is; 1 for whatever is no index of indexes.
    level: int = 1

    @property
    def more_tags(self) -> int:
        return self.tag_count - len(self.tags)


@dataclass(frozen=True, slots=True)
class InRegistry:
    """The first places in one registry, and how many there are."""

    registry: Registry
    places: Sequence[Place]
    count: int

    @property
    def more(self) -> int:
        return self.count - len(self.places)


@dataclass(frozen=True, slots=True)
class Cut(Generic[M]):
    """The first rows of a list, and how many there are; counted only where these are not all."""

    rows: Sequence[M]
    count: CappedCount

    @classmethod
    def of(cls, rows: QuerySet[M]) -> Cut[M]:
        found = list(rows[: ROWS_SHOWN + 1])
        if len(found) <= ROWS_SHOWN:
            return cls(found, CappedCount(len(found), capped=False))
        return cls(found[:ROWS_SHOWN], CappedCount.of(rows))

    @property
    def is_all(self) -> bool:
        return len(self.rows) == self.count.value and not self.count.capped


@dataclass(frozen=True, slots=True)
class Part:
    """An entry of an index; `is_held` says that it can be looked at somewhere, too."""

    child: ManifestChild
    is_held: bool


class Whereabouts:
    """Where one digest is, as far as one person may know.

    Raises Http404 where nothing that the person may look into holds it, or has held it.
    """

    def __init__(self, user: Someone, digest: str) -> None:
        self._inside = visible_repositories(user, Action.CONTENT_READ)
        anywhere = Artifact.objects.filter(manifest=OuterRef("pk"), repository__in=self._inside)
        found = Manifest.objects.filter(Exists(anywhere), digest=digest).defer("raw").first()
        if found is None:
            raise Http404(_("Nothing that you may look into holds this digest."))
        self.manifest = found

    # The lists, whole ---------------------------------------------------------------------------

    @property
    def held(self) -> ArtifactQuerySet:
        """Where it is now."""
        return self._present.filter(manifest=self.manifest)

    @property
    def gone(self) -> ArtifactQuerySet:
        """Where it was: the registry said that it has it no more, or not even the repository."""
        return Artifact.objects.filter(
            Q(missing_since__isnull=False) | Q(repository__missing_since__isnull=False),
            manifest=self.manifest,
            repository__in=self._inside,
        ).select_related("repository__registry", "manifest")

    @property
    def tags(self) -> QuerySet[Tag]:
        """Every tag that points at it."""
        return Tag.objects.filter(artifact__in=self.held).select_related("repository__registry")

    @property
    def indexes(self) -> ArtifactQuerySet:
        """Where the indexes are that hold it, also by way of another one."""
        return self._present.filter(manifest__in=list(self.levels))

    @property
    def referrers(self) -> ArtifactQuerySet:
        """Where signatures, SBOMs and attestations of it are, however they are attached."""
        fallback = referrers_tag(Digest(self.manifest.digest))
        signed = [f"{fallback}.{suffix}" for suffix in COSIGN_KINDS]
        listing = Tag.objects.filter(name=fallback, repository__in=self._inside)
        listed = ManifestChild.objects.filter(parent__in=listing.values("artifact__manifest"))
        beside = ManifestChild.objects.filter(
            parent__in=[pk for pk, level in self.levels.items() if level == 1],
            attests=self.manifest.digest,
        )
        here = Artifact.objects.present().order_by()
        # A union, and no "or": each of them has its index.
        any_way = here.filter(manifest__subject_digest=self.manifest.digest).values("pk")
        any_way = any_way.union(
            here.filter(tags__name__in=signed).values("pk"),
            here.filter(manifest__digest__in=listed.values("digest")).values("pk"),
            here.filter(manifest__digest__in=beside.values("digest")).values("pk"),
        )
        return self._present.filter(pk__in=any_way)

    @property
    def left(self) -> QuerySet[TagMove]:
        """Tags that pointed at it before and moved on, or went."""
        return TagMove.objects.filter(
            old_digest=self.manifest.digest, repository__in=self._inside
        ).select_related("repository__registry")

    @property
    def _present(self) -> ArtifactQuerySet:
        return (
            Artifact.objects.present()
            .filter(repository__in=self._inside.present())
            .select_related("repository__registry", "manifest")
            .defer("manifest__raw", "manifest__annotations")
        )

    @cached_property
    def levels(self) -> dict[int, int]:
        """Index's id -> how far above it is: 1 holds it, 2 holds an index that does."""
        seen = Artifact.objects.present().filter(
            manifest=OuterRef("pk"), repository__in=self._inside.present()
        )
        found: dict[int, int] = {}
        below = [self.manifest.digest]
        for level in range(1, LEVELS + 1):
            parents = ManifestChild.objects.filter(digest__in=below).values("parent")
            rows = Manifest.objects.filter(Exists(seen), pk__in=parents).exclude(pk__in=list(found))
            above = list(rows.values_list("pk", "digest")[:INDEXES_FOLLOWED])
            if not above:
                break
            found |= {pk: level for pk, _digest in above}
            below = [digest for _pk, digest in above]
        return found

    # What the page shows of them ----------------------------------------------------------------

    @cached_property
    def by_registry(self) -> list[InRegistry]:
        """The first places of each registry, by its name."""
        registry = F("repository__registry")
        numbered = self.held.annotate(
            number=Window(RowNumber(), partition_by=registry, order_by="repository__path"),
            here=Window(Count("*"), partition_by=registry),
        ).filter(number__lte=PLACES_SHOWN)
        counts = dict(numbered.values_list("pk", "here"))
        rows = self._present.filter(pk__in=list(counts))
        groups: dict[Registry, list[Place]] = {}
        for place in placed(rows.order_by("repository__registry__name", "repository__path")):
            groups.setdefault(place.artifact.repository.registry, []).append(place)
        return [
            InRegistry(registry, places, counts[places[0].artifact.pk])
            for registry, places in groups.items()
        ]

    @cached_property
    def parts(self) -> list[Part]:
        """What it holds itself, if it is an index."""
        children = list(self.manifest.children.all()[:CHILDREN_SHOWN])
        if not children:
            return []
        here = self._present.filter(manifest__digest=OuterRef("digest"))
        held = set(
            Manifest.objects.filter(
                Exists(here), digest__in=[child.digest for child in children]
            ).values_list("digest", flat=True)
        )
        return [Part(child, child.digest in held) for child in children]


def placed(artifacts: Iterable[Artifact], levels: Mapping[int, int] | None = None) -> list[Place]:
    """Each with the newest tags that point at it, by one statement for all."""
    rows = list(artifacts)
    names: dict[int, list[str]] = {}
    counts: dict[int, int] = {}
    of = F("artifact")
    tags = Tag.objects.filter(artifact__in=[row.pk for row in rows]).annotate(
        number=Window(
            RowNumber(), partition_by=of, order_by=[F("dated_at").desc(), F("id").desc()]
        ),
        here=Window(Count("*"), partition_by=of),
    )
    newest = tags.filter(number__lte=TAGS_SHOWN).order_by("artifact_id", "number")
    for artifact, name, here in newest.values_list("artifact_id", "name", "here"):
        names.setdefault(artifact, []).append(name)
        counts[artifact] = here
    levels = levels or {}
    return [
        Place(
            row, names.get(row.pk, ()), counts.get(row.pk, 0), level=levels.get(row.manifest_id, 1)
        )
        for row in rows
    ]


def beginning_with(user: Someone, start: str, limit: int) -> list[Manifest]:
    """The digests that begin so, of what one may look into; without an algorithm, of either one."""
    starts = [start] if ":" in start else [f"sha256:{start}", f"sha512:{start}"]
    begins = Q()
    for text in starts:
        begins |= Q(digest__startswith=text)
    anywhere = Artifact.objects.filter(
        manifest=OuterRef("pk"), repository__in=visible_repositories(user, Action.CONTENT_READ)
    )
    found = Manifest.objects.filter(begins, Exists(anywhere)).defer("raw", "annotations")
    return list(found.order_by("digest")[:limit])


def narrowed(rows: QuerySet[Any], registry: str, repository: str) -> QuerySet[Any]:
    """Those rows that lie in this registry, or in this repository of it."""
    if registry:
        rows = rows.filter(repository__registry__name=registry)
    return rows.filter(repository__path=repository) if repository else rows
