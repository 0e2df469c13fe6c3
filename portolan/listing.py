"""A list of the API as a command shows it: so many rows, and a word if there are more."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

from portolan.output import Column
from portolan.session import Session


def list_rows(
    session: Session,
    address: str,
    columns: Sequence[Column],
    *,
    limit: int | None,
    empty: str = "Nothing.",
    each: Sequence[Mapping[str, Any]] = ({},),
    **query: Any,
) -> None:
    """Print the rows of a list, at most `limit` (None: all). `each` has what several lists, shown
    as one, are asked for besides."""
    cut = _Cut(limit)
    # One more than is shown: whether there are more is said, and costs no request.
    wanted = None if limit is None else limit + 1
    pages = (session.server.pages(address, limit=wanted, **query, **more) for more in each)
    rows = cut.of(chain.from_iterable(pages))
    session.out.rows(columns, rows, empty=empty)
    if cut.was_cut:
        session.out.note(f"There are more than these {limit}: --limit N, or --all.")


class _Cut:
    """Lets so many rows through, and remembers whether there was another."""

    def __init__(self, limit: int | None) -> None:
        self._limit = limit
        self.was_cut = False

    def of(self, rows: Iterator[Any]) -> Iterator[Any]:
        for number, row in enumerate(rows):
            if number == self._limit:
                self.was_cut = True
                return
            yield row
