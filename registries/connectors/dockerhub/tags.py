"""Docker Hub's listing of tags: digests, and the images that each tag is made of.

docs.docker.com, Docker Hub API, "List repository tags". Fields may be null, tags that were pushed
before Hub knew about it have no digest, and `media_type` may be that of the config.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from registries.oci import mediatypes, untrusted
from registries.oci.descriptors import Child, parse_child
from registries.oci.kinds import Kind
from registries.oci.outlines import ManifestListing, Outline, TagFacts, kind_of
from registries.oci.reference import Digest, is_digest, is_tag


@dataclass(slots=True)
class Gathered:
    """What the pages of a listing have told so far.

    `undigested` are tags, as they were listed, of which Hub does not say what they point at.
    """

    names: dict[str, None] = field(default_factory=dict)
    digests: dict[str, Digest] = field(default_factory=dict)
    facts: dict[str, TagFacts] = field(default_factory=dict)
    outlines: dict[Digest, Outline] = field(default_factory=dict)
    undigested: dict[str, dict[str, Any]] = field(default_factory=dict)
    listed: int = 0
    invalid: int = 0

    def add(self, results: object) -> None:
        """Take in the results of one page; whatever in it is not as documented is left out."""
        for tag in untrusted.objects(results):
            name = tag.get("name")
            if not isinstance(name, str) or not is_tag(name):
                self.invalid += 1
                continue
            self.names[name] = None
            self.facts[name] = TagFacts(
                pushed_at=untrusted.moment(tag.get("tag_last_pushed") or tag.get("last_updated")),
                pulled_at=untrusted.moment(tag.get("tag_last_pulled")),
            )
            digest = _digest(tag)
            if digest is None:
                self.undigested[name] = tag
            else:
                self.point(name, digest, tag)

    def point(self, name: str, digest: Digest, tag: dict[str, Any]) -> None:
        """Note what a tag points at, with the outlines that its entry gives."""
        self.digests[name] = digest
        for outline in _outlines(digest, tag):
            self.outlines.setdefault(outline.digest, outline)

    def manifests(self) -> ManifestListing:
        """Return the outlines; what no tag leads to is not listed."""
        return ManifestListing(self.outlines)


def _digest(tag: dict[str, Any]) -> Digest | None:
    """Return what a tag points at; an old tag of one image points at that."""
    told: Any = tag.get("digest")
    if is_digest(told):
        return Digest(told)
    images = list(untrusted.objects(tag.get("images")))
    only: Any = images[0].get("digest") if len(images) == 1 else None
    # A tag old enough to have no digest is no index of one image: those came later.
    is_old = told is None and not mediatypes.is_index(untrusted.text(tag.get("media_type")))
    return Digest(only) if is_old and is_digest(only) else None


def _outlines(digest: Digest, tag: dict[str, Any]) -> Iterator[Outline]:
    images = {
        image.digest: image for image in map(_image, untrusted.objects(tag.get("images"))) if image
    }
    media_type = untrusted.text(tag.get("media_type")) or ""
    pushed = untrusted.moment(tag.get("tag_last_pushed") or tag.get("last_updated"))
    pulled = untrusted.moment(tag.get("tag_last_pulled"))
    is_index = mediatypes.is_index(media_type) or (bool(images) and digest not in images)
    if not is_index:
        config_type = "" if mediatypes.is_manifest(media_type) else media_type
        image = images.get(digest) or Outline(
            digest, total_size=untrusted.size(tag.get("full_size")) or 0
        )
        yield replace(
            image,
            media_type="" if config_type else media_type,
            kind=kind_of("", config_type),
            pushed_at=image.pushed_at or pushed,
            pulled_at=image.pulled_at or pulled,
        )
        return
    children = tuple(map(_child, images.values()))
    yield Outline(
        digest,
        media_type=media_type if mediatypes.is_index(media_type) else "",
        kind=Kind.INDEX,
        # Its `full_size` is that of one platform.
        total_size=sum(image.total_size for image in images.values()),
        own_size=0 if images else None,
        platforms=tuple(dict.fromkeys(child.platform for child in children if child.platform)),
        children=children,
        pushed_at=pushed,
        pulled_at=pulled,
    )
    yield from images.values()


def _image(image: dict[str, Any]) -> Outline | None:
    digest: Any = image.get("digest")
    if not is_digest(digest):
        return None
    platform = {name: untrusted.text(image.get(name)) for name in ("os", "architecture", "variant")}
    # Attestations of BuildKit are listed as images of no platform.
    is_attestation = platform["os"] == platform["architecture"] == "unknown"
    known = {name: "" if text in (None, "unknown") else text for name, text in platform.items()}
    return Outline(
        Digest(digest),
        kind=Kind.ATTESTATION if is_attestation else Kind.IMAGE,
        total_size=untrusted.size(image.get("size")) or 0,
        os=known["os"] or "",
        architecture=known["architecture"] or "",
        variant=known["variant"] or "",
        pushed_at=untrusted.moment(image.get("last_pushed")),
        pulled_at=untrusted.moment(image.get("last_pulled")),
    )


def _child(image: Outline) -> Child:
    """Return an image as its index names it; how many bytes its document has, Hub does not say."""
    platform = {"os": image.os, "architecture": image.architecture, "variant": image.variant}
    return parse_child({"digest": image.digest, "size": 0, "platform": platform})
