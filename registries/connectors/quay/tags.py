"""Quay's listing of tags.

quay/quay: endpoints/api/tag.py. It says nothing of types: of an index only that it is one, and its size
is null; times are Unix seconds and, as in old answers, RFC 2822.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from registries.oci import untrusted
from registries.oci.kinds import Kind
from registries.oci.outlines import Lock, ManifestListing, Outline, TagFacts
from registries.oci.reference import Digest, is_digest, is_tag, referring_tag

_REFERRING = {"sig": Kind.SIGNATURE, "att": Kind.ATTESTATION, "sbom": Kind.SBOM}
_LAST_SECOND = datetime(9999, 1, 1, tzinfo=UTC).timestamp()


@dataclass(slots=True)
class Gathered:
    """What the pages of a listing have told so far; `repeated` are tags that came twice."""

    names: dict[str, None] = field(default_factory=dict)
    digests: dict[str, Digest] = field(default_factory=dict)
    facts: dict[str, TagFacts] = field(default_factory=dict)
    outlines: dict[Digest, Outline] = field(default_factory=dict)
    repeated: int = 0
    invalid: int = 0

    def add(self, tags: object) -> None:
        """Take in the tags of one page; whatever in it is not as documented is left out."""
        for tag in untrusted.objects(tags):
            name = tag.get("name")
            if not isinstance(name, str) or not is_tag(name):
                self.invalid += 1
                continue
            self.repeated += name in self.names
            self.names.setdefault(name)
            pushed, locks = _pushed(tag), _locks(tag)
            self.facts[name] = TagFacts(pushed_at=pushed, locks=locks)
            digest: Any = tag.get("manifest_digest")
            if is_digest(digest):
                self.digests[name] = Digest(digest)
                for outline in _outline(Digest(digest), name, tag):
                    self.outlines.setdefault(outline.digest, outline)

    def manifests(self) -> ManifestListing:
        """Return the outlines; what has no tag is not listed."""
        return ManifestListing(self.outlines)


def _outline(digest: Digest, name: str, tag: dict[str, Any]) -> Iterator[Outline]:
    """Yield an outline, unless too little is told: then the document is worth reading."""
    size = untrusted.size(tag.get("size"))
    if size is None or tag.get("is_manifest_list") is not False:
        return
    subject, suffix = referring_tag(name) or (None, "")
    yield Outline(
        digest,
        kind=_REFERRING.get(suffix, Kind.IMAGE),
        total_size=size,
        subject=subject,
        pushed_at=_pushed(tag),
    )


def _pushed(tag: dict[str, Any]) -> datetime | None:
    seconds = untrusted.size(tag.get("start_ts"))
    if seconds and seconds < _LAST_SECOND:
        return datetime.fromtimestamp(seconds, UTC)
    written = tag.get("last_modified")
    if not isinstance(written, str):
        return None
    try:
        moment = parsedate_to_datetime(written)
        # "-0000" says UTC without saying where.
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
    return moment if moment.year > 1970 else None


def _locks(tag: dict[str, Any]) -> Lock | None:
    immutable = tag.get("immutable")
    if not isinstance(immutable, bool):
        return None
    return Lock.DELETE | Lock.WRITE if immutable else Lock.NONE
