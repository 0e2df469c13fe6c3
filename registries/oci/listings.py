"""What a registry lists: pages of names, and how far they can be believed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from registries.oci import untrusted
from registries.oci.errors import InvalidDocument, NotARegistry, RegistryError
from registries.oci.mediatypes import bare
from registries.oci.outlines import ManifestListing, TagFacts
from registries.oci.reference import Digest


@dataclass(frozen=True, slots=True)
class TagListing:
    """The tags of a repository, as far as they came.

    Only a `complete` listing proves what is absent; otherwise `problem` says why it is cut short.
    `digests` and `facts`, by tag, carry what a vendor's bulk listing knows besides the names, and
    `manifests` what it says of what they point at; plain registries say nothing of all that.
    `at` is when it was asked for, where that was before it was handed out.
    """

    names: tuple[str, ...] = ()
    complete: bool = True
    problem: RegistryError | None = None
    digests: Mapping[str, Digest] = field(default_factory=dict)
    facts: Mapping[str, TagFacts] = field(default_factory=dict)
    manifests: ManifestListing = field(default_factory=ManifestListing)
    at: datetime | None = None


def parse_names(body: bytes, content_type: str, key: str) -> list[object]:
    """Return the list under `key`; D2 writes an empty one as null.

    Raises `NotARegistry` for a web page, `InvalidDocument` for anything else unexpected.
    """
    if bare(content_type) == "text/html":
        raise NotARegistry("A web page came back for a listing, not a registry's answer.")
    document = untrusted.load_object(body, "listing")
    names = document.get(key)
    if names is None and key in document:
        return []
    if not isinstance(names, list):
        raise InvalidDocument(f"The listing has no {key}.")
    return names
