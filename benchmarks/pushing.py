"""From a push into a real registry to the first byte at who subscribed to it, through every part:
the registry's notification, the web server, a worker that reads the tag, one that delivers."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Empty, Queue
from threading import Thread
from typing import TYPE_CHECKING

from benchmarks.outbound import subscribe
from benchmarks.report import Line
from benchmarks.tokens import APPLICATIONS, HOST, free_port, serving
from tests.live import images, registries
from tests.live.pusher import Pusher

if TYPE_CHECKING:
    from registries.models import Registry

PUSHES = 60
WARM_UP = 5
REGISTRY = "bench-push"
# A tag that does not arrive is a failure, not a slow one.
PATIENCE = 60.0

Arrivals = Queue[tuple[str, float]]


def measure(home: Path) -> list[Line]:
    """In order of arrival; nothing where no real registry is installed."""
    if "docker-registry" not in registries.available():
        return []
    directory = home / "pushed"
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    arrivals: Arrivals = Queue()
    with (
        receiving(arrivals) as receiver,
        serving(APPLICATIONS["portolan"]) as port,
        _worker(directory),
    ):
        registry, guide = _registry(port, receiver)
        with registries.running("docker-registry", directory, more=guide) as real:
            registry.url = real.url
            registry.save()
            took = sorted(asyncio.run(_push(real.url, arrivals)))
    median, late = took[len(took) // 2], took[int(len(took) * 0.95)]
    return [
        Line(
            f"From a push into docker-registry to the first byte at a subscriber, {PUSHES} pushes",
            f"p50 {median * 1000:.0f} ms, p95 {late * 1000:.0f} ms",
            "p95 ≤ 1.5 s",
            late <= 1.5,
        )
    ]


async def _push(url: str, arrivals: Arrivals) -> list[float]:
    """Seconds that each took. One after the other: what is measured is the way, not a queue."""
    image = images.image(images.layer({"a": b"1"}))
    took = []
    async with Pusher(url) as pusher:
        for number in range(WARM_UP + PUSHES):
            tag = f"bench-{number:03d}"
            begun = time.perf_counter()
            await pusher.push("team/app", image, tag)
            while True:
                try:
                    which, at = await asyncio.to_thread(arrivals.get, timeout=PATIENCE)
                except Empty:
                    raise RuntimeError(f"{tag} did not arrive.") from None
                if which == tag:
                    break
            if number >= WARM_UP:
                took.append(at - begun)
    return took


def _registry(port: int, receiver: int) -> tuple[Registry, str]:
    """A registry with a subscription to all that is pushed, and what its configuration needs."""
    from django.utils import timezone

    from access.policy import SHELL
    from registries.actor import SYSTEM
    from registries.models import Registry
    from webhooks.inbound.secrets import create_secret
    from webhooks.inbound.setup import distribution_2
    from webhooks.models import Subscription

    Registry.objects.all().delete()  # and what another part left to be handled
    Subscription.objects.all().delete()
    registry = Registry.objects.create(
        name=REGISTRY,
        url="http://127.0.0.1:1",
        allow_private=True,
        imported_at=timezone.now(),
        sync_interval=None,
    )
    subscribe(registry, f"http://{HOST}:{receiver}/", "")
    secret = create_secret(registry, rights=SHELL, actor=SYSTEM).text
    return registry, distribution_2(f"http://{HOST}:{port}/hooks/in/{REGISTRY}", secret)


@contextmanager
def receiving(arrivals: Arrivals) -> Iterator[int]:
    """A receiver that notes when the first byte of which tag came; yields its port."""

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            at = time.perf_counter()
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if found := re.search(rb"bench-\d{3}", body):
                arrivals.put((found[0].decode(), at))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nobody reads it."""

    port = free_port()
    server = ThreadingHTTPServer((HOST, port), Receiver)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield port
    finally:
        server.shutdown()


@contextmanager
def _worker(directory: Path) -> Iterator[None]:
    """The worker of events and deliveries, as `make up` starts it; its log is kept there."""
    command = [
        *(sys.executable, "-m", "celery", "-A", "dashboard", "--quiet", "worker"),
        *("--queues", "events,deliveries", "--concurrency", "2", "--loglevel", "WARNING"),
        *("--without-gossip", "--without-mingle"),
    ]
    environment = os.environ | {"WEBHOOK_ALLOWED_NETWORKS": f"{HOST}/32"}
    with (directory / "worker.log").open("wb") as log:
        program = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    try:
        yield
    finally:
        program.terminate()
        try:
            program.wait(20)
        except subprocess.TimeoutExpired:
            program.kill()
