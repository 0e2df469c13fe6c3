"""What goes with an image that is deleted, as far as Portolan knows: tags, indexes, signatures.

Asked before anything is deleted, by whoever shows it and once more by the action itself.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256

from django.db.models import F

from registries.models import Artifact, Manifest, ManifestChild, Tag
from registries.models.artifacts import ArtifactQuerySet
from registries.models.tags import TagQuerySet
from registries.oci.outlines import Lock
from registries.oci.reference import Digest, referrers_tag

# So many of each are named; an image with more of them is counted by this many and "more".
NAMED = 100


@dataclass(frozen=True, slots=True)
class Consequences:
    """`tags` go with it. `indexes` (digests) would lack a platform. `referrers` (digests) are about
    it and left behind, unless the registry takes them along; `referring_tags` name such.
    `platforms` is how many manifests of an index stay without it. All of one repository.

    `locked` names what forbids it, as far as the registry told: tags, `@` the image, `` the repository.
    `every_tag` and `every_index` are all of them, however many.
    """

    tags: tuple[str, ...] = ()
    tag_count: int = 0
    indexes: tuple[str, ...] = ()
    referrers: tuple[str, ...] = ()
    referring_tags: tuple[str, ...] = ()
    platforms: int = 0
    locked: tuple[str, ...] = ()
    every_tag: frozenset[str] = frozenset()
    every_index: frozenset[str] = frozenset()

    @property
    def seal(self) -> str:
        """What stands for exactly these tags and indexes, for whoever confirms that they go or break."""
        return f"{_sealed(self.every_tag)}-{_sealed(self.every_index)}"

    @property
    def attached(self) -> int:
        """How many signatures, SBOMs and the like are about it."""
        return len(self.referrers) + len(self.referring_tags)


def consequences_of(artifact: Artifact) -> Consequences:
    """What goes with an artifact of a repository; six queries at most, whatever there is."""
    digest = artifact.manifest.digest
    here = artifact.repository_id
    tags = Tag.objects.filter(artifact=artifact)
    names = tuple(tags.order_by("version_key", "pk").values_list("name", flat=True))
    present = Artifact.objects.present().filter(repository=here)
    holders = ManifestChild.objects.filter(digest=digest).values("parent")
    fallback = referrers_tag(Digest(digest))
    referring = [fallback, *(f"{fallback}.{suffix}" for suffix in ("sig", "att", "sbom"))]
    indexes = _digests(present.filter(manifest__in=holders))
    return Consequences(
        tags=names[:NAMED],
        tag_count=len(names),
        indexes=indexes[:NAMED],
        referrers=_digests(present.filter(manifest__subject_digest=digest))[:NAMED],
        referring_tags=tuple(
            Tag.objects.filter(repository=here, name__in=referring)
            .order_by("name")
            .values_list("name", flat=True)
        ),
        platforms=_platforms(artifact),
        locked=_locked(artifact, tags),
        every_tag=frozenset(names),
        every_index=frozenset(indexes),
    )


def _sealed(names: Iterable[str]) -> str:
    # Neither tags nor digests have a line break in them.
    return sha256("\n".join(sorted(names)).encode()).hexdigest()[:32]


def _locked(artifact: Artifact, tags: TagQuerySet) -> tuple[str, ...]:
    held = tags.annotate(held=F("locks").bitand(int(Lock.DELETE))).filter(held__gt=0)
    names = list(held.order_by("version_key", "pk").values_list("name", flat=True)[:NAMED])
    if artifact.locks & Lock.DELETE:
        names.append("@")
    if artifact.repository.locks & Lock.DELETE:
        names.append("")
    return tuple(names)


def _digests(found: ArtifactQuerySet) -> tuple[str, ...]:
    return tuple(found.order_by("pk").values_list("manifest__digest", flat=True))


def _platforms(artifact: Artifact) -> int:
    if artifact.manifest.kind != Manifest.Kind.INDEX:
        return 0
    children = artifact.manifest.children.values("digest")
    present = Artifact.objects.present().filter(repository=artifact.repository_id)
    return present.filter(manifest__digest__in=children).count()
