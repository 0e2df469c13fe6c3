"""Repositories' readings cut into slices of bounded size, and those gathered into batches."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from registries.oci.outlines import Outline
from registries.oci.reference import Digest
from registries.sync.plan import plan_reading
from registries.sync.readings import Known, Listing, TagSlice

# Tags of one repository in a slice, and requests of the slices that are read together. Small
# enough that a few batches in flight weigh little, large enough that a commit costs little each.
TAGS_IN_SLICE = 400
READ_TOGETHER = 400
# What a listing told needs no request, only rows.
ROWS_TOGETHER = 4000


def slice_tags(listing: Listing, known: Known, *, full: bool = False) -> Iterator[TagSlice]:
    """A listed repository's tags as slices of bounded size, at least one; the last one says so."""
    assert listing.tags is not None  # noqa: S101  the caller has looked; for the type checker
    outlines = listing.manifests.outlines
    described = known.digests | outlines.keys()
    plan = plan_reading(known.tags, listing.tags, described=described, full=full)
    size = TAGS_IN_SLICE
    told, tags = list(plan.told.items()), list(plan.listed.items())
    # An outline comes no later than the tags that point at it.
    ordered = [outlines[digest] for digest in _in_order(plan.listed.values(), outlines)]
    facts = list(listing.tags.facts.items())
    parts = (plan.ask, plan.read, told, tags, plan.removed, ordered, facts, [None])
    count = max(-(-len(part) // size) for part in parts)
    for number in range(count):
        here = slice(number * size, (number + 1) * size)
        is_last = number == count - 1
        yield TagSlice(
            path=listing.path,
            at=listing.at,
            ours=known.tags,
            ask=plan.ask[here],
            read=plan.read[here],
            told=dict(told[here]),
            listed=dict(tags[here]),
            outlines=tuple(ordered[here]),
            facts=dict(facts[here]),
            removed=plan.removed[here],
            is_last=is_last,
            is_complete=listing.tags.complete,
            repository=listing.repository if is_last else None,
            holds=frozenset(outlines) if is_last and listing.manifests.complete else None,
            problems=listing.problems if is_last else (),
        )


def _in_order(
    pointed_at: Iterable[Digest], outlines: Mapping[Digest, Outline]
) -> dict[Digest, None]:
    """The digests of outlines, first those that tags point at, in the order of the tags."""
    first = dict.fromkeys(digest for digest in pointed_at if digest in outlines)
    return first | dict.fromkeys(outlines)


def gather_slices(slices: Iterable[TagSlice]) -> Iterator[list[TagSlice]]:
    """Slices in batches of about as many requests, or rows, as are taken together.

    A batch never holds two slices of one repository: it ends with what is not a last one.
    """
    batch: list[TagSlice] = []
    requests = rows = 0
    for part in slices:
        batch.append(part)
        requests += part.requests
        rows += len(part.listed) + len(part.outlines) + len(part.facts)
        if requests >= READ_TOGETHER or rows >= ROWS_TOGETHER or not part.is_last:
            yield batch
            batch, requests, rows = [], 0, 0
    if batch:
        yield batch
