"""What refers to artifacts without a tag of its own: signatures, SBOMs, found by the referrers API.

A registry without that API keeps fallback tags, which are read as every tag is. It is asked for it
once, and where it has it once for each artifact: what is attached later is found by a full sync.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from registries.oci.errors import RegistryError
from registries.oci.reference import Digest
from registries.sync.guard import GuardedConnector, is_final
from registries.sync.readings import DetailReading, Pending, Problem

# Of one artifact; what has more is signed by a machine that has gone wild.
MOST_REFERRERS = 100


async def read_referrers(
    connector: GuardedConnector, reading: DetailReading, subjects: Sequence[Pending]
) -> None:
    """Add to a reading what refers to these artifacts, if the registry has the API to tell."""
    if not subjects:
        return
    first = subjects[0]
    try:
        # Before all others, so that a registry without the API is not asked by each of them.
        if not await connector.supports_referrers(first.path, first.digest):
            return
    except RegistryError as error:
        reading.problems.append(Problem.of(error, first.path, first.digest))
        if not is_final(error):
            reading.unsettled.update(subject.artifact_id for subject in subjects)
        return
    await asyncio.gather(*(_read_of(connector, reading, subject) for subject in subjects))


async def _read_of(connector: GuardedConnector, reading: DetailReading, subject: Pending) -> None:
    try:
        found = await connector.referrers(subject.path, subject.digest)
    except RegistryError as error:
        _not_read(reading, subject, subject.digest, error)
        return
    attached = [entry.digest for entry in found or ()][:MOST_REFERRERS]
    await asyncio.gather(*(_read_one(connector, reading, subject, digest) for digest in attached))


async def _read_one(
    connector: GuardedConnector, reading: DetailReading, subject: Pending, digest: Digest
) -> None:
    try:
        manifest = await connector.manifest(subject.path, digest)
    except RegistryError as error:
        _not_read(reading, subject, digest, error)
    else:
        reading.manifests.append((subject.path, manifest))


def _not_read(
    reading: DetailReading, subject: Pending, digest: Digest, error: RegistryError
) -> None:
    # The artifact itself is whole without it: what is refused for good is told and no more.
    reading.problems.append(Problem.of(error, subject.path, digest))
    if not is_final(error):
        reading.unsettled.add(subject.artifact_id)
