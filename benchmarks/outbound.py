"""Webhooks out: how many a second one worker process brings to their receivers, with every row
written; what hanging receivers cost the others; how fast one event is enqueued for a thousand."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from benchmarks.report import Line
from benchmarks.tokens import HOST, free_port, until_open

if TYPE_CHECKING:
    from registries.models import Registry

DELIVERIES = 20_000
RECEIVERS = 100
FANNED_OUT = 1_000
ROUNDS = 3
FANNINGS = 20


def measure() -> list[Line]:
    with receiving() as port:
        # The best of some, turn about: the others tell of other programs on these cores.
        rounds = [
            (_deliver(port, hanging=0), _deliver(port, hanging=RECEIVERS // 100))
            for _ in range(ROUNDS)
        ]
    steady, hung = (max(each, key=lambda it: it.rate) for each in zip(*rounds, strict=True))
    fan_out = sorted(_fan_out())
    median, worst = statistics.median(fan_out), fan_out[-1]
    return [
        Line(
            f"{DELIVERIES:,} deliveries to {RECEIVERS} fast receivers, one worker process, rows written;"
            f" best of {ROUNDS}",
            f"{steady.rate:.0f}/s",
            "≥ 800/s",
            steady.rate >= 800 and steady.attempts == DELIVERIES,
        ),
        Line(
            f"{hung.attempts:,} to the others, while 1 % of receivers hang",
            f"{hung.rate:.0f}/s, x {hung.rate / steady.rate:.2f}",
            "≥ 0.80",
            hung.rate / steady.rate >= 0.8,
        ),
        Line(
            f"One event enqueued for {FANNED_OUT:,} subscriptions, committed",
            f"p50 {median:.0f} ms, slowest of {FANNINGS} {worst:.0f} ms",
            "p50 ≤ 50 ms",
            median <= 50,
        ),
    ]


@dataclass(frozen=True)
class Delivered:
    attempts: int
    seconds: float

    @property
    def rate(self) -> float:
        return self.attempts / self.seconds


@contextmanager
def receiving() -> Iterator[int]:
    """A receiver in a process of its own; yields its port."""
    port = free_port()
    command = [sys.executable, "-m", "benchmarks.receiver", str(port)]
    program = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        until_open(port)
        yield port
    finally:
        program.terminate()
        program.wait(10)


def _deliver(port: int, *, hanging: int) -> Delivered:
    """Fill the outbox, run one worker's loop in a process of its own, count what was written."""
    from webhooks.models import Attempt, Delivery

    fill(port, hanging=hanging)
    command = [sys.executable, "-m", "benchmarks.outbound"]
    program = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert program.stdout is not None
    program.stdout.readline()  # it has loaded everything
    started = datetime.now(UTC)
    deadline = time.monotonic() + 120
    wanted = DELIVERIES * (RECEIVERS - hanging) // RECEIVERS
    while Delivery.objects.filter(state="delivered").count() < wanted:
        if time.monotonic() > deadline:
            raise RuntimeError("Not everything was delivered.")
        time.sleep(0.25)
    last = Delivery.objects.filter(state="delivered").latest("ended_at").ended_at
    assert last is not None
    program.kill()
    program.wait()
    return Delivered(Attempt.objects.filter(status=200).count(), (last - started).total_seconds())


def fill(port: int, *, hanging: int) -> None:
    """So many events of a registry, each for one of the receivers' subscriptions."""
    from django.db import connection

    from registries.actor import SYSTEM
    from registries.events import TagCreated
    from registries.models import Registry
    from webhooks.models import Delivery
    from webhooks.outbound import enqueue

    with connection.cursor() as cursor:
        cursor.execute(
            "TRUNCATE registries_registry, webhooks_subscription, webhooks_event CASCADE"
        )
    registry = Registry.objects.create(name="bench", url="https://registry.example.com")
    for number in range(RECEIVERS):
        kind = "hang" if number < hanging else "ok"
        subscribe(registry, f"http://{HOST}:{port}/{kind}/{number}", f"team-{number}/*")
    now = datetime.now(UTC)
    for begin in range(0, DELIVERIES, 2_000):
        events = [
            TagCreated("bench", now, f"team-{number % RECEIVERS}/app", str(number), _digest(number))
            for number in range(begin, begin + 2_000)
        ]
        enqueue.record(events, SYSTEM)
    assert Delivery.objects.count() == DELIVERIES
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE webhooks_event, webhooks_delivery, webhooks_subscription")


def subscribe(registry: Registry, url: str, path: str) -> None:
    from webhooks.models import Subscription
    from webhooks.outbound import sign

    Subscription.objects.create(
        name=path,
        registry=registry,
        path=path,
        topics=["push"],
        form="structured",
        url=url,
        host=HOST,
        headers='{"Authorization": "Bearer bench"}',
        secret=sign.make_secret(),
        old_secret="",
    )


def _digest(number: int) -> str:
    return f"sha256:{number:064x}"


def _fan_out() -> list[float]:
    """Milliseconds from the change to its commit, for one event and a thousand subscriptions."""
    from django.db import connection, transaction

    from registries.actor import SYSTEM
    from registries.events import TagDeleted, emit
    from registries.models import Registry
    from webhooks.models import Subscription

    with connection.cursor() as cursor:
        cursor.execute(
            "TRUNCATE registries_registry, webhooks_subscription, webhooks_event CASCADE"
        )
    registry = Registry.objects.create(name="bench", url="https://registry.example.com")
    for number in range(FANNED_OUT):
        subscribe(registry, f"http://{HOST}/{number}", ("", "team/*", "team/app")[number % 3])
    Subscription.objects.update(topics=["push", "tag.deleted"])
    taken = []
    for number in range(FANNINGS):
        event = TagDeleted("bench", datetime.now(UTC), "team/app", str(number), _digest(number))
        started = time.perf_counter()
        with transaction.atomic():
            emit([event], actor=SYSTEM)
        taken.append((time.perf_counter() - started) * 1000)
    return taken


def _work() -> None:
    """One worker's loop, as its task runs it."""
    import django

    django.setup()
    from django.conf import settings

    from webhooks.outbound.deliver import deliver_due

    settings.WEBHOOK_ALLOWED_NETWORKS = [f"{HOST}/32"]
    print(json.dumps("ready"), flush=True)
    deliver_due()


if __name__ == "__main__":
    _work()
