"""What a page about one artifact shows, gathered with a constant number of queries."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Exists, OuterRef
from django.http import Http404
from django.utils.functional import cached_property
from django.utils.translation import gettext as _

from access.actions import Action
from access.policy import Someone, visible_repositories
from dashboard.browse.configs import Config
from dashboard.browse.layers import Layer, Step, align
from dashboard.browse.referrers import Referrer, referrers_of
from registries.models import (
    Artifact,
    ImageConfig,
    Manifest,
    ManifestChild,
    ManifestLayer,
    Repository,
    Tag,
)

USUAL_PLATFORM = "linux/amd64"
ALIASES_SHOWN = 50
PARENTS_SHOWN = 20
# How many images that hold a layer are asked for another repository: most base layers show in the
# first, and a layer that one repository holds ten thousand times must not take a second.
HOLDERS_ASKED = 200
RAW_SHOWN = 512 * 1024


@dataclass(frozen=True, slots=True)
class Platform:
    """An entry of an index; `artifact` is None where this repository does not hold it."""

    child: ManifestChild
    artifact: Artifact | None
    is_chosen: bool

    @property
    def name(self) -> str:
        return self.child.platform or self.child.digest[:19]

    @property
    def manifest(self) -> Manifest | None:
        return self.artifact.manifest if self.artifact else None


def get_artifact_or_404(repository: Repository, digest: str) -> Artifact:
    """The artifact of this repository; what other repositories hold is not there."""
    found = (
        Artifact.objects.select_related("manifest")
        .filter(repository=repository, manifest__digest=digest)
        .first()
    )
    if found is None:
        raise Http404(_("There is nothing of this digest in the repository."))
    return found


def get_tag_or_404(repository: Repository, name: str) -> Tag:
    """The tag with what it points at."""
    found = (
        Tag.objects.select_related("artifact__manifest")
        .filter(repository=repository, name=name)
        .first()
    )
    if found is None:
        raise Http404(_("There is no tag of this name in the repository."))
    return found


class ImagePage:
    """An artifact as its page shows it. An index is shown with one of its platforms opened."""

    def __init__(
        self,
        user: Someone,
        repository: Repository,
        artifact: Artifact,
        platform: str = "",
    ) -> None:
        self._user = user
        self.repository = repository
        self.artifact = artifact
        self.manifest = artifact.manifest
        self._asked_platform = platform

    @property
    def is_index(self) -> bool:
        return self.manifest.kind == Manifest.Kind.INDEX

    @property
    def is_proved(self) -> bool:
        """Whether this repository has served the document; of a listing's claim, nothing that
        another repository's document says is shown."""
        return self.artifact.details != Artifact.Details.LISTED

    @cached_property
    def _children(self) -> list[ManifestChild]:
        if not self.is_index or not (self.is_proved or self.manifest.raw is None):
            return []
        return list(self.manifest.children.all())

    @cached_property
    def attestation_count(self) -> int:
        return sum(1 for child in self._children if child.attests)

    @cached_property
    def platforms(self) -> list[Platform]:
        """The platforms of an index, in its order, attestations left out."""
        children = [child for child in self._children if not child.attests]
        held = _held_by(self.repository, [child.digest for child in children])
        wanted = self._chosen(children)
        return [
            Platform(child, held.get(child.digest), is_chosen=child is wanted) for child in children
        ]

    def _chosen(self, children: Sequence[ManifestChild]) -> ManifestChild | None:
        for name in (self._asked_platform, USUAL_PLATFORM):
            for child in children:
                if name and name in (child.platform, child.digest):
                    return child
        return children[0] if children else None

    @cached_property
    def platform(self) -> Platform | None:
        """The platform of an index whose layers and config are shown."""
        return next((platform for platform in self.platforms if platform.is_chosen), None)

    @property
    def _shown_artifact(self) -> Artifact | None:
        if not self.is_index:
            return self.artifact
        return self.platform.artifact if self.platform else None

    @property
    def shown(self) -> Manifest | None:
        """The manifest whose layers and config are shown; None if the repository has it not."""
        return self._shown_artifact.manifest if self._shown_artifact else None

    @property
    def is_read(self) -> bool:
        """Whether what is shown was read from this repository, and not only listed there."""
        shown = self._shown_artifact
        return shown is None or shown.details != Artifact.Details.LISTED

    @cached_property
    def config(self) -> Config | None:
        """The image's config; None where there is none, or it has not been read from here.

        A manifest may name the config of somebody else's image: only a repository that has served
        it shows it.
        """
        artifact = self._shown_artifact
        if artifact is None or artifact.details != Artifact.Details.COMPLETE:
            return None
        if artifact.manifest.kind != Manifest.Kind.IMAGE:
            return None
        found = ImageConfig.objects.filter(digest=artifact.manifest.config_digest).first()
        return Config.read(found.data) if found else None

    @cached_property
    def layers(self) -> list[Layer]:
        artifact = self._shown_artifact
        if artifact is None or artifact.details == Artifact.Details.LISTED:
            return []
        return layers_of(self._user, self.repository, artifact.manifest)

    @cached_property
    def steps(self) -> list[Step]:
        """Layers with the build steps that made them, and the steps between that made none."""
        return align(self.layers, self.config.history if self.config else ())

    @cached_property
    def aliases(self) -> list[str]:
        """Every name that points at this now."""
        tags = Tag.objects.filter(artifact=self.artifact).order_by("-dated_at", "-id")
        return list(tags.values_list("name", flat=True)[: ALIASES_SHOWN + 1])

    @cached_property
    def parents(self) -> list[Manifest]:
        """Indexes of this repository that hold this manifest: they break if it is deleted."""
        holders = ManifestChild.objects.filter(digest=self.manifest.digest).values("parent")
        return list(
            Manifest.objects.filter(id__in=holders, artifacts__repository=self.repository).defer(
                "raw", "annotations"
            )[:PARENTS_SHOWN]
        )

    @cached_property
    def referrers(self) -> list[Referrer]:
        """Signatures, SBOMs, attestations and whatever else is about this."""
        if self.is_index:
            beside = [child for child in self._children if child.attests]
        elif self.parents:
            beside = list(
                ManifestChild.objects.filter(parent__in=self.parents, attests=self.manifest.digest)
            )
        else:
            beside = []
        return referrers_of(self.repository, self.manifest.digest, beside)

    @cached_property
    def raw(self) -> str:
        """The manifest's own text, indented for reading; the download has the very bytes."""
        raw = self.manifest.document if self.is_proved else b""
        if len(raw) > RAW_SHOWN:
            return ""
        try:
            return json.dumps(json.loads(raw), indent=2, ensure_ascii=False)
        except ValueError:
            return raw.decode("utf-8", "replace")


def layers_of(user: Someone, repository: Repository, manifest: Manifest) -> list[Layer]:
    """The layers from the base up; `is_shared` where another repository one may look into holds it."""
    holders = ManifestLayer.objects.filter(blob=OuterRef(OuterRef("blob")))
    # Without an order: sorting would read all holders of a base layer to keep a few.
    some = holders.order_by().values("manifest")[:HOLDERS_ASKED]
    elsewhere = (
        Artifact.objects.filter(manifest__in=some)
        .filter(repository__in=visible_repositories(user, Action.CONTENT_READ))
        .exclude(repository=repository)
    )
    rows = manifest.layers.select_related("blob").annotate(shared=Exists(elsewhere))
    return [
        Layer(row.blob.digest, row.blob.size, row.media_type, is_shared=row.shared) for row in rows
    ]


def _held_by(repository: Repository, digests: Sequence[str]) -> dict[str, Artifact]:
    if not digests:
        return {}
    held = Artifact.objects.filter(repository=repository, manifest__digest__in=digests)
    return {artifact.manifest.digest: artifact for artifact in held.with_manifests()}
