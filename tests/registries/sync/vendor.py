"""A vendor that lists everything in bulk: what the sync makes of it, whoever the vendor is.

Its connector reads a fake registry's holdings directly, so that requests are those of documents
alone, and counts how often its listings were asked for.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from datetime import UTC, datetime, timedelta
from typing import ClassVar

from registries.connectors import Ability
from registries.connectors.base import RepositoryPage
from registries.connectors.standard import StandardConnector
from registries.oci.documents import parse_manifest
from registries.oci.errors import NotFound
from registries.oci.kinds import Kind
from registries.oci.listings import TagListing
from registries.oci.outlines import Lock, ManifestListing, Outline, RepositoryFacts, TagFacts
from registries.oci.reference import Digest
from tests.fakes.content import Pushed
from tests.fakes.registry import FakeRegistry

PUSHED = datetime(2026, 11, 1, 8, 0, tzinfo=UTC)
SIZE = 1_000_000


class BulkConnector(StandardConnector):
    """Lists tags with digests, and manifests apart from them (`apart`) or in the same answer."""

    kind: ClassVar[str] = "bulk"
    label: ClassVar[str] = "Bulk"
    judges_access: ClassVar[bool] = True
    own_permissions: ClassVar[str] = "its own"
    abilities: ClassVar[frozenset[Ability]] = frozenset({Ability.CATALOG, Ability.BULK})
    fake: ClassVar[FakeRegistry]
    apart: ClassVar[bool] = True
    asked: ClassVar[list[tuple[str, Collection[Digest] | None]]] = []
    locked: ClassVar[dict[str, Lock]] = {}
    pulled: ClassVar[dict[str, datetime]] = {}
    scanned: ClassVar[dict[str, dict[str, int]]] = {}
    pull_counts: ClassVar[dict[str, int]] = {}

    async def repositories(self) -> AsyncIterator[RepositoryPage]:
        """Yield all there are, with how often each was pulled."""
        paths = tuple(self.fake.repositories)
        facts = {path: RepositoryFacts(self.pull_counts.get(path)) for path in paths}
        yield RepositoryPage(paths, facts=facts)

    async def tags(self, path: str) -> TagListing:
        """Return every tag with its digest and dates."""
        holdings = self.fake.repositories.get(path)
        if holdings is None:
            missing = NotFound(f"no {path}")
            missing.is_proof = True
            raise missing
        return TagListing(
            tuple(holdings.tags),
            digests={tag: Digest(digest) for tag, digest in holdings.tags.items()},
            facts={
                tag: TagFacts(PUSHED, self.pulled.get(tag), self.locked.get(tag, Lock.NONE))
                for tag in holdings.tags
            },
            manifests=ManifestListing() if self.apart else self._all(path),
        )

    async def manifests(
        self, path: str, wanted: Collection[Digest] | None = None
    ) -> ManifestListing:
        """Return all manifests, or those wanted."""
        self.asked.append((path, wanted))
        every = self._all(path)
        if wanted is None:
            return every
        return ManifestListing({d: it for d, it in every.outlines.items() if d in wanted})

    def _all(self, path: str) -> ManifestListing:
        manifests = self.fake.repositories[path].manifests
        outlines = {Digest(d): self._outline(Digest(d), it) for d, it in manifests.items()}
        return ManifestListing(outlines, complete=True)

    def _outline(self, digest: Digest, pushed: Pushed) -> Outline:
        kind = parse_manifest(pushed.raw, pushed.media_type).kind
        is_index = kind is Kind.INDEX
        return Outline(
            digest,
            pushed.media_type,
            kind,
            total_size=SIZE * 2 if is_index else SIZE,
            own_size=0 if is_index else None,
            os="" if is_index else "linux",
            architecture="" if is_index else "arm64",
            platforms=("linux/amd64", "linux/arm64") if is_index else (),
            pushed_at=PUSHED - timedelta(days=1),
            scan=self.scanned.get(digest),
        )
