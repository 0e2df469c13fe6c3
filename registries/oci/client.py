"""A client for one OCI registry: catalog, tags, manifests, blobs, referrers.

OCI Distribution specification 1.1. Everything returned is a frozen value that has been checked:
names by their grammar, bytes by their digest, sizes by a limit. All methods raise `RegistryError`
and, for names no registry can have, `InvalidReference`.
"""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from multidict import CIMultiDictProxy
from yarl import URL

from registries.oci import mediatypes
from registries.oci.challenges import parse_challenges
from registries.oci.connection import Connection
from registries.oci.descriptors import Child
from registries.oci.documents import Manifest, parse_manifest
from registries.oci.errors import (
    AccessDenied,
    DigestMismatch,
    NotARegistry,
    NotFound,
    RegistryError,
    ResponseTooLarge,
    TooManyPages,
    Unsupported,
)
from registries.oci.failures import error_codes
from registries.oci.listings import TagListing, parse_names
from registries.oci.pages import PageGuard, next_page
from registries.oci.reference import (
    Digest,
    is_digest,
    is_repository,
    is_tag,
    parse_digest,
    parse_reference,
    referrers_tag,
    verify,
)
from registries.oci.referrers import ReferrersApi
from registries.oci.tokens import actions_in
from registries.oci.transport import Answer, Stats, Transport

CATALOG_SCOPE = "registry:catalog:*"


@dataclass(frozen=True, slots=True)
class Ping:
    """What a registry says about itself at `/v2/`; `auth` is anonymous, basic or bearer.

    `realm` and `service` are those of its challenge: by them kinds of registries are told apart.
    """

    api_version: str | None
    auth: str
    server: str | None
    realm: str = ""
    service: str = ""


@dataclass(frozen=True, slots=True)
class Head:
    """What HEAD tells of a manifest; `size` in bytes, None if the registry does not say."""

    digest: Digest
    media_type: str
    size: int | None


class RegistryClient:
    """A session with one registry; an async context manager."""

    def __init__(self, connection: Connection, transport: Transport | None = None) -> None:
        self._transport = transport or Transport(connection)
        self._limits = connection.limits
        self._referrers = ReferrersApi(self._transport)

    async def __aenter__(self) -> Self:
        await self._transport.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._transport.__aexit__(kind, error, trace)

    @property
    def stats(self) -> Stats:
        """Requests, throttles and retries so far."""
        return self._transport.stats

    @property
    def concurrency(self) -> int:
        """How many requests may be in flight now."""
        return self._transport.pace.limit

    async def probe(self) -> Ping:
        """Find out, without signing in, whether a registry answers; raises `NotARegistry`."""
        answer = await self._transport.probe(self._transport.url("/v2/"))
        headers = answer.headers
        version = headers.get("Docker-Distribution-API-Version")
        challenges = parse_challenges(headers.getall("WWW-Authenticate", ()))
        if answer.status == 401 and challenges:
            said = challenges[0]
            realm, service = said.params.get("realm", ""), said.params.get("service", "")
            return Ping(version, said.scheme, headers.get("Server"), realm, service)
        if answer.status == 404 and version is None:
            raise NotARegistry("Nothing answers at /v2/, where every registry does.")
        if answer.status != 200:
            raise answer.failure("its first address, /v2/")
        if version is None and mediatypes.bare(answer.content_type) == "text/html":
            raise NotARegistry("A web page came back instead of a registry's answer.")
        return Ping(version, "anonymous", headers.get("Server"))

    async def ping(self) -> Ping:
        """Return what the registry says about itself, after signing in as it asks."""
        ping = await self.probe()
        if ping.auth != "anonymous":
            url = self._transport.url("/v2/")
            answer = await self._transport.request("GET", url, scope="", limit=0)
            if answer.status != 200:
                raise answer.failure("its first address, /v2/")
        return ping

    async def catalog(self, page_size: int = 1000) -> AsyncIterator[tuple[str, ...]]:
        """Yield the names of all repositories, a page at a time.

        Names no repository can have are dropped and counted in `stats.invalid_names`. Raises
        midway when the listing breaks off: what was yielded exists, nothing is proved absent.
        """
        answer, url = await self._first_catalog_page(page_size)
        guard = PageGuard(self._limits.pages)
        count = 0
        while True:
            page, following = self._page(answer, url, guard, "repositories", is_repository)
            count += len(page)
            if count > self._limits.repositories:
                raise _too_many("The catalog", self._limits.repositories, "repositories")
            yield page
            if following is None:
                return
            url = following
            answer = await self._transport.listing(url, CATALOG_SCOPE)
            if answer.status != 200:
                raise answer.failure("the rest of its catalog")

    async def _first_catalog_page(self, page_size: int) -> tuple[Answer, URL]:
        while True:
            url = self._transport.url(f"/v2/_catalog?n={page_size}")
            answer = await self._transport.listing(url, CATALOG_SCOPE)
            if answer.status == 200:
                return answer, url
            codes = error_codes(answer.body)
            if page_size > 10 and "PAGINATION_NUMBER_INVALID" in codes:
                page_size //= 10
                continue
            raise answer.failure("a catalog")

    async def tags(self, repository: str) -> TagListing:
        """Return the tags of a repository, complete or as far as they came.

        Raises `NotFound` when the registry does not know the repository.
        """
        scope, base = self._transport.repository(repository)
        url = self._transport.url(f"{base}/tags/list")
        guard = PageGuard(self._limits.pages)
        names: dict[str, None] = {}
        first = True
        try:
            while True:
                answer = await self._transport.listing(url, scope)
                if answer.status != 200:
                    raise answer.failure(f"tags of {repository}")
                page, following = self._page(answer, url, guard, "tags", is_tag)
                before = len(names)
                if before + len(page) > self._limits.tags:
                    raise _too_many(repository, self._limits.tags, "tags")
                names.update(dict.fromkeys(page))
                if following is None:
                    return TagListing(tuple(names))
                if page and len(names) == before:
                    raise TooManyPages("The listing repeats itself: its Link header is endless.")
                url, first = following, False
        except RegistryError as problem:
            if first and isinstance(problem, NotFound):
                raise
            return TagListing(tuple(names), complete=False, problem=problem)

    async def head_manifest(self, repository: str, reference: str) -> Head | None:
        """Return what a tag or digest points at, or None if there is no such manifest."""
        scope, base = self._transport.repository(repository)
        url = self._transport.url(f"{base}/manifests/{parse_reference(reference)}")
        answer = await self._transport.request("HEAD", url, scope=scope, limit=0)
        headers = answer.headers
        digest = headers.get("Docker-Content-Digest")
        if answer.status == 200 and is_digest(digest):
            return Head(
                Digest(digest or ""),
                mediatypes.bare(headers.get("Content-Type")),
                _length(headers),
            )
        if answer.status == 404:
            return None
        if answer.status not in (200, 405, 501):
            raise answer.failure(f"{repository} {reference}")
        # The header is only recommended (OCI 1.1), and some proxies strip it.
        try:
            manifest = await self.get_manifest(repository, reference)
        except NotFound:
            return None
        return Head(manifest.digest, manifest.media_type, manifest.size)

    async def get_manifest(self, repository: str, reference: str) -> Manifest:
        """Return a manifest, its bytes verified against the digest asked for or announced.

        Raises `NotFound`, `DigestMismatch`, `InvalidDocument` and `ResponseTooLarge`.
        """
        scope, base = self._transport.repository(repository)
        url = self._transport.url(f"{base}/manifests/{parse_reference(reference)}")
        answer = await self._transport.request(
            "GET", url, scope=scope, limit=self._limits.manifest_bytes
        )
        what = f"{repository} {reference}"
        if answer.status != 200:
            raise answer.failure(what)
        if mediatypes.bare(answer.content_type) == "text/html":
            raise answer.failure(what)
        return _verified(answer, reference, what)

    async def get_blob(self, repository: str, digest: str, limit: int) -> bytes:
        """Return a blob of at most `limit` bytes, verified; storage redirects are followed."""
        scope, base = self._transport.repository(repository)
        digest = parse_digest(digest)
        url = self._transport.url(f"{base}/blobs/{digest}")
        answer = await self._transport.request("GET", url, scope=scope, limit=limit, redirects=True)
        if answer.status != 200:
            raise answer.failure(f"blob {digest} in {repository}")
        if not verify(answer.body, digest):
            raise DigestMismatch(f"The bytes of blob {digest} in {repository} are not its own.")
        return answer.body

    async def delete_manifest(self, repository: str, reference: str) -> None:
        """Delete a manifest by digest, with every tag on it, or a tag where the registry can.

        Raises `NotFound`, `AccessDenied`, and `Unsupported` where it is not allowed or not offered
        (OCI Distribution 1.1, "Deleting Manifests": 400 or 405).
        """
        _, base = self._transport.repository(repository)
        url = self._transport.url(f"{base}/manifests/{parse_reference(reference)}")
        scope = f"repository:{repository}:delete"
        answer = await self._transport.request("DELETE", url, scope=scope, limit=0)
        if answer.status in (400, 405):
            raise Unsupported(
                f"The registry does not delete {repository} {reference}.",
                advice="Allow deletes in the registry's own configuration.",
            )
        if answer.status in (401, 403):
            raise AccessDenied(
                f"The registry does not let this account delete {repository} {reference}.",
                advice="Give Portolan's account the right to delete, at the registry.",
            )
        if answer.status not in (200, 202, 204):
            raise answer.failure(f"{repository} {reference}")

    async def granted(self, repository: str) -> frozenset[str] | None:
        """Return which of pull, push and delete the registry's token server grants on a repository.

        None where the registry signs in otherwise, or its tokens cannot be read. Asking changes
        nothing (distribution docs/content/spec/auth/token.md: rights are intersected).
        """
        scope, _ = self._transport.repository(repository)
        header = await self._transport.auth.prepare(f"{scope},push,delete")
        return actions_in(header, repository)

    async def referrers(self, repository: str, digest: str) -> tuple[Child, ...] | None:
        """Return what refers to a manifest, by the API or by the fallback tag.

        None when the registry has neither: then nothing is known, not even that there are none.
        """
        digest = parse_digest(digest)
        if self._referrers.supported is not False:
            found = await self._referrers.find(repository, digest)
            if found is not None:
                return found
        try:
            listed = await self.get_manifest(repository, referrers_tag(digest))
        except NotFound:
            return None
        return listed.children if mediatypes.is_index(listed.media_type) else None

    async def supports_referrers(self, repository: str, digest: str) -> bool:
        """Say whether the registry answers the referrers API."""
        if self._referrers.supported is None:
            await self._referrers.find(repository, parse_digest(digest))
        return self._referrers.supported is True

    def _page(
        self,
        answer: Answer,
        url: URL,
        guard: PageGuard,
        key: str,
        is_name: Callable[[object], bool],
    ) -> tuple[tuple[str, ...], URL | None]:
        """Return the valid names of one page and the address of the next."""
        items = parse_names(answer.body, answer.content_type, key)
        guard.admit(url, answer.body, holds_names=bool(items))
        names = tuple(item for item in items if isinstance(item, str) and is_name(item))
        self.stats.invalid_names += len(items) - len(names)
        return names, next_page(answer.headers.getall("Link", ()), url)


def _verified(answer: Answer, reference: str, what: str) -> Manifest:
    """Parse a manifest and hold it against every digest that was named for it."""
    announced = answer.headers.get("Docker-Content-Digest")
    expected = reference if is_digest(reference) else announced
    expected = expected if is_digest(expected) else None
    # sha256 is computed by the parser, which knows what schema 1 signs; sha512 only on demand.
    trusted: Digest | None = None
    if expected is not None and expected.startswith("sha512:"):
        trusted = Digest(expected)
        if not verify(answer.body, trusted):
            raise _mismatch(what)
    manifest = parse_manifest(answer.body, answer.content_type, digest=trusted)
    if expected is not None and manifest.digest != expected:
        raise _mismatch(what)
    return manifest


def _mismatch(what: str) -> DigestMismatch:
    return DigestMismatch(f"The bytes of {what} are not those its digest names.")


def _too_many(what: str, most: int, names: str) -> ResponseTooLarge:
    return ResponseTooLarge(
        f"{what} has more than {most:,} {names}; so many are not kept in memory.",
        advice="Look at what the registry holds there; what is known of it stays as it is.",
    )


def _length(headers: CIMultiDictProxy[str]) -> int | None:
    text = headers.get("Content-Length", "")
    return int(text) or None if text.isascii() and text.isdigit() else None
