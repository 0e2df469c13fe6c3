"""Pages by key: "the fifty after this one", at the same price on the last page as on the first.

OFFSET reads all that it skips, and COUNT(*) all there is; on two million tags both are slower than
a page may take (measured). So there are no page numbers, and counts stop at a thousand.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from django.core import signing
from django.core.exceptions import ValidationError
from django.db.models import BooleanField, F, Func, Model, QuerySet, Value
from django.db.models.expressions import Combinable
from django.http import QueryDict

PAGE_SIZE = 50
COUNT_CAP = 1000

# The annotation that holds what a row is sorted by.
KEY = "sorted_by"

M = TypeVar("M", bound=Model)
T = TypeVar("T")


class InvalidCursor(ValueError):  # noqa: N818  named for what it is
    """A text that no page of this list and order gave out."""


@dataclass(frozen=True, slots=True)
class CappedCount:
    """How many there are, counted up to a cap; `capped` says that there are more than `value`."""

    value: int
    capped: bool

    @classmethod
    def of(cls, rows: QuerySet[Any], cap: int = COUNT_CAP) -> CappedCount:
        """Counts with one query that stops after `cap` rows."""
        found = rows.order_by()[: cap + 1].count()
        return cls(value=min(found, cap), capped=found > cap)

    @classmethod
    def beside(cls, page: Page[Any], rows: QuerySet[Any], *, stored: int = 0) -> CappedCount:
        """Counts without a query where the page holds all the rows there are, or where a stored
        counter says that there are more than anybody counts."""
        if page.is_all:
            return cls(value=len(page.rows), capped=False)
        if stored > COUNT_CAP:
            return cls(value=COUNT_CAP, capped=True)
        return cls.of(rows)

    def __bool__(self) -> bool:
        return self.value > 0


@dataclass(frozen=True, slots=True)
class Column:
    """Something a list may be sorted by: an expression that is never null, and its type.

    Where no index has that order, all rows are sorted for a page. `alone` sorts nothing but keys
    and ids, and reads the page's rows by those, with a second statement.
    """

    key: Combinable
    type: type[str | int | datetime]
    descending_first: bool = False
    alone: bool = False

    def parse(self, value: Any) -> Any:
        """The value of a cursor. Raises ValueError or TypeError if it is of another type."""
        if issubclass(self.type, datetime):
            return self.type.fromisoformat(value)
        return self.type(value)


@dataclass(frozen=True, slots=True)
class Order:
    """A column and a direction, as the address has them: `?sort=date` or `?sort=-date`."""

    key: str
    descending: bool
    columns: Mapping[str, Column]

    @classmethod
    def read(cls, text: str, columns: Mapping[str, Column]) -> Order:
        """The order that was asked for, or the first column's own if there is no such order."""
        key = text.removeprefix("-")
        if key in columns:
            return cls(key, text.startswith("-"), columns)
        key = next(iter(columns))
        return cls(key, columns[key].descending_first, columns)

    @property
    def column(self) -> Column:
        return self.columns[self.key]

    def link_for(self, key: str) -> str:
        """The `sort` that a click on a column's head asks for: its own way, or the other way round."""
        descending = not self.descending if key == self.key else self.columns[key].descending_first
        return f"-{key}" if descending else key

    def __str__(self) -> str:
        return f"-{self.key}" if self.descending else self.key


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Rows in order, and the query strings of the pages before and after (empty if none)."""

    rows: Sequence[T]
    previous: str
    next: str

    @property
    def is_all(self) -> bool:
        """Whether there is no other page."""
        return not self.previous and not self.next

    def __bool__(self) -> bool:
        return bool(self.rows)


def replaced(page: Page[Any], rows: Sequence[T]) -> Page[T]:
    """The same page with other rows: what is shown of the ones that were read."""
    return Page(rows, page.previous, page.next)


def paginate(
    rows: QuerySet[M], *, order: Order, query: QueryDict, size: int = PAGE_SIZE
) -> Page[M]:
    """The page that `?after=` or `?before=` of the query names, with one statement (with two, where
    ids are sorted alone).

    A cursor that is forged, of another order or out of date gives the first page.
    """
    try:
        name, cursor = read_cursor(query, rows.model, order)
    except InvalidCursor:
        name, cursor = "", None
    backwards = name == "before"
    descending = order.descending != backwards
    keyed = rows.annotate(**{KEY: order.column.key})
    if cursor is not None:
        keyed = keyed.filter(_beyond(cursor, descending=descending))
    sign = "-" if descending else ""
    sorting = f"{sign}{KEY}", f"{sign}pk"
    if order.column.alone:
        chosen = list(keyed.order_by(*sorting).values_list("pk", flat=True)[: size + 1])
        keyed = rows.annotate(**{KEY: order.column.key}).filter(pk__in=chosen)
    found = list(keyed.order_by(*sorting)[: size + 1])
    more = len(found) > size
    shown = found[:size]
    if backwards:
        shown.reverse()
    has_previous = more if backwards else cursor is not None
    has_next = backwards or more
    return Page(
        rows=shown,
        previous=_link(query, "before", shown[0], order) if shown and has_previous else "",
        next=_link(query, "after", shown[-1], order) if shown and has_next else "",
    )


def _beyond(cursor: tuple[Any, Any], *, descending: bool) -> Func:
    """A comparison of rows, which Postgres answers from an index on the same columns."""
    here = Func(F(KEY), F("pk"), function="ROW")
    there = Func(*(Value(part) for part in cursor), function="ROW")
    return Func(
        here,
        there,
        template="(%(expressions)s)",
        arg_joiner=" < " if descending else " > ",
        output_field=BooleanField(),
    )


def read_cursor(
    query: QueryDict, model: type[Model], order: Order
) -> tuple[str, tuple[Any, Any] | None]:
    """Which of `after` and `before` was given, and the place that it stands for; ("", None) without
    either. Raises InvalidCursor for one that is forged, of another list or order, or out of date."""
    for name in ("after", "before"):
        if text := query.get(name, ""):
            try:
                key, pk = signing.loads(text, salt=_salt(model, order))
                return name, (order.column.parse(key), model._meta.pk.to_python(pk))
            except (signing.BadSignature, ValidationError, ValueError, TypeError):
                raise InvalidCursor from None
    return "", None


def cursor_of(row: Model, order: Order) -> str:
    """The place of a row that has its KEY, for `after` and `before`."""
    return cursor_at(type(row), order, getattr(row, KEY), row.pk)


def cursor_at(model: type[Model], order: Order, key: Any, pk: Any) -> str:
    """The place of this key and id, whether there is such a row or not."""
    plain = key.isoformat() if isinstance(key, datetime) else key
    id_ = pk if isinstance(pk, int) else str(pk)
    return signing.dumps((plain, id_), salt=_salt(model, order))


def _link(query: QueryDict, name: str, row: Model, order: Order) -> str:
    target = query.copy()
    for other in ("after", "before"):
        target.pop(other, None)
    target[name] = cursor_of(row, order)
    return target.urlencode()


def _salt(model: type[Model], order: Order) -> str:
    return f"page of {model._meta.label_lower} by {order}"
