"""Harbor's listing of artifacts: tags, outlines, accessories and scans of a repository at once.

goharbor/harbor: api/v2.0/swagger.yaml, `Artifact`; src/controller/artifact; src/pkg/artifact/dao.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from registries.oci import mediatypes, untrusted
from registries.oci.descriptors import Child, parse_child
from registries.oci.kinds import Kind
from registries.oci.outlines import Lock, ManifestListing, Outline, TagFacts, kind_of
from registries.oci.reference import Digest, is_digest, is_tag

_ACCESSORIES = {"signature": Kind.SIGNATURE, "sbom": Kind.SBOM}


@dataclass(slots=True)
class Gathered:
    """What the pages of a listing have told so far.

    `listed` are the artifacts themselves, without what hangs on them. `invalid` counts names that
    cannot be.
    """

    listed: set[Digest] = field(default_factory=set)
    digests: dict[str, Digest] = field(default_factory=dict)
    facts: dict[str, TagFacts] = field(default_factory=dict)
    outlines: dict[Digest, Outline] = field(default_factory=dict)
    invalid: int = 0

    def add(self, page: object) -> None:
        """Take in one page; whatever in it is not as documented is left out."""
        for artifact in untrusted.objects(page):
            digest: Any = artifact.get("digest")
            if not is_digest(digest):
                self.invalid += 1
                continue
            self.listed.add(Digest(digest))
            self.outlines[Digest(digest)] = _outline(Digest(digest), artifact)
            for accessory in _accessories(Digest(digest), artifact.get("accessories")):
                self.outlines.setdefault(accessory.digest, accessory)
            for tag in untrusted.objects(artifact.get("tags")):
                self._add_tag(tag, Digest(digest))

    def _add_tag(self, tag: dict[str, Any], digest: Digest) -> None:
        name = tag.get("name")
        if not isinstance(name, str) or not is_tag(name):
            self.invalid += 1
            return
        immutable = tag.get("immutable")
        locked = Lock.DELETE | Lock.WRITE if immutable is True else Lock.NONE
        self.digests[name] = digest
        self.facts[name] = TagFacts(
            pushed_at=untrusted.moment(tag.get("push_time")),
            pulled_at=untrusted.moment(tag.get("pull_time")),
            locks=locked if isinstance(immutable, bool) else None,
        )

    def manifests(self, *, complete: bool) -> ManifestListing:
        """Return the outlines, those of an index beside those of its platforms.

        A listing without some index's platforms is not complete: they are there, and not named.
        """
        outlines = dict(self.outlines)
        for outline in self.outlines.values():
            attesting = [child for child in outline.children if child.attests is not None]
            for child in attesting:
                if child.digest in outlines:
                    found = outlines[child.digest]
                    outlines[child.digest] = replace(
                        found, kind=Kind.ATTESTATION, os="", architecture=""
                    )
            missing = [child for child in outline.children if child.digest not in outlines]
            if outline.children and not missing:
                outlines[outline.digest] = replace(outlines[outline.digest], own_size=0)
            complete = complete and not missing
        return ManifestListing(outlines, complete=complete)


def _outline(digest: Digest, artifact: dict[str, Any]) -> Outline:
    media_type = untrusted.text(artifact.get("manifest_media_type")) or ""
    # Of an index this repeats the manifest's type.
    config_type = untrusted.text(artifact.get("media_type")) or ""
    artifact_type = untrusted.text(artifact.get("artifact_type")) or ""
    if artifact_type in mediatypes.IMAGE_CONFIG_TYPES or mediatypes.is_index(artifact_type):
        artifact_type = ""
    attributes = untrusted.mapping(artifact.get("extra_attrs"))
    children = tuple(_children(artifact.get("references")))
    return Outline(
        digest,
        media_type=media_type,
        kind=kind_of(media_type, config_type, artifact_type),
        artifact_type=artifact_type,
        total_size=untrusted.size(artifact.get("size")) or 0,
        os=_known(attributes.get("os")),
        architecture=_known(attributes.get("architecture")),
        platforms=tuple(dict.fromkeys(child.platform for child in children if child.platform)),
        children=children,
        created=untrusted.moment(attributes.get("created")),
        pushed_at=untrusted.moment(artifact.get("push_time")),
        pulled_at=untrusted.moment(artifact.get("pull_time")),
        scan=_scan(artifact.get("scan_overview")),
    )


def _known(value: object) -> str:
    """Return a text; BuildKit writes "unknown" for what is no platform at all."""
    text = untrusted.text(value) or ""
    return "" if text == "unknown" else text


def _children(references: object) -> Iterator[Child]:
    """Return an index's platforms; Harbor does not say how many bytes their documents have."""
    for reference in untrusted.objects(references):
        digest = reference.get("child_digest")
        if is_digest(digest):
            yield parse_child(
                {
                    "digest": digest,
                    "size": 0,
                    "platform": reference.get("platform"),
                    "annotations": reference.get("annotations"),
                }
            )


def _accessories(subject: Digest, accessories: object) -> Iterator[Outline]:
    """Return signatures, SBOMs and the like, which Harbor hides from the listing itself."""
    for accessory in untrusted.objects(accessories):
        digest: Any = accessory.get("digest")
        if not is_digest(digest):
            continue
        about: Any = accessory.get("subject_artifact_digest")
        family = (untrusted.text(accessory.get("type")) or "").partition(".")[0]
        yield Outline(
            Digest(digest),
            kind=_ACCESSORIES.get(family, Kind.ARTIFACT),
            total_size=untrusted.size(accessory.get("size")) or 0,
            subject=Digest(about) if is_digest(about) else subject,
            pushed_at=untrusted.moment(accessory.get("creation_time")),
        )


def _scan(overview: object) -> Mapping[str, int] | None:
    """Return the counts of the first report that was finished, None where there is none.

    Reports are keyed by their type; `summary.summary` counts by severity, and is left out where
    nothing was found.
    """
    for report in untrusted.mapping(overview).values():
        told = untrusted.mapping(report)
        if told.get("scan_status") != "Success":
            continue
        counts = untrusted.mapping(untrusted.mapping(told.get("summary")).get("summary"))
        return {
            untrusted.scrub(severity): found
            for severity, count in counts.items()
            if (found := untrusted.size(count)) is not None
        }
    return None
