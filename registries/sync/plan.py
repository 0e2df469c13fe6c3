"""Ours compared with theirs: what to read, and what changed. Pure: nothing here asks or writes."""

from __future__ import annotations

import re
from collections.abc import Container, Mapping
from dataclasses import dataclass

from registries.oci.listings import TagListing
from registries.oci.reference import Digest


@dataclass(frozen=True, slots=True)
class ReadingPlan:
    """Which of a repository's tags to read, and how, given its listing."""

    ask: tuple[str, ...]  # we know where they pointed: a HEAD tells whether they moved
    read: tuple[str, ...]  # new to us: one GET brings the digest and the bytes
    removed: tuple[str, ...]  # proved gone
    told: Mapping[str, Digest]  # the listing itself said where they point, and it is news
    listed: Mapping[str, Digest]  # the same, and what they point at is described or known

    @property
    def requests(self) -> int:
        return len(self.ask) + len(self.read) + len(self.told)


def plan_reading(
    ours: Mapping[str, Digest],
    listing: TagListing,
    *,
    described: Container[Digest] = frozenset(),
    full: bool = False,
) -> ReadingPlan:
    """What to read of a repository; a full reading takes nothing that we hold for granted.

    Of the `described` manifests no document has to be read, unless in a full reading.
    """
    ask: list[str] = []
    read: list[str] = []
    told: dict[str, Digest] = {}
    listed: dict[str, Digest] = {}
    for name in listing.names:
        if digest := listing.digests.get(name):
            if full or ours.get(name) != digest:
                known = digest in described and not full
                (listed if known else told)[name] = digest
        elif full or name not in ours:
            read.append(name)
        else:
            ask.append(name)
    # A listing cut short by an error proves what exists, never what is gone.
    removed = tuple(ours.keys() - set(listing.names)) if listing.complete else ()
    return ReadingPlan(tuple(ask), tuple(read), tuple(sorted(removed)), told, listed)


@dataclass(frozen=True, slots=True)
class TagChange:
    """One tag's change; no old digest is a tag that came, no new one a tag that went."""

    tag: str
    old: Digest | None
    new: Digest | None


def compare(
    ours: Mapping[str, Digest], seen: Mapping[str, Digest], removed: tuple[str, ...]
) -> tuple[TagChange, ...]:
    """The changes that lead from ours to what was seen, in order of name; empty if there are none."""
    changes = [
        TagChange(name, ours.get(name), digest)
        for name, digest in seen.items()
        if ours.get(name) != digest
    ]
    changes += [TagChange(name, ours[name], None) for name in removed if name in ours]
    return tuple(sorted(changes, key=lambda change: change.tag))


_NUMBER = re.compile(r"\d+")


def version_key(tag: str) -> str:
    """A text that sorts as people read versions: 6.0.9 < 6.0.10, and 1.0-rc1 < 1.0 < 1.0.1.

    Each number gets its length in front, so that a longer one is greater; `-` becomes the lowest
    character and the end the next one up, so that a pre-release comes before its release.
    """
    padded = _NUMBER.sub(lambda found: _sortable(found[0]), tag.lower())
    return padded.replace("-", "!") + '"'


def _sortable(number: str) -> str:
    digits = number.lstrip("0") or "0"
    return f"{len(digits):03d}{digits}"
