"""What a vendor's own listing says of tags and manifests, without anybody reading the documents.

An outline is a claim, not proof: its digest was not computed from any bytes. So it fills lists, and
gives way to the document as soon as that is read.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntFlag

from registries.oci import mediatypes
from registries.oci.descriptors import Child, Descriptor
from registries.oci.errors import RegistryError
from registries.oci.kinds import Kind, recognise
from registries.oci.reference import Digest


class Lock(IntFlag):
    """What the registry refuses to do with a repository, tag or manifest, until it is unlocked."""

    NONE = 0
    DELETE = 1
    WRITE = 2
    LIST = 4
    READ = 8


@dataclass(frozen=True, slots=True)
class RepositoryFacts:
    """What a listing says of a repository; None for what it does not say."""

    pull_count: int | None = None
    locks: Lock | None = None


@dataclass(frozen=True, slots=True)
class TagFacts:
    """What a listing says of a tag besides its digest; None for what it does not say."""

    pushed_at: datetime | None = None
    pulled_at: datetime | None = None
    locks: Lock | None = None


@dataclass(frozen=True, slots=True)
class Outline:
    """A manifest as a listing describes it.

    `total_size` is in compressed bytes, of an index with all its platforms. `own_size` is what it
    adds to its repository beside the other manifests listed there: 0 for an index whose platforms
    are listed, too, else the same (the default). `children` are there only if the listing names
    them; `platforms` may be known without. `pull_count` is the vendor's own count. `scan` is the
    number of vulnerabilities by severity, None if it was not scanned.
    """

    digest: Digest
    media_type: str = ""
    kind: Kind = Kind.IMAGE
    artifact_type: str = ""
    total_size: int = 0
    own_size: int | None = None
    os: str = ""
    architecture: str = ""
    variant: str = ""
    platforms: tuple[str, ...] = ()
    children: tuple[Child, ...] = ()
    subject: Digest | None = None
    created: datetime | None = None
    pushed_at: datetime | None = None
    pulled_at: datetime | None = None
    pull_count: int | None = None
    locks: Lock | None = None
    scan: Mapping[str, int] | None = None


@dataclass(frozen=True, slots=True)
class ManifestListing:
    """Manifests of a repository, as far as they came.

    A `complete` listing has every manifest that the repository holds, also those without a tag:
    what it does not name is gone. Otherwise `problem` says what cut it short, if anything did.
    """

    outlines: Mapping[Digest, Outline] = field(default_factory=dict)
    complete: bool = False
    problem: RegistryError | None = None


def kind_of(media_type: str, config_type: str = "", artifact_type: str = "") -> Kind:
    """Return what a manifest is, as far as the types that a listing names tell."""
    if not config_type and not artifact_type and not mediatypes.is_index(media_type):
        return Kind.IMAGE
    config = Descriptor(Digest(""), config_type) if config_type else None
    return recognise(media_type, artifact_type or None, config, (), {})
