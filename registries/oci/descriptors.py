"""Descriptors: how one document names another, by type, digest and size.

OCI Image specification 1.1, "Content Descriptors" and "Image Index".
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from registries.oci import mediatypes, untrusted
from registries.oci.errors import InvalidDocument
from registries.oci.reference import Digest, is_digest

REFERENCE_TYPE = "vnd.docker.reference.type"
REFERENCE_DIGEST = "vnd.docker.reference.digest"
ATTESTATION = "attestation-manifest"

_PLATFORM_FIELDS = (
    ("os", "os"),
    ("architecture", "architecture"),
    ("variant", "variant"),
    ("os_version", "os.version"),
)

# Foreign layers live elsewhere: the registry holds no bytes for them, and their URLs are never
# followed (containerd CVE-2020-15157).
_FOREIGN = frozenset(
    {
        "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
        "application/vnd.oci.image.layer.nondistributable.v1.tar",
        "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
        "application/vnd.oci.image.layer.nondistributable.v1.tar+zstd",
    }
)


@dataclass(frozen=True, slots=True)
class Descriptor:
    """Content named from within a document; `size` is in bytes, 0 where schema 1 does not say."""

    digest: Digest
    media_type: str = ""
    size: int = 0
    artifact_type: str | None = None
    annotations: dict[str, str] = field(default_factory=dict)

    @property
    def is_foreign(self) -> bool:
        """Whether the registry may hold no bytes for it."""
        return self.media_type in _FOREIGN


@dataclass(frozen=True, slots=True)
class Child(Descriptor):
    """A manifest listed in an index or among referrers.

    `attests` is the image a BuildKit attestation speaks about; such a child has no platform.
    """

    os: str | None = None
    architecture: str | None = None
    variant: str | None = None
    os_version: str | None = None
    attests: Digest | None = None

    @property
    def platform(self) -> str | None:
        """The platform as docker writes it, such as `linux/arm64/v8`; None without one."""
        parts = (self.os, self.architecture, self.variant)
        return "/".join(part for part in parts if part) or None


def parse_descriptor(value: object, what: str) -> Descriptor:
    """Return the descriptor in `value`, or raise `InvalidDocument` naming `what`."""
    return Descriptor(*_fields(value, what))


def parse_child(value: object) -> Child:
    """Return one entry of an index, or raise `InvalidDocument`."""
    fields = _fields(value, "manifest list entry")
    artifact_type, annotations = fields[3:]
    attests = None
    if annotations.get(REFERENCE_TYPE) == ATTESTATION:
        subject = annotations.get(REFERENCE_DIGEST)
        attests = Digest(subject) if subject is not None and is_digest(subject) else None
    elif artifact_type != mediatypes.DOCKER_ATTESTATION:
        return Child(*fields, **_platform(untrusted.mapping(value).get("platform")))
    return Child(*fields, attests=attests)


def parse_descriptors(value: object, what: str) -> Iterator[Descriptor]:
    """Return the descriptors of a list; Go writes an empty one as null."""
    return (parse_descriptor(item, what) for item in list_or_null(value, what))


def list_or_null(value: object, what: str) -> list[object]:
    """Return a list, an empty one for null, or raise `InvalidDocument` naming `what`."""
    if value is None:
        return []
    if not isinstance(value, list):
        raise InvalidDocument(f"The {what}s are not a list.")
    return value


def _fields(value: object, what: str) -> tuple[Digest, str, int, str | None, dict[str, str]]:
    """Return the fields of a descriptor in their order: a sync reads millions of them."""
    if not isinstance(value, dict):
        raise InvalidDocument(f"A {what} is not an object.")
    digest: Any = value.get("digest")
    if not is_digest(digest):
        raise InvalidDocument(f"A {what} has no valid digest.")
    size = untrusted.size(value.get("size"))
    if size is None:
        raise InvalidDocument(f"A {what} has no valid size.")
    annotations = value.get("annotations")
    artifact_type = value.get("artifactType")
    return (
        digest,
        untrusted.text(value.get("mediaType")) or "",
        size,
        untrusted.text(artifact_type) if artifact_type is not None else None,
        untrusted.text_map(annotations) if annotations is not None else {},
    )


def _platform(value: object) -> dict[str, Any]:
    """Return the platform's fields.

    `unknown/unknown` is BuildKit's way to say "not a platform", also on entries it did not mark.
    """
    platform = untrusted.mapping(value)
    return {
        name: None if (text := untrusted.text(platform.get(key))) == "unknown" else text
        for name, key in _PLATFORM_FIELDS
    }
