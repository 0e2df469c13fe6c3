"""What hangs on an image: signatures, SBOMs, attestations, however their tools attached them.

Four ways are in use: the manifest names its subject (OCI 1.1), cosign's tags `sha256-<hex>.sig`, the
fallback tag `sha256-<hex>` of registries without the referrers API, and BuildKit's entries beside a
platform in its index. All are looked for in this repository alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from registries.models import Manifest, ManifestChild, Repository, Tag
from registries.oci.reference import Digest, referrers_tag

COSIGN_KINDS = {
    "sig": Manifest.Kind.SIGNATURE,
    "att": Manifest.Kind.ATTESTATION,
    "sbom": Manifest.Kind.SBOM,
}
WAYS = {
    "subject": _("names this as its subject"),
    "cosign": _("by cosign’s tag"),
    "fallback": _("by the fallback tag"),
    "buildkit": _("beside it in its index"),
}
# An image with more referrers than this is signed by a machine that has gone wild.
MOST = 100


@dataclass(frozen=True, slots=True)
class Referrer:
    """Something about an image; `created` is what its maker says."""

    digest: str
    kind: str
    artifact_type: str
    size: int | None
    created: datetime | None
    way: str

    @property
    def kind_label(self) -> str:
        return str(Manifest.Kind(self.kind).label)

    @property
    def way_label(self) -> str:
        return str(WAYS[self.way])


def referrers_of(
    repository: Repository, digest: str, beside: Iterable[ManifestChild] = ()
) -> list[Referrer]:
    """What is attached to the manifest; `beside` are entries of indexes that attest something of it.

    Four queries at most, and two where nothing is. Each digest once, kinds together.
    """
    attached = [*_by_subject(repository, digest), *_by_tags_or_index(repository, digest, beside)]
    once: dict[str, Referrer] = {}
    for referrer in attached:
        once.setdefault(referrer.digest, referrer)
    return sorted(once.values(), key=lambda referrer: (referrer.kind, referrer.digest))


def _by_subject(repository: Repository, digest: str) -> list[Referrer]:
    found = _held(repository).filter(subject_digest=digest)[:MOST]
    return [_of_manifest(manifest, "subject") for manifest in found]


def _by_tags_or_index(
    repository: Repository, digest: str, beside: Iterable[ManifestChild]
) -> list[Referrer]:
    fallback = referrers_tag(Digest(digest))
    names = {fallback: "", **{f"{fallback}.{suffix}": suffix for suffix in COSIGN_KINDS}}
    found: list[Referrer] = []
    listed: list[int] = []
    tags = Tag.objects.filter(repository=repository, name__in=names).only("name", "artifact")
    for tag in tags.with_manifests():
        manifest = tag.artifact.manifest
        if suffix := names[tag.name]:
            found.append(_of_manifest(manifest, "cosign", COSIGN_KINDS[suffix]))
        else:
            listed.append(manifest.pk)
    children = ManifestChild.objects.filter(parent__in=listed)[:MOST] if listed else ()
    entries = dict.fromkeys(children, "fallback") | dict.fromkeys(beside, "buildkit")
    return found + _of_children(repository, entries) if entries else found


def _of_children(repository: Repository, entries: Mapping[ManifestChild, str]) -> list[Referrer]:
    digests = [child.digest for child in entries]
    known = {it.digest: it for it in _held(repository).filter(digest__in=digests)}
    return [
        _of_manifest(known[child.digest], way) if child.digest in known else _of_entry(child, way)
        for child, way in entries.items()
    ]


def _held(repository: Repository) -> QuerySet[Manifest]:
    """The manifests that the repository has, with what is told of those attached to something."""
    held = Manifest.objects.filter(
        artifacts__repository=repository, artifacts__missing_since__isnull=True
    )
    return held.only("digest", "kind", "artifact_type", "media_type", "total_size", "created")


def _of_entry(child: ManifestChild, way: str) -> Referrer:
    """What an index says of something that has not been read."""
    kind = Manifest.Kind.ATTESTATION if way == "buildkit" else Manifest.Kind.ARTIFACT
    return Referrer(child.digest, kind, child.artifact_type or child.media_type, None, None, way)


def _of_manifest(manifest: Manifest, way: str, kind: str = "") -> Referrer:
    return Referrer(
        digest=manifest.digest,
        kind=kind or manifest.kind,
        artifact_type=manifest.artifact_type or manifest.media_type,
        size=manifest.total_size,
        created=manifest.created,
        way=way,
    )
