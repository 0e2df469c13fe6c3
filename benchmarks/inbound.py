"""Notifications of registries: how many a second are taken, how long each waits, and that all are
there afterwards."""

from __future__ import annotations

import json
from pathlib import Path

from benchmarks import programs
from benchmarks.report import Line
from benchmarks.tokens import APPLICATIONS, HOST, serving

NOTIFICATIONS = 20_000
CONNECTIONS = 16
WARM_UP = 500
STEADY = 500
STEADY_SECONDS = 20
REGISTRY = "bench-inbound"


def measure(_home: Path) -> list[Line]:
    secret = fill()
    with serving(APPLICATIONS["portolan"]) as port:
        post(port, requests(secret, "warm", WARM_UP))
        before = stored()
        full = post(port, requests(secret, "full", NOTIFICATIONS))
        kept = stored() - before
        before = stored()
        steady = post(port, requests(secret, "steady", STEADY * STEADY_SECONDS), rate=STEADY)
        steadily_kept = stored() - before
    rate = full["requests"] / full["seconds"]
    return [
        Line(
            f"Notifications of one event a second, {NOTIFICATIONS:,} over {CONNECTIONS} connections",
            f"{rate:.0f} (p50 {full['p50']:.0f} ms, p99 {full['p99']:.0f} ms)",
            "≥ 1,000",
            rate >= 1000,
        ),
        Line("Rows of them", f"{kept:,}", f"{NOTIFICATIONS:,}: none lost", kept == NOTIFICATIONS),
        Line(
            f"At {STEADY} a second ({steady['requests'] / steady['seconds']:.0f} came)",
            f"p50 {steady['p50']:.0f} ms, p99 {steady['p99']:.0f} ms",
            "p99 ≤ 50 ms",
            steady["p99"] <= 50 and steadily_kept == STEADY * STEADY_SECONDS,
        ),
    ]


def fill() -> str:
    """A registry without notifications, and its secret."""
    from access.policy import SHELL
    from registries.actor import SYSTEM
    from registries.models import Registry
    from webhooks.inbound.secrets import create_secret

    Registry.objects.filter(name=REGISTRY).delete()
    registry = Registry.objects.create(
        name=REGISTRY, kind="distribution", url="https://registry.example.com", sync_interval=None
    )
    return create_secret(registry, rights=SHELL, actor=SYSTEM).text


def stored() -> int:
    from webhooks.models import Notification

    return Notification.objects.filter(registry__name=REGISTRY).count()


def requests(secret: str, series: str, count: int) -> list[str]:
    """As Distribution posts them: a push of a tag each, with an id of its own."""
    return [_request(secret, f"{series}-{number:06d}", number) for number in range(count)]


def _request(secret: str, event_id: str, number: int) -> str:
    path, tag = f"team-{number % 50:02d}/app-{number % 400:03d}", f"1.{number}"
    event = {
        "id": event_id,
        "timestamp": "2026-11-26T12:00:00.123456789Z",
        "action": "push",
        "target": {
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "digest": f"sha256:{number:064x}",
            "size": 1024,
            "length": 1024,
            "repository": path,
            "url": f"https://registry.example.com/v2/{path}/manifests/sha256:{number:064x}",
            "tag": tag,
        },
        "request": {
            "id": event_id,
            "addr": "10.0.0.7:41234",
            "host": "registry.example.com",
            "method": "PUT",
            "useragent": "docker/28.0.1 go/go1.24 kernel/6.8 os/linux arch/amd64",
        },
        "actor": {"name": "ci"},
        "source": {"addr": "registry:5000", "instanceID": "a53db899"},
    }
    body = json.dumps({"events": [event]})
    return (
        f"POST /hooks/in/{REGISTRY} HTTP/1.1\r\nHost: {HOST}\r\nAuthorization: Bearer {secret}\r\n"
        "Content-Type: application/vnd.docker.distribution.events.v2+json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n{body}"
    )


def post(port: int, requests: list[str], *, rate: float = 0) -> dict[str, float]:
    """Post each once; RuntimeError if any was not taken."""
    program = ("-m", "benchmarks.load", HOST, str(port), str(CONNECTIONS), "once", str(rate))
    said = programs.run(*program, given=json.dumps(requests)).said
    if set(said["statuses"]) != {"200"}:
        raise RuntimeError(f"Not all were taken: {said['statuses']}")
    return said
