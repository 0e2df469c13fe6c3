"""Bytes of unknown digests, and whether known tags moved. Coroutines that return values."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Collection, Iterable

from registries.oci.errors import NotFound, RegistryError
from registries.oci.reference import Digest
from registries.sync.guard import GuardedConnector, is_final
from registries.sync.readings import DetailReading, Pending, Problem, TagReading, TagSlice
from registries.sync.referrers import read_referrers


async def read_tags(connector: GuardedConnector, slices: Iterable[TagSlice]) -> list[TagReading]:
    """Every slice's tags, in the same order; a tag that fails is a problem of its reading."""
    return await asyncio.gather(*(_read_slice(connector, part) for part in slices))


async def _read_slice(connector: GuardedConnector, part: TagSlice) -> TagReading:
    reading = TagReading(part, tags=dict(part.listed), problems=list(part.problems))
    await asyncio.gather(
        *(_ask(connector, reading, tag) for tag in part.ask),
        *(_read(connector, reading, tag, tag) for tag in part.read),
        *(_read(connector, reading, tag, digest) for tag, digest in part.told.items()),
        *(_read_untagged(connector, reading, digest) for digest in part.untagged),
    )
    await _look_for_left(connector, reading)
    return reading


async def _ask(connector: GuardedConnector, reading: TagReading, tag: str) -> None:
    path = reading.slice.path
    try:
        head = await connector.head(path, tag)
    except RegistryError as error:
        reading.problems.append(Problem.of(error, path, tag))
        return
    if head is None:
        # Listed a moment ago and now not there: the next listing will tell. Nothing is removed.
        reading.problems.append(_vanished(path, tag))
    elif head.digest == reading.slice.ours[tag]:
        reading.tags[tag] = head.digest
    else:
        await _read(connector, reading, tag, head.digest)


async def _read(
    connector: GuardedConnector, reading: TagReading, tag: str, reference: str | Digest
) -> None:
    path = reading.slice.path
    if reference in reading.manifests:  # another tag of this slice brought the same digest
        reading.tags[tag] = Digest(reference)
        return
    try:
        manifest = await connector.manifest(path, reference)
    except NotFound:
        reading.problems.append(_vanished(path, tag))
    except RegistryError as error:
        reading.problems.append(Problem.of(error, path, tag))
    else:
        reading.tags[tag] = manifest.digest
        reading.manifests[manifest.digest] = manifest


async def _read_untagged(connector: GuardedConnector, reading: TagReading, digest: Digest) -> None:
    path = reading.slice.path
    try:
        reading.manifests[digest] = await connector.manifest(path, digest)
    except RegistryError as error:
        # Said to be there, and gone again: nothing came of it.
        if not (isinstance(error, NotFound) and error.is_proof):
            reading.problems.append(Problem.of(error, path, digest))


async def _look_for_left(connector: GuardedConnector, reading: TagReading) -> None:
    """Find out whether the images that tags left are still there, without a tag."""
    part = reading.slice
    left = {part.ours[tag] for tag in part.removed if tag in part.ours}
    left |= {
        part.ours[tag]
        for tag, digest in reading.tags.items()
        if part.ours.get(tag, digest) != digest
    }
    left |= set(part.look)
    left -= set(reading.tags.values())

    async def look(digest: Digest) -> None:
        try:
            if await connector.head(part.path, digest) is None:
                # A HEAD brings no document to prove it; what is there after all is there.
                await connector.manifest(part.path, digest)
        except RegistryError as error:
            if isinstance(error, NotFound) and error.is_proof:
                reading.absent.add(digest)
            else:
                reading.problems.append(Problem.of(error, part.path, digest))

    await asyncio.gather(*(look(digest) for digest in left))


def _vanished(path: str, tag: str) -> Problem:
    return Problem(
        path,
        tag,
        NotFound.code,
        f"The tag {tag} was listed, but the registry has no manifest for it.",
        "If it was deleted just now, the next sync settles it; otherwise push or delete the tag.",
    )


async def read_details(connector: GuardedConnector, wanted: Iterable[Pending]) -> DetailReading:
    """The children and configs that these artifacts refer to, and what refers to them.

    What several artifacts of a repository share is read once. Nothing is shared between
    repositories: each has to prove what it holds.
    """
    reading = DetailReading()
    wanted = list(wanted)
    children: dict[tuple[str, Digest], list[int]] = defaultdict(list)
    configs: dict[tuple[str, Digest, int], list[int]] = defaultdict(list)
    for pending in wanted:
        for child in pending.children:
            children[pending.path, child].append(pending.artifact_id)
        if pending.config:
            key = pending.path, pending.config, pending.config_size
            configs[key].append(pending.artifact_id)
    await asyncio.gather(
        *(_read_child(connector, reading, *what, askers) for what, askers in children.items()),
        *(_read_config(connector, reading, *what, askers) for what, askers in configs.items()),
        read_referrers(connector, reading, [it for it in wanted if it.may_have_referrers]),
    )
    return reading


async def _read_child(
    connector: GuardedConnector,
    reading: DetailReading,
    path: str,
    digest: Digest,
    askers: Collection[int],
) -> None:
    try:
        manifest = await connector.manifest(path, digest)
    except RegistryError as error:
        _not_read(reading, path, digest, askers, error)
    else:
        reading.manifests.append((path, manifest))


async def _read_config(
    connector: GuardedConnector,
    reading: DetailReading,
    path: str,
    digest: Digest,
    size: int,
    askers: Collection[int],
) -> None:
    try:
        reading.configs[digest] = await connector.config(path, digest, size)
    except RegistryError as error:
        _not_read(reading, path, digest, askers, error)


def _not_read(
    reading: DetailReading, path: str, digest: Digest, askers: Collection[int], error: RegistryError
) -> None:
    (reading.unavailable if is_final(error) else reading.unsettled).update(askers)
    reading.problems.append(Problem.of(error, path, digest))
