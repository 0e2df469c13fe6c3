"""What readers hand to writers: values, so that network and database meet only in run.py."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from registries.oci.configs import ImageConfig
from registries.oci.documents import Manifest
from registries.oci.errors import RegistryError
from registries.oci.listings import TagListing
from registries.oci.outlines import ManifestListing, Outline, RepositoryFacts, TagFacts
from registries.oci.reference import Digest


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that could not be read: what is wrong, and what to do about it."""

    repository: str
    reference: str
    code: str
    message: str
    advice: str

    @classmethod
    def of(cls, error: RegistryError, repository: str = "", reference: str = "") -> Problem:
        return cls(repository, reference, error.code, str(error), error.advice)


@dataclass(frozen=True, slots=True)
class Listing:
    """A repository's tag list as it was at `at`; no list means that it answered 404."""

    path: str
    at: datetime
    tags: TagListing | None
    problems: tuple[Problem, ...] = ()
    manifests: ManifestListing = field(default_factory=ManifestListing)
    repository: RepositoryFacts | None = None

    @property
    def failed(self) -> bool:
        """Neither names nor a clear "not there": nothing is known."""
        return bool(self.problems) and not (self.tags and self.tags.names)

    @property
    def absent(self) -> bool:
        return self.tags is None and not self.problems


@dataclass(frozen=True, slots=True)
class Known:
    """What we hold of a listed repository: its tags' digests, and which of the digests that its
    listing tells we have there. `is_new` is one that was never read whole."""

    tags: Mapping[str, Digest] = field(default_factory=dict)
    digests: frozenset[Digest] = frozenset()
    is_new: bool = True

    def undescribed(self, listing: TagListing, *, full: bool) -> frozenset[Digest] | None:
        """Digests that a listing of manifests is to describe; None for all of them."""
        if full or self.is_new:
            return None
        news = {
            digest
            for tag, digest in listing.digests.items()
            if self.tags.get(tag) != digest and digest not in listing.manifests.outlines
        }
        return frozenset(news - self.digests)


@dataclass(frozen=True, slots=True)
class TagSlice:
    """Some tags of one repository to be read; a big repository is cut into several slices."""

    path: str
    at: datetime
    ours: Mapping[str, Digest]
    ask: tuple[str, ...] = ()
    read: tuple[str, ...] = ()
    told: Mapping[str, Digest] = field(default_factory=dict)
    # Told by the listing, too, and what they point at is described or known: nothing is fetched.
    listed: Mapping[str, Digest] = field(default_factory=dict)
    outlines: tuple[Outline, ...] = ()
    facts: Mapping[str, TagFacts] = field(default_factory=dict)
    repository: RepositoryFacts | None = None
    # All manifests that the repository holds, where a complete listing told so.
    holds: frozenset[Digest] | None = None
    removed: tuple[str, ...] = ()
    # Manifests without a tag: said to be gone, and said to be new.
    look: tuple[Digest, ...] = ()
    untagged: tuple[Digest, ...] = ()
    # On the last slice: the whole repository has then been read, as far as its listing went.
    is_last: bool = True
    is_complete: bool = True
    problems: tuple[Problem, ...] = ()

    @property
    def requests(self) -> int:
        tagged = len(self.ask) + len(self.read) + len(self.told) + len(self.removed)
        return tagged + len(self.look) + len(self.untagged) + 1


@dataclass(slots=True)
class TagReading:
    """What a slice turned out to be."""

    slice: TagSlice
    tags: dict[str, Digest] = field(default_factory=dict)
    manifests: dict[Digest, Manifest] = field(default_factory=dict)
    # Digests that a tag left and that the registry no longer has.
    absent: set[Digest] = field(default_factory=set)
    problems: list[Problem] = field(default_factory=list)

    @property
    def is_news(self) -> bool:
        """Whether anything differs from what we hold."""
        ours = self.slice.ours
        return bool(self.manifests or self.absent or self.slice.removed) or any(
            ours.get(tag) != digest for tag, digest in self.tags.items()
        )

    @property
    def is_worth_applying(self) -> bool:
        """Not of a repository that we do not know, and in which nothing was found."""
        return self.is_news or self.slice.is_last or bool(self.slice.ours)

    @property
    def is_whole(self) -> bool:
        """Whether this ends a reading of the repository in which nothing was left out."""
        return self.slice.is_last and self.slice.is_complete and not self.problems


@dataclass(frozen=True, slots=True)
class Pending:
    """An artifact, and what it refers to (or is referred to by) that is still to be read."""

    artifact_id: int
    is_index: bool
    digest: Digest
    path: str
    children: tuple[Digest, ...] = ()
    config: Digest | None = None
    config_size: int = 0
    # What itself refers to something is not asked about: a registry could make up such a chain
    # without end.
    may_have_referrers: bool = False

    @property
    def refers(self) -> bool:
        """Whether it is itself made of more than its manifest."""
        return self.is_index or self.config is not None


@dataclass(slots=True)
class DetailReading:
    """What pending artifacts refer to, by repository, and what the registry does not have."""

    manifests: list[tuple[str, Manifest]] = field(default_factory=list)
    configs: dict[Digest, ImageConfig] = field(default_factory=dict)
    unavailable: set[int] = field(default_factory=set)
    # Those of which something failed for now: they stay pending.
    unsettled: set[int] = field(default_factory=set)
    problems: list[Problem] = field(default_factory=list)
