"""What to read, and what changed: decided without a registry and without a database."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from itertools import groupby

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registries.connectors.base import RepositoryPage
from registries.models import Tag
from registries.oci.listings import TagListing
from registries.oci.reference import Digest, is_tag
from registries.sync import reader
from registries.sync import slices as slicing
from registries.sync.plan import TagChange, compare, plan_reading, version_key
from registries.sync.readings import Known, Listing, TagSlice
from registries.sync.slices import gather_slices, slice_tags

AT = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
A, B, C = (Digest("sha256:" + letter * 64) for letter in "abc")

names = st.sampled_from([f"v{number}" for number in range(12)])
digests = st.sampled_from([A, B, C])
catalogs = st.dictionaries(names, digests)
listings = st.builds(
    lambda names, told, complete: TagListing(
        tuple(names), complete=complete, digests={n: d for n, d in told.items() if n in names}
    ),
    st.lists(names, unique=True),
    catalogs,
    st.booleans(),
)
tags = st.from_regex(r"[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}", fullmatch=True)


# What to read


@given(catalogs, listings, st.booleans())
def test_every_listed_tag_is_read_once_or_known_to_be_the_same(
    ours: Mapping[str, Digest], listing: TagListing, full: bool
) -> None:
    plan = plan_reading(ours, listing, full=full)

    planned = [*plan.ask, *plan.read, *plan.told]
    assert len(planned) == len(set(planned)) == plan.requests
    skipped = set(listing.names) - set(planned)
    assert set(planned) <= set(listing.names)
    assert all(not full and ours[name] == listing.digests[name] for name in skipped)


@given(catalogs, listings)
def test_a_tag_we_hold_is_asked_for_and_a_new_one_is_read(
    ours: Mapping[str, Digest], listing: TagListing
) -> None:
    plan = plan_reading(ours, listing)

    assert set(plan.ask) <= ours.keys()
    assert not set(plan.read) & ours.keys()


@given(catalogs, listings)
def test_only_a_complete_listing_proves_what_is_gone(
    ours: Mapping[str, Digest], listing: TagListing
) -> None:
    gone = plan_reading(ours, listing).removed

    assert set(gone) == (ours.keys() - set(listing.names) if listing.complete else set())


def test_a_full_reading_takes_nothing_for_granted() -> None:
    plan = plan_reading({"1": A, "2": B}, TagListing(("1", "2"), digests={"2": B}), full=True)

    assert (plan.ask, plan.read, plan.told) == ((), ("1",), {"2": B})


# What changed


@given(catalogs, catalogs, st.sets(names))
def test_changes_lead_from_ours_to_what_was_seen(
    ours: dict[str, Digest], seen: dict[str, Digest], gone: set[str]
) -> None:
    removed = tuple(gone - seen.keys())
    changes = compare(ours, seen, removed)

    after = dict(ours)
    for change in changes:
        assert change.old == ours.get(change.tag)
        assert change.old != change.new
        if change.new is None:
            del after[change.tag]
        else:
            after[change.tag] = change.new
    expected = {name: digest for name, digest in ours.items() if name not in removed} | seen
    assert after == expected
    assert [change.tag for change in changes] == sorted({change.tag for change in changes})


def test_nothing_changed_is_no_change() -> None:
    assert compare({"1": A}, {"1": A}, ()) == ()
    assert compare({}, {}, ("never ours",)) == ()
    assert compare({"1": A}, {"1": B}, ()) == (TagChange("1", A, B),)


# The order of versions

ORDERED = [
    ["6.0.9", "6.0.10"],
    ["1.0-rc1", "1.0-rc2", "1.0-rc10", "1.0", "1.0.1", "1.1"],
    ["v1.9.9", "v1.10.0-alpha", "v1.10.0-beta", "v1.10.0", "v2"],
    ["9", "10", "100", "20240101", "20240102"],
    ["3.11-slim", "3.11", "3.12-slim", "3.12"],
    ["007", "8"],
]


@pytest.mark.parametrize("ordered", ORDERED, ids=lambda ordered: ordered[0])
def test_versions_sort_as_people_read_them(ordered: list[str]) -> None:
    mixed = ordered[::-1]

    assert sorted(mixed, key=version_key) == ordered


@given(st.lists(st.integers(0, 10**9), min_size=1, max_size=5), st.data())
def test_numbers_sort_by_value_and_a_prerelease_before_its_release(
    numbers: list[int], data: st.DataObject
) -> None:
    place = data.draw(st.integers(0, len(numbers) - 1))
    higher = [*numbers[:place], numbers[place] + 1, *numbers[place + 1 :]]
    release, later = (".".join(map(str, version)) for version in (numbers, higher))

    assert version_key(f"{release}-rc1") < version_key(release) < version_key(f"{release}.1")
    assert version_key(f"{release}.1") < version_key(later)


@given(tags)
def test_a_key_is_stable_ascii_and_fits_its_column(tag: str) -> None:
    assert is_tag(tag)
    key = version_key(tag)

    assert key == version_key(tag)
    assert key.isascii()
    assert len(key) <= (Tag._meta.get_field("version_key").max_length or 0)


def test_the_longest_key_fits_its_column() -> None:
    assert len(version_key("1a" * 64)) <= (Tag._meta.get_field("version_key").max_length or 0)


@given(tags, tags)
def test_only_case_and_leading_zeros_make_no_difference(one: str, other: str) -> None:
    def plain(tag: str) -> list[str]:
        parts = ("".join(run) for _, run in groupby(tag.lower(), str.isdigit))
        return [(part.lstrip("0") or "0") if part.isdigit() else part for part in parts]

    assert (version_key(one) == version_key(other)) == (plain(one) == plain(other))


# Slices and batches

SIZE = 5  # small, so that a few tags already make several slices


@pytest.fixture(scope="module", autouse=True)
def small() -> object:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(slicing, "TAGS_IN_SLICE", SIZE)
        patch.setattr(slicing, "READ_TOGETHER", SIZE)
        yield


many = st.integers(0, 23).map(lambda count: tuple(f"t{number}" for number in range(count)))


@given(many, st.data())
def test_slices_hold_every_tag_once_and_one_of_them_is_the_last(
    listed: tuple[str, ...], data: st.DataObject
) -> None:
    some = st.dictionaries(st.sampled_from(["old1", "old2", *listed]), digests)
    ours, told = data.draw(some), data.draw(some)
    told = {name: digest for name, digest in told.items() if name in listed}
    listing = TagListing(listed, digests=told)
    plan = plan_reading(ours, listing)

    slices = list(slice_tags(Listing("team/app", AT, listing), Known(ours)))

    assert [name for part in slices for name in part.ask] == list(plan.ask)
    assert [name for part in slices for name in part.read] == list(plan.read)
    assert [item for part in slices for item in part.told.items()] == list(plan.told.items())
    assert [name for part in slices for name in part.removed] == list(plan.removed)
    assert [part.is_last for part in slices] == [False] * (len(slices) - 1) + [True]
    for part in slices:
        assert max(map(len, (part.ask, part.read, part.told, part.removed))) <= SIZE
        assert part.at == AT


def test_a_repository_without_tags_is_a_slice_too() -> None:
    (part,) = slice_tags(Listing("team/app", AT, TagListing()), Known())

    assert part.is_last
    assert part.requests == 1  # costs its place in a batch


@given(st.lists(st.tuples(many, st.integers(0, 23)), max_size=8))
def test_batches_are_bounded_and_never_hold_two_slices_of_a_repository(
    repositories: list[tuple[tuple[str, ...], int]],
) -> None:
    def every() -> list[TagSlice]:
        return [
            part
            for number, (listed, gone) in enumerate(repositories)
            for part in slice_tags(
                Listing(f"repository{number}", AT, TagListing(listed)),
                Known({f"gone{index}": A for index in range(gone)}),
            )
        ]

    batches = list(gather_slices(every()))

    assert [part for batch in batches for part in batch] == every()
    for batch in batches:
        paths = [part.path for part in batch]
        assert len(paths) == len(set(paths))
        # All but the last slice fit; that one adds at most its parts and itself.
        assert sum(part.requests for part in batch[:-1]) < SIZE
        assert batch[-1].requests <= 2 * SIZE + 1


def test_a_catalog_is_cut_into_bounded_pages_without_losing_a_name() -> None:
    paths = tuple(f"r{number}" for number in range(reader.LISTED_TOGETHER * 2 + 1))

    cut = list(reader._cut([RepositoryPage(paths, listed=False)]))

    assert tuple(path for page in cut for path in page.paths) == paths
    assert max(len(page.paths) for page in cut) <= reader.LISTED_TOGETHER
    assert not any(page.listed for page in cut)
