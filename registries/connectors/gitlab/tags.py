"""What GitLab lists: repositories by its API, tags with digests by its registry's own."""

from collections.abc import Mapping
from typing import Any

import orjson

from registries.oci import mediatypes, untrusted
from registries.oci.errors import InvalidDocument, RegistryError
from registries.oci.listings import TagListing
from registries.oci.outlines import ManifestListing, Outline, TagFacts, kind_of
from registries.oci.reference import Digest, is_digest, is_tag
from registries.oci.transport import Stats

# A listing names a manifest's own type and not that of its config. These say enough by themselves;
# an OCI manifest may as well be a chart or a signature, so that its document has to be read.
_TELLING = frozenset({mediatypes.DOCKER_MANIFEST})


def read_repository(entry: Mapping[str, Any]) -> tuple[str, tuple[int, int] | None]:
    """Return a repository's path and the numbers of its project and its own, if both are told."""
    path = entry.get("path")
    project, number = untrusted.size(entry.get("project_id")), untrusted.size(entry.get("id"))
    numbers = (project, number) if project is not None and number is not None else None
    return path if isinstance(path, str) else "", numbers


class GitlabListing:
    """The tags of a repository, page by page."""

    def __init__(self) -> None:
        self._names: dict[str, None] = {}
        self._digests: dict[str, Digest] = {}
        self._facts: dict[str, TagFacts] = {}
        self._outlines: dict[Digest, Outline] = {}
        self._invalid = 0

    def add(self, body: bytes) -> int:
        """Take a page, an array of tags, and return how many it has; raises `InvalidDocument`."""
        try:
            entries = orjson.loads(body)
        except orjson.JSONDecodeError:
            entries = None
        if not isinstance(entries, list):
            raise InvalidDocument("GitLab's registry lists tags with something else than a list.")
        for entry in untrusted.objects(entries):
            self._add(entry)
        return len(entries)

    def _add(self, entry: Mapping[str, Any]) -> None:
        name, digest = entry.get("name"), entry.get("digest")
        if not isinstance(name, str) or not is_tag(name):
            self._invalid += 1
            return
        self._names[name] = None
        if not isinstance(digest, str) or not is_digest(digest):
            return
        self._digests[name] = Digest(digest)
        published = entry.get("published_at") or entry.get("updated_at") or entry.get("created_at")
        self._facts[name] = TagFacts(untrusted.moment(published))
        media_type = untrusted.text(entry.get("media_type")) or ""
        if media_type in _TELLING:
            self._outlines[Digest(digest)] = Outline(
                Digest(digest),
                media_type,
                kind_of(media_type),
                total_size=untrusted.size(entry.get("size_bytes")) or 0,
            )

    def result(self, stats: Stats, problem: RegistryError | None = None) -> TagListing:
        """Return what came, whole unless there was a problem; counts names that cannot be."""
        stats.invalid_names += self._invalid
        return TagListing(
            tuple(self._names),
            complete=problem is None,
            problem=problem,
            digests=self._digests,
            facts=self._facts,
            manifests=ManifestListing(self._outlines, problem=problem),
        )
