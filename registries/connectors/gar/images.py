"""Google's two listings of images, as tags and outlines.

`dockerImages` of its API holds a whole repository with all its images; `tags/list` of the registry
holds one image, with a map of manifests that the standard does not have. Fields: cloud.google.com,
Artifact Registry API, "DockerImage"; google/go-containerregistry pkg/v1/google/list.go.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from sys import intern
from typing import Any
from urllib.parse import unquote

from registries.oci import mediatypes, untrusted
from registries.oci.errors import RegistryError
from registries.oci.kinds import Kind
from registries.oci.listings import TagListing
from registries.oci.outlines import ManifestListing, Outline, TagFacts, kind_of
from registries.oci.reference import Digest, is_digest, is_tag
from registries.oci.transport import Stats


class GoogleListing:
    """The tags and manifests of one image, as they come in."""

    def __init__(self) -> None:
        self._names: dict[str, None] = {}
        self._digests: dict[str, Digest] = {}
        self._facts: dict[str, TagFacts] = {}
        self._outlines: dict[Digest, Outline] = {}
        # Whether all that came said what the names point at, too.
        self._told_all = True
        self.invalid = 0

    @property
    def names(self) -> tuple[str, ...]:
        """The tags so far."""
        return tuple(self._names)

    def tags_of(self, digest: str) -> list[str]:
        """Return the tags that point at a manifest."""
        return [tag for tag, pointed in self._digests.items() if pointed == digest]

    def indexes_near(self, digest: str) -> list[Digest]:
        """Return the indexes, those first that were uploaded next to a manifest: they may hold it."""
        at = _uploaded(self._outlines.get(Digest(digest)))
        indexes = (one for one in self._outlines.values() if one.kind == Kind.INDEX)
        return [one.digest for one in sorted(indexes, key=lambda one: abs(_uploaded(one) - at))]

    def add(self, outline: Outline, tags: object) -> None:
        """Take a manifest with its tags."""
        self._outlines[outline.digest] = outline
        facts = TagFacts(outline.pushed_at)
        for tag in untrusted.texts(tags):
            if self._is_named(tag):
                self._digests[tag] = outline.digest
                self._facts[tag] = facts

    def add_tag_page(self, document: Mapping[str, Any]) -> None:
        """Take a page of `tags/list`."""
        named = document.get("tags")
        for tag in named if isinstance(named, list) else ():
            self._is_named(tag)
        manifests = document.get("manifest")
        self._told_all = self._told_all and isinstance(manifests, dict)
        for digest, told in untrusted.mapping(manifests).items():
            if is_digest(digest):
                entry = untrusted.mapping(told)
                self.add(read_manifest(Digest(digest), entry), entry.get("tag"))
            else:
                self.invalid += 1

    def result(self, stats: Stats, problem: RegistryError | None = None) -> TagListing:
        """Return what came, whole unless there was a problem; counts names that cannot be."""
        stats.invalid_names += self.invalid
        return TagListing(
            self.names,
            complete=problem is None,
            problem=problem,
            digests=self._digests,
            facts=self._facts,
            manifests=ManifestListing(
                self._outlines, complete=problem is None and self._told_all, problem=problem
            ),
        )

    def _is_named(self, tag: object) -> bool:
        if not isinstance(tag, str) or not is_tag(tag):
            self.invalid += 1
            return False
        self._names[tag] = None
        return True


def _uploaded(outline: Outline | None) -> float:
    return outline.pushed_at.timestamp() if outline and outline.pushed_at else 0.0


def read_docker_image(entry: Mapping[str, Any]) -> tuple[str, Outline] | None:
    """Return the image's name within its repository and an outline, None for no usable name.

    `name` ends in `/dockerImages/nginx@sha256:…`.
    """
    _, _, reference = (untrusted.text(entry.get("name")) or "").partition("/dockerImages/")
    image, _, digest = unquote(reference).rpartition("@")
    if not image or not is_digest(digest):
        return None
    outline = _outline(
        Digest(digest),
        entry,
        pushed_at=untrusted.moment(entry.get("uploadTime")),
        created=untrusted.moment(entry.get("buildTime")),
    )
    return image, outline


def read_manifest(digest: Digest, entry: Mapping[str, Any]) -> Outline:
    """Return what the map in `tags/list` says of a manifest; its times are in milliseconds."""
    return _outline(
        digest,
        entry,
        pushed_at=_milliseconds(entry.get("timeUploadedMs")),
        created=_milliseconds(entry.get("timeCreatedMs")),
    )


def _outline(
    digest: Digest,
    entry: Mapping[str, Any],
    *,
    pushed_at: datetime | None,
    created: datetime | None,
) -> Outline:
    media_type = intern(untrusted.text(entry.get("mediaType")) or "")
    artifact_type = intern(untrusted.text(entry.get("artifactType")) or "")
    # Where a manifest declares none, Google may name the type of its config, or its own.
    if artifact_type == media_type or artifact_type in mediatypes.IMAGE_CONFIG_TYPES:
        artifact_type = ""
    return Outline(
        digest,
        media_type,
        kind_of(media_type, artifact_type),
        artifact_type,
        total_size=_number(entry.get("imageSizeBytes")) or 0,
        # The platforms of an index are listed as images of their own.
        own_size=0 if mediatypes.is_index(media_type) else None,
        platforms=_platforms(entry.get("imageManifests")),
        pushed_at=pushed_at,
        created=created,
    )


def _platforms(manifests: object) -> tuple[str, ...]:
    found = (
        "/".join(
            part
            for name in ("os", "architecture", "variant")
            if (part := untrusted.text(manifest.get(name)))
        )
        for manifest in untrusted.objects(manifests)
    )
    return tuple(dict.fromkeys(platform for platform in found if platform))


def _number(value: object) -> int | None:
    """Return a number as Google's JSON writes large ones: as a text."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 20:
        value = int(value)
    return untrusted.size(value)


def _milliseconds(value: object) -> datetime | None:
    milliseconds = _number(value)
    if milliseconds is None:
        return None
    try:
        return untrusted.moment(datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat())
    except (ValueError, OverflowError, OSError):
        return None
