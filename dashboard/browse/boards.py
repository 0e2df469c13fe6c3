"""Pages of a mirror's board. A cursor is the place of the row at the page's edge."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.core import signing
from django.http import QueryDict

from dashboard.browse.mirroring import Pair
from dashboard.pagination import InvalidCursor
from registries.mirroring.board import Asked, Board, RepositoryRow, TagRow

_SALT = "row of a mirror's board"


@dataclass(frozen=True, slots=True)
class Shown:
    """A row of a board with the paths of its two repositories."""

    row: TagRow | RepositoryRow
    source_path: str
    target_path: str


@dataclass(frozen=True, slots=True)
class Pages:
    """The query strings of the pages before and after; empty if there are none."""

    previous: str
    next: str


def rows_of(board: Board, asked: Asked, pair: Pair) -> list[Shown]:
    """The rows of the page, by repository or by tag as it was asked."""
    rows: Sequence[TagRow | RepositoryRow] = board.pairs if asked.by_repository else board.tags
    return [Shown(row, pair.at_source(row.rest), pair.at_target(row.rest)) for row in rows]


def read_cursor(query: QueryDict) -> tuple[tuple[str, str] | None, bool]:
    """The place that `after` or `before` stands for, None without either, and whether it is
    `before`. Raises InvalidCursor for one that no board gave out."""
    for name in ("after", "before"):
        if text := query.get(name, ""):
            try:
                rest, tag = signing.loads(text, salt=_SALT)
            except (signing.BadSignature, ValueError, TypeError):
                raise InvalidCursor from None
            return (rest, tag), name == "before"
    return None, False


def pages_of(query: QueryDict, asked: Asked, board: Board, rows: Sequence[Shown]) -> Pages:
    """The ways to the neighbours of a page."""
    if not rows:
        return Pages("", "")
    has_previous = board.more if asked.backwards else asked.cursor is not None
    has_next = asked.backwards or board.more
    return Pages(
        previous=_link(query, "before", rows[0].row) if has_previous else "",
        next=_link(query, "after", rows[-1].row) if has_next else "",
    )


def _link(query: QueryDict, name: str, row: TagRow | RepositoryRow) -> str:
    target = query.copy()
    for other in ("after", "before"):
        target.pop(other, None)
    tag = row.name if isinstance(row, TagRow) else ""
    target[name] = signing.dumps((row.rest, tag), salt=_SALT)
    return target.urlencode()
