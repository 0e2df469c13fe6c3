"""An answer measured: milliseconds in the server, statements, and for a list of the REST API the bare
SQL of its page.

A deep page is one nine tenths down, reached by a cursor as the page before it would have given it.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from django.db import connection
from django.db.models import QuerySet
from django.test.utils import CaptureQueriesContext

from benchmarks.caller import Caller
from benchmarks.report import Line
from dashboard.pagination import KEY, Column, Order, cursor_of

REQUESTS = 60
COUNTED = 10
SIZE = 100
DEEP = 0.9
P95_AT_MOST = 0.060
API = "/api/v1"


@dataclass(frozen=True)
class Listing:
    """A list in one of its orders: its address, and the rows that it pages."""

    what: str
    address: str
    rows: QuerySet[Any]
    columns: Mapping[str, Column]
    sort: str
    length: int = 0  # counted if it is not known

    @property
    def pages(self) -> dict[str, str]:
        """The addresses of its first page and of a deep one."""
        joint = "&" if "?" in self.address else "?"
        first = f"{self.address}{joint}limit={SIZE}&sort={self.sort}"
        order = Order.read(self.sort, self.columns)
        sign = "-" if order.descending else ""
        keyed = self.rows.annotate(**{KEY: order.column.key}).order_by(f"{sign}{KEY}", f"{sign}pk")
        length = self.length or self.rows.count()
        cursor = cursor_of(keyed[int(length * DEEP)], order)
        return {"first page": first, "a deep page": f"{first}&after={cursor}"}

    def lines(self, caller: Caller) -> list[Line]:
        """Its first page and a deep one, each beside its own SQL."""
        return [
            line(caller, f"{self.what}, {which}", same(address), with_bare=True)
            for which, address in self.pages.items()
        ]


def line(caller: Caller, what: str, addresses: Iterator[str], *, with_bare: bool = False) -> Line:
    seconds, queries, bare_seconds = [], set(), []
    caller.get(next(addresses))  # the connection is open
    for _ in range(REQUESTS):
        address = next(addresses)
        begun = time.perf_counter()
        caller.get(address)
        seconds.append(time.perf_counter() - begun)
    # Apart from that: to note statements takes a fifth of some answers' time.
    for _ in range(COUNTED):
        address = next(addresses)
        with CaptureQueriesContext(connection) as captured:
            caller.get(address)
        queries.add(len(captured))
        if with_bare:
            # Two, where ids are sorted alone.
            statements = (one["sql"] for one in captured.captured_queries)
            page = [sql for sql in statements if sql.endswith(f" LIMIT {SIZE + 1}")]
            bare_seconds.append(sum(map(_bare, page)))
    p50, p95 = share_of(seconds, 0.5), share_of(seconds, 0.95)
    bare = share_of(bare_seconds, 0.5) if with_bare else 0
    beside = f"; the page's SQL alone {bare * 1000:.0f} ms, × {p50 / bare:.1f}" if bare else ""
    return Line(
        f"{what} ({min(queries)}–{max(queries)} queries)",
        f"p50 {p50 * 1000:.0f} ms, p95 {p95 * 1000:.0f} ms{beside}",
        "p95 ≤ 60 ms",
        p95 <= P95_AT_MOST,
    )


def _bare(statement: str) -> float:
    """Seconds that a statement of the page itself takes, with its rows read and written as JSON."""
    begun = time.perf_counter()
    with connection.cursor() as cursor:
        cursor.execute(statement)
        orjson.dumps([list(row) for row in cursor.fetchall()], default=str)
    return time.perf_counter() - begun


def share_of(seconds: Sequence[float], share: float) -> float:
    return sorted(seconds)[int(len(seconds) * share)]


def same(address: str) -> Iterator[str]:
    while True:
        yield address
