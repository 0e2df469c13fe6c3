from __future__ import annotations

import pytest
from django.core import signing
from django.db.models import F
from django.http import QueryDict
from pytest_django import DjangoAssertNumQueries

from dashboard.pagination import CappedCount, Column, Order, Page, paginate
from registries.models import Repository
from tests import catalog

pytestmark = pytest.mark.django_db
COLUMNS = {"path": Column(F("path"), str), "size": Column(F("unique_bytes"), int, True)}
SIZE = 3


@pytest.fixture(autouse=True)
def ten_repositories() -> None:
    registry = catalog.registry()
    for number in range(10):
        # Sizes repeat, so that the second part of the key has to decide.
        catalog.repository(registry, f"app-{number}", unique_bytes=number // 4)


def page(query: str, sort: str = "") -> Page[Repository]:
    order = Order.read(sort, COLUMNS)
    return paginate(Repository.objects.all(), order=order, query=QueryDict(query), size=SIZE)


def walk(sort: str, direction: str, start: str = "") -> list[list[str]]:
    pages, query = [], start
    while True:
        found = page(query, sort)
        pages.append([row.path for row in found.rows])
        query = getattr(found, direction)
        if not query:
            return pages


@pytest.mark.parametrize("sort", ["path", "-path", "size", "-size"])
def test_walking_forward_meets_every_row_once(sort: str) -> None:
    paths = [path for rows in walk(sort, "next") for path in rows]
    assert sorted(paths) == [f"app-{number}" for number in range(10)]


@pytest.mark.parametrize("sort", ["path", "-path", "size", "-size"])
def test_walking_back_gives_the_same_pages(sort: str) -> None:
    query = ""
    while following := page(query, sort).next:
        query = following
    forward = [path for rows in walk(sort, "next") for path in rows]
    backward = walk(sort, "previous", start=query)
    assert backward[0] == forward[9:]
    assert [path for rows in reversed(backward) for path in rows] == forward


def test_the_first_page_has_none_before_and_the_last_none_after() -> None:
    first = page("")
    assert not first.previous
    assert first.next
    last = page(page(page(first.next).next).next)
    assert [row.path for row in last.rows] == ["app-9"]
    assert last.previous
    assert not last.next


def test_other_parts_of_the_address_stay_in_the_links() -> None:
    assert "q=app" in page("q=app").next


@pytest.mark.parametrize(
    "cursor",
    [
        "nonsense",
        signing.dumps(("app-3", 1), salt="another list"),
        signing.dumps(("app-3", "one"), salt="page of registries.repository by path"),
        signing.dumps("app-3", salt="page of registries.repository by path"),
    ],
    # A signature holds the second it was made in, and the workers must agree on names.
    ids=["no signature", "another list's", "another type", "no list"],
)
def test_a_cursor_that_is_not_ours_gives_the_first_page(cursor: str) -> None:
    assert [row.path for row in page(f"after={cursor}").rows] == ["app-0", "app-1", "app-2"]


def test_a_cursor_of_another_order_gives_the_first_page() -> None:
    following = page("", "size").next
    assert [row.path for row in page(following, "path").rows] == ["app-0", "app-1", "app-2"]


def test_an_order_that_does_not_exist_is_the_first_one() -> None:
    assert str(Order.read("password", COLUMNS)) == "path"


def test_a_head_asks_for_its_own_direction_first_and_then_for_the_other() -> None:
    assert Order.read("path", COLUMNS).link_for("size") == "-size"
    assert Order.read("-size", COLUMNS).link_for("size") == "size"


def test_counting_stops_at_the_cap() -> None:
    assert CappedCount.of(Repository.objects.all(), cap=10) == CappedCount(10, capped=False)
    assert CappedCount.of(Repository.objects.all(), cap=9) == CappedCount(9, capped=True)


def test_what_fits_one_page_is_counted_without_asking(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    rows = Repository.objects.filter(path__lt="app-3")
    shown = paginate(rows, order=Order.read("", COLUMNS), query=QueryDict(), size=SIZE)
    with django_assert_num_queries(0):
        assert CappedCount.beside(shown, rows) == CappedCount(3, capped=False)


def test_a_stored_counter_far_beyond_the_cap_saves_the_counting(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    rows = Repository.objects.all()
    with django_assert_num_queries(1):
        shown = page("")
        assert CappedCount.beside(shown, rows, stored=5000) == CappedCount(1000, capped=True)
    assert CappedCount.beside(shown, rows, stored=900) == CappedCount(10, capped=False)
