"""The sync against the floor (a bare loop of the same requests) and a peer, in one run."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.db import connection

from benchmarks import programs
from benchmarks.fill import Shape, fill
from benchmarks.report import Line
from tests.live import registries
from tests.live.images import image, layer
from tests.live.pusher import Pusher

SHAPE = Shape(repositories=1000, tags=10)
BIG = Shape(repositories=5000, tags=10)


@contextmanager
def filled_registry(home: Path, shape: Shape) -> Iterator[registries.RealRegistry]:
    directory = home / f"registry-{shape.name}"
    fill(directory / "storage", shape)
    with registries.running("docker-registry", directory) as registry:
        yield registry


def measure(home: Path) -> list[Line]:
    with filled_registry(home, SHAPE) as registry:
        forget_catalog()
        programs.run("manage.py", "connect", "bench", registry.url, "--allow-private")
        return [
            *_cold(registry),
            *_again(registry),
            _refresh(registry),
        ]


def measure_memory(home: Path) -> list[Line]:
    lines, peaks = [], []
    for shape in (SHAPE, BIG):
        with filled_registry(home, shape) as registry:
            forget_catalog()
            programs.run("manage.py", "connect", "bench", registry.url, "--allow-private")
            for kind in ("first", "unchanged"):
                peak = programs.run("manage.py", "sync", "bench", "--json").peak
                what = f"Peak memory, {shape.repositories:,} repositories, {kind} sync"
                lines.append(Line(what, f"{peak:.0f} MiB", "≤ 300 MiB", peak <= 300))
                peaks.append(peak)
    growth = max(peaks[2:]) / max(peaks[:2])
    return [
        *lines,
        Line("Growth of it, 5 x the repositories", f"x {growth:.2f}", "flat", growth < 1.25),
    ]


def forget_catalog() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "TRUNCATE registries_registry, registries_manifest, registries_blob,"
            " registries_imageconfig, registries_tagname CASCADE"
        )


def _bare(registry: registries.RealRegistry, kind: str) -> programs.Outcome:
    shape = (str(SHAPE.repositories), str(SHAPE.tags))
    return programs.run("-m", "benchmarks.bare", registry.url, *shape, kind)


def _cold(registry: registries.RealRegistry) -> list[Line]:
    browsable: list[float] = []

    def watch(seconds: float) -> None:
        if not browsable and _browsable():
            browsable.append(seconds)

    floors = [_bare(registry, "cold")]
    sync = programs.run("manage.py", "sync", "bench", "--json", watch=watch)
    floors.append(_bare(registry, "cold"))
    peer = programs.run(
        "-m", "benchmarks.dxf_peer", registry.host, str(SHAPE.repositories), str(SHAPE.tags)
    )
    floor = sum(each.said["seconds"] for each in floors) / len(floors)
    seconds, requests = sync.said["seconds"], sync.said["requests"]
    rate = requests / seconds
    peer_rate = peer.said["requests"] / peer.said["seconds"]
    share = browsable[0] / sync.seconds
    return [
        Line(
            f"Cold sync of {SHAPE.tags * SHAPE.repositories:,} tags ({requests:,} requests,"
            f" {seconds:.1f} s) against a bare loop ({floor:.1f} s)",
            f"x {seconds / floor:.2f}",
            "≤ 1.5",
            seconds / floor <= 1.5,
        ),
        Line(
            f"Its requests a second ({rate:.0f}) against python-dxf ({peer_rate:.0f})",
            f"x {rate / peer_rate:.2f}",
            "≥ 2.5",
            rate / peer_rate >= 2.5,
        ),
        Line(
            "Every repository and tag is browsable after",
            f"{share:.0%} of it",
            "≤ 40 %",
            share <= 0.4,
        ),
        Line("Peak memory of it", f"{sync.peak:.0f} MiB", "≤ 300 MiB", sync.peak <= 300),
    ]


def _browsable() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*), coalesce(sum(tag_count), 0) FROM registries_repository")
        return bool(cursor.fetchone() == (SHAPE.repositories, SHAPE.repositories * SHAPE.tags))


def _again(registry: registries.RealRegistry) -> list[Line]:
    time.sleep(1)  # statistics reach their view within a second
    floors = [_bare(registry, "again")]
    before = _rows_written()
    sync = programs.run("manage.py", "sync", "bench", "--json")
    time.sleep(1)
    after = _rows_written()
    floors.append(_bare(registry, "again"))
    floor = sum(each.said["seconds"] for each in floors) / len(floors)
    ratio = sync.said["seconds"] / floor
    written = {table: after[table] - before[table] for table in after}
    other = {
        table: rows
        for table, rows in written.items()
        if rows and table not in ("registries_syncrun", "registries_registry")
    }
    # verified_at is one write of each repository.
    other["registries_repository"] = other.get("registries_repository", 0) - SHAPE.repositories
    surplus = {table: rows for table, rows in other.items() if rows > 0}
    wanted = SHAPE.repositories * (SHAPE.tags + 1) + 2
    return [
        Line(
            f"Sync again, nothing changed ({sync.said['seconds']:.1f} s) against a bare loop"
            f" ({floor:.1f} s)",
            f"x {ratio:.2f}",
            "≤ 1.3",
            ratio <= 1.3,
        ),
        Line(
            "Its requests",
            f"{sync.said['requests']:,}",
            f"one a tag and listings: ≤ {wanted:,}",
            sync.said["requests"] <= wanted,
        ),
        Line(
            "Rows it wrote besides the run, the registry and verified_at",
            str(surplus or "none"),
            "none",
            not surplus,
        ),
    ]


def _rows_written() -> dict[str, int]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname, n_tup_ins + n_tup_upd + n_tup_del FROM pg_stat_user_tables"
            " WHERE relname LIKE 'registries_%%' AND schemaname = 'public'",
            {},
        )
        return dict(cursor.fetchall())


def _refresh(registry: registries.RealRegistry) -> Line:
    from registries.actor import SYSTEM
    from registries.models import Registry, TagMove
    from registries.sync.refresh import refresh_repository

    bench = Registry.objects.get(name="bench")
    path = "team-03/group-3/app-00003"
    seconds = []
    for number in range(5):
        asyncio.run(_push(registry, path, number))
        begun = time.perf_counter()
        tally = refresh_repository(bench, path, source=TagMove.Source.NOTIFICATION, actor=SYSTEM)
        seconds.append(time.perf_counter() - begun)
        if tally.counts["moved"] != 1:
            raise RuntimeError(f"The refresh saw {tally.counts} and {tally.problems}.")
    median = sorted(seconds)[len(seconds) // 2]
    return Line(
        "One tag moved, its repository refreshed, all rows committed (median of 5)",
        f"{median * 1000:.0f} ms",
        "< 200 ms",
        median < 0.2,
    )


async def _push(registry: registries.RealRegistry, path: str, number: int) -> None:
    async with Pusher(registry.url) as pusher:
        await pusher.push(path, image(layer({"moved": str(number).encode()})), "1.7")
