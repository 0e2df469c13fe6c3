"""Listings by page number: nothing is missed, and what moves is noticed."""

import asyncio
from collections.abc import Callable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from registries.connectors.overlapping import following, overlapping_pages
from registries.oci.errors import ServerFailed

Names = list[str]
Meanwhile = Callable[[int, Names], None]


def listed(names: Names, meanwhile: Meanwhile = lambda _at, _names: None, cap: int = 100) -> Names:
    """What comes of listing these; before request `at` something happens to them."""
    asked: list[tuple[int, int]] = []

    async def ask(number: int, size: int) -> tuple[Names, bool]:
        meanwhile(len(asked), names)
        asked.append((number, size))
        size = min(size, cap)
        return names[(number - 1) * size : number * size], number * size < len(names)

    async def run() -> Names:
        pages = overlapping_pages(ask, lambda name: name, "names")
        return [name async for page in pages for name in page]

    found = asyncio.run(run())
    assert len(set(asked)) == len(asked)
    return found


def numbered(count: int) -> Names:
    return [f"n{number}" for number in range(count)]


@given(st.integers(0, 1500), st.sampled_from([1, 2, 3, 7, 50, 99, 100]))
@example(100, 100)
@example(101, 100)
@example(1500, 100)
def test_all_that_lies_still_is_listed_once_whatever_the_servers_pages(
    count: int, cap: int
) -> None:
    assert listed(numbered(count), cap=cap) == numbered(count)


@given(st.integers(101, 1500), st.integers(1, 4), st.data())
def test_one_that_goes_is_noticed_or_hides_no_other(
    count: int, when: int, data: st.DataObject
) -> None:
    gone = data.draw(st.integers(0, count - 1))
    left = [name for name in numbered(count) if name != f"n{gone}"]

    def delete(at: int, names: Names) -> None:
        if at == when and f"n{gone}" in names:
            names.remove(f"n{gone}")

    try:
        found = listed(numbered(count), delete)
    except ServerFailed:
        return
    assert set(left) <= set(found)


def test_one_that_goes_from_a_page_that_was_read_is_noticed() -> None:
    def delete(at: int, names: Names) -> None:
        if at == 1:
            names.remove("n0")

    with pytest.raises(ServerFailed, match="while names were listed"):
        listed(numbered(250), delete)


def test_one_that_is_pushed_to_the_front_is_noticed() -> None:
    def push(at: int, names: Names) -> None:
        if at == 1:
            names.insert(0, names.pop())

    with pytest.raises(ServerFailed):
        listed(numbered(250), push)


@given(st.integers(1, 20_000), st.integers(1, 100))
def test_the_next_page_goes_on_and_misses_nothing(end: int, largest: int) -> None:
    number, size = following(end, largest)
    assert (number - 1) * size <= end < number * size
    assert size <= largest


def test_a_listing_takes_few_pages_more_than_it_has() -> None:
    pages, end = 1, 100
    while end < 5000:
        number, size = following(end, 100)
        pages, end = pages + 1, number * size
    assert pages <= 50 * 1.2
    assert following(100, 100) == (2, 99)
    assert following(198, 100) == (3, 98)
