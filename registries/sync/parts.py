"""Parts of repositories, read because somebody said that they changed: some tags, some digests.

Whatever was said is only a reason to ask. What the registry answers is compared with what we hold,
so it does not matter how often, how late or in which order things were said.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from registries.models import Registry
from registries.oci.errors import NotFound, RegistryError
from registries.oci.outlines import Outline
from registries.oci.reference import Digest
from registries.sync import clock
from registries.sync.fetch import read_tags
from registries.sync.guard import GuardedConnector
from registries.sync.readings import Problem, TagReading, TagSlice
from registries.sync.staging import fetch


@dataclass(frozen=True, slots=True)
class Part:
    """What is to be read of a repository: tags, manifests pushed by digest alone, and manifests
    said to be gone, with whichever tags of ours point at them.

    `documents` are manifests that somebody wants to see whole, which a listing only described.
    """

    path: str
    tags: frozenset[str] = frozenset()
    pushed: frozenset[Digest] = frozenset()
    gone: frozenset[Digest] = frozenset()
    documents: frozenset[Digest] = frozenset()


@dataclass(slots=True)
class Held:
    """What of a part we hold: its tags (and those of what is said to be gone), and its digests."""

    tags: dict[str, Digest] = field(default_factory=dict)
    digests: set[Digest] = field(default_factory=set)


def held_of(registry: Registry, parts: Sequence[Part]) -> dict[str, Held]:
    """By path: what we hold of each part now."""
    held = {part.path: Held() for part in parts}
    wanted = {
        "registry": registry.pk,
        "paths": list(held),
        "tags": sorted({tag for part in parts for tag in part.tags}),
        "gone": sorted({digest for part in parts for digest in part.gone}),
        "digests": sorted({digest for part in parts for digest in part.gone | part.pushed}),
    }
    for path, name, digest in fetch(
        """
        SELECT repository.path, tag.name, manifest.digest
          FROM registries_repository repository
          JOIN registries_tag tag ON tag.repository_id = repository.id
          JOIN registries_artifact artifact ON artifact.id = tag.artifact_id
          JOIN registries_manifest manifest ON manifest.id = artifact.manifest_id
         WHERE repository.registry_id = %(registry)s AND repository.path = ANY(%(paths)s)
           AND (tag.name = ANY(%(tags)s) OR manifest.digest = ANY(%(gone)s))
        """,
        wanted,
    ):
        held[path].tags[name] = digest
    for path, digest in fetch(
        """
        SELECT repository.path, manifest.digest
          FROM registries_manifest manifest
          JOIN registries_artifact artifact ON artifact.manifest_id = manifest.id
          JOIN registries_repository repository ON repository.id = artifact.repository_id
         WHERE manifest.digest = ANY(%(digests)s) AND artifact.missing_since IS NULL
           AND repository.registry_id = %(registry)s AND repository.path = ANY(%(paths)s)
        """,
        wanted,
    ):
        held[path].digests.add(digest)
    return held


async def read_parts(
    connector: GuardedConnector, parts: Sequence[Part], held: Mapping[str, Held]
) -> list[TagReading]:
    """Every part's reading, in the same order; what failed is a problem of its reading."""
    slices = await asyncio.gather(*(_slice(connector, part, held[part.path]) for part in parts))
    return await read_tags(connector, slices)


async def _slice(connector: GuardedConnector, part: Part, held: Held) -> TagSlice:
    at = clock.now()
    left = {name for name, digest in held.tags.items() if digest in part.gone}
    names = sorted(part.tags | left)
    answers = await asyncio.gather(
        *(_find(connector, part.path, name, is_known=name in held.tags) for name in names)
    )
    found = dict(zip(names, answers, strict=True))
    ours = {name: digest for name, digest in held.tags.items() if name in found}
    told = {
        name: answer
        for name, answer in found.items()
        if isinstance(answer, str) and ours.get(name) != answer
    }
    outlines = await _outlines(connector, part, {*told.values(), *part.pushed} - held.digests)
    return TagSlice(
        part.path,
        at,
        ours,
        told={name: digest for name, digest in told.items() if digest not in outlines},
        listed={name: digest for name, digest in told.items() if digest in outlines},
        outlines=tuple(outlines.values()),
        removed=tuple(name for name, answer in found.items() if answer is None and name in ours),
        look=tuple(sorted(part.gone & held.digests)),
        untagged=tuple(sorted((part.pushed - held.digests - outlines.keys()) | part.documents)),
        # Some tags say nothing about the others.
        is_last=False,
        problems=tuple(answer for answer in answers if isinstance(answer, Problem)),
    )


async def _outlines(
    connector: GuardedConnector, part: Part, digests: Collection[Digest]
) -> Mapping[Digest, Outline]:
    """What the registry's listing says of these, for kinds that have one; else they are read."""
    if not digests:
        return {}
    try:
        found = (await connector.manifests(part.path, digests)).outlines
    except RegistryError:
        return {}  # the documents tell as well
    return {digest: found[digest] for digest in digests if digest in found}


async def _find(
    connector: GuardedConnector, path: str, tag: str, *, is_known: bool
) -> Digest | Problem | None:
    """What a tag points at, None if the registry itself says that there is none."""
    try:
        head = await connector.head(path, tag)
        if head is not None:
            return head.digest
        if not is_known:
            return None
        # A HEAD brings no document, and without one whatever stands before a registry may say 404.
        return (await connector.manifest(path, tag)).digest
    except RegistryError as error:
        if isinstance(error, NotFound) and error.is_proof:
            return None
        return Problem.of(error, path, tag)
