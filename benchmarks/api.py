"""Lists and the export of the REST API over a big catalog: milliseconds in the server beside the bare
SQL of the same page, and rows a second beside a bare cursor and COPY.
"""

from __future__ import annotations

import resource
import time
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any, cast

from django.db import connection, transaction

from access.models import User
from access.policy import visible_repositories
from benchmarks import api_company, scale
from benchmarks.caller import Caller, caller_of
from benchmarks.listing import API, COUNTED, REQUESTS, SIZE, Listing, line
from benchmarks.report import Line
from dashboard.api.catalog import export
from dashboard.browse import repositories, tags
from registries.models import Manifest, Registry, Repository

ROWS_A_SECOND = 20_000
# What may come on top while a million rows pass.
MIB_AT_MOST = 32
HERE = f"{API}/registries/scale/repositories"
INSIDE = f"{HERE}/{scale.HUGE}/-"


def measure() -> list[Line]:
    from django.conf import settings

    settings.ALLOWED_HOSTS = ["testserver"]
    settings.API_REQUESTS_PER_MINUTE = 10**9  # counted like everything, and never reached
    import_module("dashboard.wsgi")  # loaded, and out of the garbage collector's sight
    scale.fill()
    person, _ = User.objects.get_or_create(username="bench", is_superuser=True)
    caller = caller_of(person)
    lines = [each for one in _listings() for each in one.lines(caller)]
    lines += [line(caller, what, addresses()) for what, addresses in OTHERS.items()]
    lines += api_company.lines(caller)
    return [*lines, *_export_lines(caller, person)]


# Lists ------------------------------------------------------------------------------------------


def _listings() -> Iterator[Listing]:
    registry = Registry.objects.get(name="scale")
    huge = Repository.objects.get(registry=registry, path=scale.HUGE)
    present = Repository.objects.present()
    anywhere = repositories.COLUMNS_ANYWHERE
    of_all = "Repositories of all registries"
    yield Listing(of_all, f"{API}/repositories", present, anywhere, "path", scale.REPOSITORIES)
    for what, address, rows, columns, sorts, length in (
        (
            "Repositories of one",
            HERE,
            present.filter(registry=registry),
            repositories.COLUMNS,
            ("path", "-date", "-size"),
            scale.REPOSITORIES,
        ),
        (
            "20,000 tags",
            f"{INSIDE}/tags",
            huge.tags.for_people(),
            tags.TAG_COLUMNS,
            ("-date", "name", "-size"),
            20_000,
        ),
        (
            "20,000 manifests",
            f"{INSIDE}/manifests",
            huge.artifacts.present(),
            tags.ARTIFACT_COLUMNS,
            ("-date", "-size"),
            20_000,
        ),
    ):
        for sort in sorts:
            by = sort.removeprefix("-")
            yield Listing(f"{what} by {by}", address, rows, columns, sort, length)


def _of_repositories(suffix: str) -> Callable[[], Iterator[str]]:
    """The same of one repository after another."""

    def addresses() -> Iterator[str]:
        for number in range(7, scale.REPOSITORIES, 991):
            path = f"team-{number % 200:03d}/area-{number % 11}/app-{number:06d}"
            yield f"{HERE}/{path}{suffix}"

    return addresses


def _of_digests(suffix: str) -> Callable[[], Iterator[str]]:
    def addresses() -> Iterator[str]:
        some = Manifest.objects.order_by("digest").values_list("digest", flat=True)
        for digest in some[: REQUESTS + COUNTED + 1]:
            yield f"{API}/digests/{digest}{suffix}"

    return addresses


def _of_texts(address: str, *texts: str) -> Callable[[], Iterator[str]]:
    def addresses() -> Iterator[str]:
        while True:
            for text in texts:
                yield f"{address}{text}"

    return addresses


OTHERS: dict[str, Callable[[], Iterator[str]]] = {
    "Registries": _of_texts(f"{API}/registries", ""),
    "Repositories of all by a substring": _of_texts(
        f"{API}/repositories?limit={SIZE}&q=", "app-0123", "area-3/app-0", "team-017", "42"
    ),
    "Repositories of one by a substring": _of_texts(
        f"{HERE}?limit={SIZE}&q=", "app-0123", "area-3/app-0", "team-017", "42"
    ),
    "A namespace's repositories": _of_texts(
        f"{API}/repositories?limit={SIZE}&namespace=", "team-017", "team-100", "team-199"
    ),
    "A repository": _of_repositories(""),
    "A repository's tags": _of_repositories("/-/tags"),
    "A tag": _of_repositories("/-/tags/1.2"),
    "A tag's history": _of_repositories("/-/tags/1.1/history"),
    "A repository's activity": _of_repositories("/-/activity"),
    "A repository's manifests": _of_repositories("/-/manifests"),
    "20,000 manifests, untagged": _of_texts(f"{INSIDE}/manifests?show=untagged&limit={SIZE}", ""),
    "20,000 tags, filtered": _of_texts(f"{INSIDE}/tags?limit={SIZE}&q=", "99", "build-1", "7"),
    "Comparison": _of_repositories("/-/compare?from=1.2&to=1.3"),
    "A digest": _of_digests(""),
    "A digest's places": _of_digests(f"/places?limit={SIZE}"),
    "A digest's tags": _of_digests(f"/tags?limit={SIZE}"),
    "Search": _of_texts(f"{API}/search?limit=100&q=", "app-0123", "app", "ap", "1.7", "zebra"),
}


# The export -------------------------------------------------------------------------------------


def _export_lines(caller: Caller, person: User) -> list[Line]:
    statement = _statement(person)
    copied = _rate(_copied(statement))
    fetched = _rate(_fetched(statement))
    caller.get(f"{API}/registries")  # what every request loads is loaded
    lines = []
    for form in ("jsonl", "csv"):
        before = _peak()
        answer: Any = caller.read(f"{API}/tags?format={form}")
        rate = _rate(chunk.count(b"\n") for chunk in answer)
        answer.close()
        grown = _peak() - before
        beside = f"× {rate / fetched:.2f} of a bare cursor, × {rate / copied:.2f} of COPY"
        lines += [
            Line(
                f"Export of all tags as {form}",
                f"{rate:,.0f} rows/s ({beside})",
                f"≥ {ROWS_A_SECOND:,} rows/s",
                rate >= ROWS_A_SECOND,
            ),
            Line(
                f"Memory on top for it, as {form}",
                f"{grown} MiB",
                f"≤ {MIB_AT_MOST} MiB",
                grown <= MIB_AT_MOST,
            ),
        ]
    return lines


def _statement(person: User) -> str:
    """What the export asks of the big registry."""
    seen = visible_repositories(person).present().filter(registry__name="scale")
    sql, params = export.tags_in(seen).query.sql_with_params()
    with connection.cursor() as cursor:
        return str(cast("Any", cursor).mogrify(sql, params))


def _rate(counts: Iterator[int]) -> float:
    begun = time.perf_counter()
    return sum(counts) / (time.perf_counter() - begun)


def _fetched(statement: str) -> Iterator[int]:
    with transaction.atomic(), connection.chunked_cursor() as cursor:
        cursor.execute(statement)
        while rows := cursor.fetchmany(export.ROWS_AT_A_TIME):
            yield len(rows)


def _copied(statement: str) -> Iterator[int]:
    with connection.cursor() as cursor, cursor.copy(f"COPY ({statement}) TO STDOUT") as copy:
        for _row in copy:
            yield 1


def _peak() -> int:
    """The most that this process ever had in memory, in MiB; measured before and after."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
