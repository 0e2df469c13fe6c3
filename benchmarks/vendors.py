"""Vendors' bulk listings: how many requests a sync takes, against as many pages as there are.

Against the fakes of the tests, written from the vendors' documentation, with 20 ms before each
answer. What counts is how often something is asked, which no machine makes faster.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import ceil

from aiohttp import web

from benchmarks.report import Line
from benchmarks.syncing import forget_catalog
from registries.actor import SYSTEM
from registries.models import ApiCredential, Registry, RegistryCredential, SyncRun, Tag
from registries.oci.connection import Connection
from registries.secret import Secret
from registries.sync.run import execute_run, request_run
from tests.fakes import content
from tests.fakes.acr import FakeAcr
from tests.fakes.amazon import FakeEcr
from tests.fakes.dockerhub import FakeDockerHub
from tests.fakes.google import FakeGar
from tests.fakes.harbor import FakeHarbor
from tests.fakes.misbehaviour import always
from tests.fakes.quay import FakeQuay
from tests.fakes.registry import FakeRegistry
from tests.registries.connectors import vendors

LATENCY = 0.02
BUDGET = 1500  # requests a minute
OWNER = "team-a"


@dataclass(frozen=True)
class Shape:
    """So many repositories with so many tags, each with an image of its own."""

    repositories: int
    tags: int

    @property
    def total(self) -> int:
        """All tags."""
        return self.repositories * self.tags

    def pages(self, page: int) -> int:
        """Pages of tags, repository by repository."""
        return self.repositories * ceil(self.tags / page)


BIG = Shape(200, 500)
SMALL = Shape(40, 250)


@dataclass(frozen=True)
class Bulk:
    """A vendor, its fake with pages as large as the vendor gives, and the pages of a whole listing."""

    vendor: vendors.Vendor
    fake: Callable[[], FakeRegistry]
    pages: int


BULK = (
    # Projects, and the repositories of the only one.
    Bulk(vendors.HARBOR, FakeHarbor, 2 + SMALL.pages(100)),
    Bulk(vendors.QUAY, FakeQuay, 1 + SMALL.pages(100)),
    Bulk(vendors.DOCKERHUB, FakeDockerHub, 1 + SMALL.pages(100)),
    # Repositories of the project, and all images of the only one together.
    Bulk(vendors.GAR, lambda: FakeGar(page_size=1000), 1 + ceil(SMALL.total / 1000)),
    Bulk(vendors.ECR, lambda: FakeEcr(largest_page=1000), 1 + SMALL.pages(1000)),
)


def measure() -> list[Line]:
    """Return the lines of all vendors, and of keeping to a budget."""
    return [*_azure(), *map(_pages, BULK), *_budget()]


def _azure() -> list[Line]:
    with _filled(vendors.ACR, FakeAcr(), BIG) as (_, registry):
        cold, again = _requests(registry), _requests(registry)
        assert Tag.objects.count() == BIG.total
    return [
        Line(
            f"Azure, {BIG.total:,} tags: requests a tag of a cold listing ({cold:,})",
            f"{cold / BIG.total:.4f}",
            "≤ 0.03",
            cold / BIG.total <= 0.03,
        ),
        Line(
            f"Azure, nothing changed ({again:,} requests)",
            f"{again / BIG.total:.4f}",
            "≤ 0.012",
            again / BIG.total <= 0.012,
        ),
    ]


def _pages(bulk: Bulk) -> Line:
    with _filled(bulk.vendor, bulk.fake(), SMALL) as (_, registry):
        requests = _requests(registry)
        assert Tag.objects.count() == SMALL.total
    ratio = requests / bulk.pages
    return Line(
        f"{bulk.vendor.kind}, {SMALL.total:,} tags: {requests:,} requests for {bulk.pages:,} pages"
        f" ({requests / SMALL.total:.4f} a tag)",
        f"x {ratio:.2f}",
        "≤ 1.2",
        ratio <= 1.2,
    )


def _budget() -> list[Line]:
    moments: list[float] = []

    async def note(_: web.Request) -> None:
        moments.append(time.monotonic())

    with _filled(vendors.ACR, FakeAcr(), Shape(BIG.repositories, 500)) as (fake, registry):
        Registry.objects.update(requests_per_minute=BUDGET)
        registry.refresh_from_db()
        fake.misbehave(always, note)
        _requests(registry)
    most = max(sum(1 for other in moments if moment <= other < moment + 60) for moment in moments)
    spent = moments[-1] - moments[0]
    used = len(moments) / (BUDGET * spent / 60)
    return [
        Line(
            f"A budget of {BUDGET:,} requests a minute over {spent:.0f} s: most in any minute",
            f"{most:,}",
            f"≤ {BUDGET:,}",
            most <= BUDGET,
        ),
        Line("How much of it the run uses", f"{used:.0%}", "≥ 90 %", used >= 0.9),
    ]


@contextmanager
def _filled(
    vendor: vendors.Vendor, fake: FakeRegistry, shape: Shape
) -> Iterator[tuple[FakeRegistry, Registry]]:
    """A fake that holds a shape, and the registry that Portolan knows it by."""
    with fake:
        for number in range(shape.repositories):
            path = vendor.name(f"{OWNER}/app-{number:03}")
            for tag in range(shape.tags):
                fake.push(path, content.image(f"{number}.{tag}"), f"1.{tag}")
        fake.latency = LATENCY
        forget_catalog()
        yield fake, _connected(vendor.kind, vendor.connect(fake))


def _connected(kind: str, connection: Connection) -> Registry:
    registry = Registry.objects.create(
        name="bench",
        kind=kind,
        url=connection.url,
        allow_private=True,
        options={
            name: OWNER if name in ("namespaces", "owners") else text
            for name, text in connection.options.items()
        },
    )
    if connection.credentials:
        username, password = connection.credentials
        RegistryCredential(registry=registry, username=username, secret=Secret(password)).save()
    if connection.api_credentials:
        username, secret = connection.api_credentials
        ApiCredential(registry=registry, username=username, secret=Secret(secret)).save()
    return registry


def _requests(registry: Registry) -> int:
    """Return how many requests a sync took, all of them: listing, tokens, details."""
    run = request_run(registry, trigger=SyncRun.Trigger.MANUAL, full=False, actor=SYSTEM)
    execute_run(run)
    run.refresh_from_db()
    assert run.state == SyncRun.State.SUCCEEDED, (run.state, run.summary)
    return run.requests
