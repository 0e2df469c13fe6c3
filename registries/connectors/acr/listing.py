"""What Azure lists at `/acr/v1`: tags and manifests with digests, sizes, times and locks.

Source: Azure/acr-cli docs/swagger.yaml. A page has a hundred entries. Fields come and go: `tags` is
absent for an untagged manifest, platform and config type for indexes and old pushes.
"""

from collections.abc import AsyncIterator, Collection
from typing import Any

from registries.oci import mediatypes, untrusted
from registries.oci.descriptors import Child, Descriptor
from registries.oci.errors import (
    InvalidDocument,
    NotARegistry,
    NotFound,
    RegistryError,
    TooManyPages,
)
from registries.oci.kinds import artifact_type_of
from registries.oci.listings import TagListing
from registries.oci.outlines import Lock, ManifestListing, Outline, TagFacts, kind_of
from registries.oci.pages import PageGuard, next_page
from registries.oci.reference import Digest, is_digest, is_repository, is_tag, parse_repository
from registries.oci.transport import Answer, Transport

PAGE = 100
# So few manifests are asked for one by one, more by turning pages until all are found.
FEW = 5
HELD_BACK_SECONDS = 1.0
_SWITCHES = (
    ("deleteEnabled", Lock.DELETE),
    ("writeEnabled", Lock.WRITE),
    ("listEnabled", Lock.LIST),
    ("readEnabled", Lock.READ),
)


class AcrListing:
    """Reads the listings of one registry by its transport."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def catalog(self, page_size: int) -> AsyncIterator[tuple[str, ...]]:
        """Yield the names of all repositories, a page at a time; raises when the listing breaks off."""
        path, scope = f"/acr/v1/_catalog?n={min(page_size, PAGE)}", "registry:catalog:*"
        async for entries in self._pages(path, scope, "repositories", "a catalog"):
            names = tuple(it for it in entries if isinstance(it, str) and is_repository(it))
            self._transport.stats.invalid_names += len(entries) - len(names)
            yield names

    async def tags(self, path: str) -> TagListing:
        """Return the tags of a repository with digests, push times and locks, as far as they came."""
        digests: dict[str, Digest] = {}
        facts: dict[str, TagFacts] = {}
        problem: RegistryError | None = None
        try:
            async for entries in self._listed(path, "_tags", "tags", "orderby="):
                before = len(facts)
                for entry in entries:
                    self._take_tag(entry, digests, facts)
                if entries and len(facts) == before:
                    raise TooManyPages("The listing repeats itself: its Link header is endless.")
        except RegistryError as error:
            if not facts and isinstance(error, NotFound):
                raise
            problem = error
        return TagListing(tuple(facts), problem is None, problem, digests, facts)

    async def manifests(self, path: str, wanted: Collection[Digest] | None) -> ManifestListing:
        """Return outlines of all manifests, or of those wanted as cheaply as they can be had."""
        if wanted is not None and len(wanted) <= FEW:
            return await self._one_by_one(path, wanted)
        outlines: dict[Digest, Outline] = {}
        missing = set(wanted or ())
        order = "orderby=" if wanted is None else "orderby=timedesc"
        try:
            async for entries in self._listed(path, "_manifests", "manifests", order):
                for entry in entries:
                    self._take_manifest(entry, outlines)
                missing.difference_update(outlines)
                if wanted is not None and not missing:
                    return ManifestListing(outlines)
        except RegistryError as error:
            if not outlines and isinstance(error, NotFound):
                raise
            return ManifestListing(outlines, problem=error)
        return ManifestListing(outlines, complete=True)

    async def _one_by_one(self, path: str, wanted: Collection[Digest]) -> ManifestListing:
        outlines: dict[Digest, Outline] = {}
        for digest in wanted:
            try:
                found = await self.attributes(path, f"/_manifests/{digest}", f"{path} {digest}")
            except NotFound:
                continue
            except RegistryError as error:
                return ManifestListing(outlines, problem=error)
            self._take_manifest(found.get("manifest"), outlines)
        return ManifestListing(outlines)

    async def attributes(self, path: str, part: str, what: str) -> dict[str, Any]:
        """Return what the registry says of a repository, or of the tag or manifest in `part`."""
        url = self._transport.url(f"/acr/v1/{parse_repository(path)}{part}")
        answer = await self._transport.listing(url, f"repository:{path}:metadata_read")
        return _document(answer, what)

    async def _listed(
        self, path: str, part: str, key: str, order: str
    ) -> AsyncIterator[list[object]]:
        address = f"/acr/v1/{parse_repository(path)}/{part}?n={PAGE}&{order}"
        scope = f"repository:{path}:metadata_read"
        async for entries in self._pages(address, scope, key, f"{key} of {path}"):
            yield entries

    async def _pages(
        self, path: str, scope: str, key: str, what: str
    ) -> AsyncIterator[list[object]]:
        transport = self._transport
        url = transport.url(path)
        guard = PageGuard(transport.limits.pages)
        while True:
            answer = await transport.listing(url, scope)
            slow_down(transport, answer)
            entries = _entries(_document(answer, what), key)
            guard.admit(url, answer.body, holds_names=bool(entries))
            yield entries
            following = next_page(answer.headers.getall("Link", ()), url)
            if following is None:
                return
            url = following

    def _take_tag(
        self, entry: object, digests: dict[str, Digest], facts: dict[str, TagFacts]
    ) -> None:
        fields = untrusted.mapping(entry)
        name, digest = fields.get("name"), fields.get("digest")
        if not isinstance(name, str) or not is_tag(name):
            self._transport.stats.invalid_names += 1
            return
        if isinstance(digest, str) and is_digest(digest):
            digests[name] = Digest(digest)
        facts[name] = TagFacts(pushed_at=_last(fields), locks=locks_of(fields))

    def _take_manifest(self, entry: object, outlines: dict[Digest, Outline]) -> None:
        outline = outline_of(untrusted.mapping(entry))
        if outline is None:
            self._transport.stats.invalid_names += 1
        else:
            outlines[outline.digest] = outline


def outline_of(fields: dict[str, Any]) -> Outline | None:
    """Return the manifest that an entry of `_manifests` describes, None without a valid digest.

    `imageSize` is in bytes, and an index's already sums its platforms', which are listed, too.
    """
    digest = fields.get("digest")
    if not isinstance(digest, str) or not is_digest(digest):
        return None
    media_type = mediatypes.bare(untrusted.text(fields.get("mediaType")))
    config_type = untrusted.text(fields.get("configMediaType")) or ""
    declared = untrusted.text(fields.get("artifactType"))
    config = Descriptor(Digest(""), config_type) if config_type else None
    return Outline(
        Digest(digest),
        media_type=media_type,
        kind=kind_of(media_type, config_type, declared or ""),
        artifact_type=artifact_type_of(media_type, declared, config) or "",
        total_size=untrusted.size(fields.get("imageSize")) or 0,
        own_size=0 if mediatypes.is_index(media_type) else None,
        os=_platform(fields.get("os")),
        architecture=_platform(fields.get("architecture")),
        children=tuple(_children(fields.get("references"))),
        pushed_at=untrusted.moment(fields.get("createdTime")),
        locks=locks_of(fields),
    )


def locks_of(fields: dict[str, Any]) -> Lock | None:
    """Return the locks in `changeableAttributes`, None where nothing is said of them."""
    switches = fields.get("changeableAttributes")
    if not isinstance(switches, dict):
        return None
    locks = Lock.NONE
    for name, lock in _SWITCHES:
        if switches.get(name) is False:
            locks |= lock
    return locks


def switches_for(locks: Lock) -> dict[str, bool]:
    """Return the body of the PATCH that sets exactly these locks: Azure says what is allowed."""
    return {name: not locks & lock for name, lock in _SWITCHES}


def slow_down(transport: Transport, answer: Answer) -> None:
    """Hold everything back for a second where the answer says that no calls are left in this one."""
    left = answer.headers.get("X-Ms-Ratelimit-Remaining-Calls-Per-Second", "")
    whole = left.partition(".")[0]
    if whole.isascii() and whole.isdigit() and int(whole[:9]) == 0:
        transport.pace.hold_back(HELD_BACK_SECONDS)


def _document(answer: Answer, what: str) -> dict[str, Any]:
    if answer.status != 200:
        raise answer.failure(what)
    if mediatypes.bare(answer.content_type) == "text/html":
        raise NotARegistry("A web page came back for a listing, not a registry's answer.")
    return untrusted.load_object(answer.body, "listing")


def _entries(document: dict[str, Any], key: str) -> list[object]:
    """Return the list under `key`; null and, of a repository, nothing at all are an empty one."""
    entries = document.get(key)
    if entries is None and (key in document or "imageName" in document):
        return []
    if not isinstance(entries, list):
        raise InvalidDocument(f"The listing has no {key}.")
    return entries


def _children(references: object) -> list[Child]:
    return [
        Child(
            Digest(digest),
            os=_platform(entry.get("os")) or None,
            architecture=_platform(entry.get("architecture")) or None,
        )
        for entry in untrusted.objects(references)
        if isinstance(digest := entry.get("digest"), str) and is_digest(digest)
    ]


def _platform(value: object) -> str:
    text = untrusted.text(value) or ""
    return "" if text == "unknown" else text


def _last(fields: dict[str, Any]) -> Any:
    return untrusted.moment(fields.get("lastUpdateTime")) or untrusted.moment(
        fields.get("createdTime")
    )
