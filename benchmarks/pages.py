"""Every kind of page over a big catalog: milliseconds in the server, and its SQL queries."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from html import unescape
from importlib import import_module
from random import Random

from access.models import Grant, Role, User
from benchmarks import scale
from benchmarks.caller import browser_of
from benchmarks.listing import line
from benchmarks.report import Line
from registries.models import Registry

NEXT = re.compile(r'rel="next" href="([^"]+)"')
GRANTS = 50


def measure() -> list[Line]:
    from django.conf import settings

    settings.ALLOWED_HOSTS = ["testserver"]
    import_module("dashboard.wsgi")  # loaded, and out of the garbage collector's sight
    scale.fill()
    person, _ = User.objects.get_or_create(username="bench", is_superuser=True)
    everything = browser_of(person)
    lines = [line(everything, what, addresses()) for what, addresses in PAGES.items()]
    limited = browser_of(granted_patterns())
    return lines + [
        line(limited, f"{what}, with {GRANTS} pattern grants", addresses())
        for what, addresses in LIMITED.items()
    ]


def granted_patterns() -> User:
    """Somebody with twenty-five teams of 500 repositories each, and parts of as many others."""
    person, _ = User.objects.get_or_create(username="bench-limited")
    person.grants.all().delete()
    reader, registry = Role.objects.get(name="reader"), Registry.objects.get(name="scale")
    places = [f"team-{team:03d}" for team in range(0, GRANTS * 4, 4)]
    patterns = [
        f"{place}/area-{at % 11}/*" if at % 2 else f"{place}/*" for at, place in enumerate(places)
    ]
    Grant.objects.bulk_create(
        Grant(user=person, role=reader, registry=registry, path=path, granted_by="bench")
        for path in patterns
    )
    return person


def _repositories() -> Iterator[str]:
    random = Random(7)
    while True:
        number = random.randrange(scale.REPOSITORIES)
        yield f"team-{number % 200:03d}/area-{number % 11}/app-{number:06d}"


def _repository_page(suffix: str) -> Callable[[], Iterator[str]]:
    return lambda: (f"/r/scale/{path}{suffix}" for path in _repositories())


def _searches(pattern: str) -> Callable[[], Iterator[str]]:
    random = Random(11)

    def addresses() -> Iterator[str]:
        while True:
            yield "/search?q=" + pattern.format(random.randrange(scale.REPOSITORIES))

    return addresses


def _digests() -> Iterator[str]:
    from registries.models import Manifest

    known = list(Manifest.objects.order_by("digest").values_list("digest", flat=True)[:200])
    while True:
        for digest in known:
            yield f"/search?q={digest[:24]}"


def _namespaces() -> Iterator[str]:
    random = Random(5)
    while True:
        yield f"/r/scale/?ns=team-{random.randrange(200):03d}"


def _ever_deeper(address: str) -> Callable[[], Iterator[str]]:
    """A list's pages from the first on, by following its own links."""

    def addresses() -> Iterator[str]:
        browser = browser_of(User.objects.get(username="bench"))
        page = address
        while True:
            yield page
            link = NEXT.search(browser.content(page).decode())
            page = address.partition("?")[0] + unescape(link[1]) if link else address

    return addresses


def _filters() -> Iterator[str]:
    """What people type: the end of a name, the middle of a path, a team, a letter too few."""
    random = Random(13)
    while True:
        number = random.randrange(scale.REPOSITORIES)
        yield f"/r/scale/?view=flat&q=app-{number:06d}"
        yield f"/r/scale/?view=flat&q=area-{number % 11}/app-0{number % 10}"
        yield f"/r/scale/?view=flat&q=team-{number % 200:03d}"
        yield f"/r/scale/?view=flat&q={number % 100:02d}"


def _same(address: str) -> Callable[[], Iterator[str]]:
    def addresses() -> Iterator[str]:
        while True:
            yield address

    return addresses


PAGES: dict[str, Callable[[], Iterator[str]]] = {
    "Overview": _same("/"),
    "Registries": _same("/registries/"),
    "Registry, tree": _same("/r/scale/"),
    "Registry, a namespace": _namespaces,
    "Registry, flat by path": _same("/r/scale/?view=flat"),
    "Registry, flat by push": _same("/r/scale/?view=flat&sort=-date"),
    "Registry, flat by size": _same("/r/scale/?view=flat&sort=-size"),
    "Registry, page after page": _ever_deeper("/r/scale/?view=flat"),
    "Registry, filtered by substrings": _filters,
    "Tags": _repository_page(""),
    "Tags by size": _repository_page("?sort=-size"),
    "20,000 tags, page after page": _ever_deeper(f"/r/scale/{scale.HUGE}"),
    "20,000 tags by name": _same(f"/r/scale/{scale.HUGE}?sort=name"),
    "20,000 tags by size": _same(f"/r/scale/{scale.HUGE}?sort=-size"),
    "20,000 tags, filtered": _same(f"/r/scale/{scale.HUGE}?q=99"),
    "Artifacts": _repository_page("/-/artifacts"),
    "Image": _repository_page("/-/tags/1.2"),
    "Image of two platforms": _repository_page("/-/tags/1.1"),
    "Tag history": _repository_page("/-/tags/1.1/history"),
    "Compare": _repository_page("/-/compare?from=1.2&to=1.3"),
    "Search, one repository": _searches("app-{:06d}"),
    "Search, common substring": _same("/search?q=app"),
    "Search, two letters": _same("/search?q=ap"),
    "Search, no match": _same("/search?q=zebra"),
    "Search, tag": _same("/search?q=1.7"),
    "Search, digest": _digests,
}
# Lists and sums of somebody who may not see everything.
LIMITED = {
    name: PAGES[name]
    for name in (
        "Overview",
        "Registries",
        "Registry, tree",
        "Registry, flat by path",
        "Registry, flat by push",
        "Registry, flat by size",
        "Registry, filtered by substrings",
        "Search, common substring",
    )
}
