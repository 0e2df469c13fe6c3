"""Listings by page number that tell no total, read so that what slips between two pages is noticed.

Nothing holds such a listing still: where an entry goes, all behind it move up, and the first of the
next page is then on one that was read. So each page is asked to begin within the one before: it has
to begin with what that one ended with. That costs a page in ten or so, and nothing up to a hundred.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from registries.oci.errors import ServerFailed

# One page by its number and size: its entries, and whether more follow.
Ask = Callable[[int, int], Awaitable[tuple[list[Any], bool]]]


async def overlapping_pages(
    ask: Ask, key: Callable[[Any], str | None], what: str, *, largest: int = 100
) -> AsyncIterator[list[Any]]:
    """Yield the entries page by page; `key` tells them apart, None for what nothing does.

    Raises `ServerFailed` after a page that does not begin as it has to. Of a page with fewer entries
    than were asked for it is not known which are missing: then nothing is said of its two ends.
    """
    number, size, end = 1, largest, 0
    before: list[str | None] = []
    was_full = False
    while True:
        listed, more = await ask(number, size)
        keys = [key(entry) for entry in listed]
        is_full = len(listed) == size or not more
        again = max(0, end - (number - 1) * size)
        shared = min(again, len(before))
        if was_full and is_full and keys[again - shared : again] != before[len(before) - shared :]:
            yield listed
            raise ServerFailed(
                f"There was a push or a deletion while {what} were listed, so that there is a gap.",
                advice="The next sync lists them again.",
            )
        known = {name for name in before if name is not None}
        yield [
            entry
            for place, entry in enumerate(listed)
            if place >= again or keys[place] not in known
        ]
        if not more:
            return
        if number == 1 and not is_full:
            # Some servers have smaller pages.
            largest = size = max(1, len(listed))
        end, before, was_full = number * size, keys, is_full
        number, size = following(end, largest)


def following(end: int, largest: int) -> tuple[int, int]:
    """Return number and size of the page that holds entry `end - 1` and goes on the farthest.

    Where none holds it and goes on, as with pages of one or two, that of the page after it.
    """
    pages = (((end - 1) // size + 1, size) for size in range(1, largest + 1))
    number, size = max(pages, key=lambda page: page[0] * page[1])
    return (number, size) if number * size > end else (end // largest + 1, largest)
