"""Amazon's listings of repositories and images, as tags and outlines.

Fields: Amazon ECR API Reference, "Repository" and "ImageDetail".
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from registries.oci import mediatypes, untrusted
from registries.oci.descriptors import Descriptor
from registries.oci.errors import RegistryError
from registries.oci.kinds import artifact_type_of
from registries.oci.listings import TagListing
from registries.oci.outlines import (
    Lock,
    ManifestListing,
    Outline,
    RepositoryFacts,
    TagFacts,
    kind_of,
)
from registries.oci.reference import Digest, is_digest, is_repository, is_tag
from registries.oci.transport import Stats


def read_repositories(
    page: Mapping[str, Any],
) -> tuple[list[str], dict[str, RepositoryFacts], int]:
    """Return the names on a page, what is said of them, and how many had a name none can have."""
    paths: list[str] = []
    facts: dict[str, RepositoryFacts] = {}
    invalid = 0
    for entry in untrusted.objects(page.get("repositories")):
        path = entry.get("repositoryName")
        if not isinstance(path, str) or not is_repository(path):
            invalid += 1
            continue
        # With exclusions some tags can be moved, and the listing does not say of any tag whether.
        immutable = entry.get("imageTagMutability") == "IMMUTABLE"
        paths.append(path)
        facts[path] = RepositoryFacts(locks=Lock.WRITE if immutable else Lock.NONE)
    return paths, facts, invalid


class ImageListing:
    """The images of a repository, page by page."""

    def __init__(self) -> None:
        self._digests: dict[str, Digest] = {}
        self._facts: dict[str, TagFacts] = {}
        self._outlines: dict[Digest, Outline] = {}
        self._invalid = 0

    def add(self, page: Mapping[str, Any]) -> None:
        """Take a page of `describe_images`."""
        for entry in untrusted.objects(page.get("imageDetails")):
            outline = read_image(entry)
            if outline is None:
                self._invalid += 1
                continue
            self._outlines[outline.digest] = outline
            facts = TagFacts(outline.pushed_at, outline.pulled_at)
            for tag in untrusted.texts(entry.get("imageTags")):
                if is_tag(tag):
                    self._digests[tag] = outline.digest
                    self._facts[tag] = facts
                else:
                    self._invalid += 1

    def result(self, stats: Stats, problem: RegistryError | None = None) -> TagListing:
        """Return what came, whole unless there was a problem; counts names that cannot be."""
        stats.invalid_names += self._invalid
        complete = problem is None
        return TagListing(
            tuple(self._digests),
            complete=complete,
            problem=problem,
            digests=self._digests,
            facts=self._facts,
            manifests=ManifestListing(self._outlines, complete=complete, problem=problem),
        )


def read_image(entry: Mapping[str, Any]) -> Outline | None:
    """Return what a listing says of an image, None without a digest that can be one.

    `imageSizeInBytes` of an index is its largest platform's; the platforms are listed, too.
    """
    digest = entry.get("imageDigest")
    if not isinstance(digest, str) or not is_digest(digest):
        return None
    media_type = untrusted.text(entry.get("imageManifestMediaType")) or ""
    config_type = untrusted.text(entry.get("artifactMediaType")) or ""
    config = Descriptor(Digest(""), config_type) if config_type else None
    subject = entry.get("subjectManifestDigest")
    return Outline(
        Digest(digest),
        media_type,
        kind_of(media_type, config_type),
        artifact_type_of(media_type, None, config) or "",
        total_size=untrusted.size(entry.get("imageSizeInBytes")) or 0,
        own_size=0 if mediatypes.is_index(media_type) else None,
        subject=Digest(subject) if isinstance(subject, str) and is_digest(subject) else None,
        pushed_at=_moment(entry.get("imagePushedAt")),
        pulled_at=_moment(entry.get("lastRecordedPullTime")),
        scan=_scan(entry.get("imageScanFindingsSummary")),
    )


def _scan(summary: object) -> dict[str, int] | None:
    """Return how many findings of each severity, None where no scan was finished.

    Amazon leaves the counts out where nothing was found, and shouts the names: `HIGH`.
    """
    if not isinstance(summary, dict):
        return None
    counts = untrusted.mapping(summary.get("findingSeverityCounts"))
    return {
        untrusted.scrub(severity).capitalize(): found
        for severity, count in counts.items()
        if (found := untrusted.size(count)) is not None
    }


def _moment(value: object) -> datetime | None:
    """Return a time in UTC: boto3 reads times into the machine's own zone."""
    if isinstance(value, datetime):
        value = value.astimezone(UTC).isoformat()
    return untrusted.moment(value)
