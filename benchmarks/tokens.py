"""The token server against a bare view on the same server, and a peer in Go, in one run."""

from __future__ import annotations

import base64
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from urllib.parse import quote

from benchmarks import programs
from benchmarks.report import Line

MACHINES = 1_000
GRANTS_OF_EACH = 10
CONNECTIONS = 16
ROUNDS = 4
WARM_UP = 2
MEETINGS = 16
SECONDS = 10
HOST = "127.0.0.1"
PEER = "github.com/docker/distribution/contrib/token-server@v2.8.3+incompatible"
PEERS_PASSWORD = "peer"
PEERS_HASH = "$2b$04$abcdefghijklmnopqrstuuCD14/X718fEW6kJdZKwQJJEZtnlQ0UW"


@dataclass(frozen=True)
class Machine:
    """A machine, its secret, and a path that it may pull from."""

    name: str
    secret: str
    path: str

    def asks(self, at: str = "/auth/token") -> str:
        basic = base64.b64encode(f"{self.name}:{self.secret}".encode()).decode()
        scope = quote(f"repository:{self.path}:pull")
        return (
            f"GET {at}?account={self.name}&service=bench&scope={scope} HTTP/1.1\r\n"
            f"Host: {HOST}\r\nAuthorization: Basic {basic}\r\n\r\n"
        )


def measure(home: Path) -> list[Line]:
    machines = fill()
    requests = [machine.asks() for machine in machines]
    rates: dict[str, list[float]] = {"bare": [], "portolan": []}
    # Turn about: another program's minute on these cores is then nobody's alone.
    for _round in range(ROUNDS):
        for name, application in APPLICATIONS.items():
            with serving(application) as port:
                rates[name].append(_rate(load(port, requests, seconds=SECONDS)))
    with serving(APPLICATIONS["portolan"]) as port:
        steady = load(port, requests, seconds=SECONDS, rate=500)
    bare, ours = (sum(each) / len(each) for each in (rates["bare"], rates["portolan"]))
    return [
        Line(
            f"Tokens a second ({ours:.0f}) against a bare view ({bare:.0f});"
            f" {MACHINES * GRANTS_OF_EACH:,} grants, {MACHINES:,} principals",
            f"x {ours / bare:.2f}",
            "≥ 0.75",
            ours / bare >= 0.75,
        ),
        Line(
            f"At 500 a second ({steady['requests'] / steady['seconds']:.0f} came)",
            f"p50 {steady['p50']:.0f} ms, p99 {steady['p99']:.0f} ms",
            "p99 ≤ 50 ms",
            steady["p99"] <= 50,
        ),
        *_against_peer(home, machines, ours),
    ]


APPLICATIONS = {
    "bare": "benchmarks.bare_tokens:application",
    "portolan": "dashboard.wsgi:application",
}


def fill() -> list[Machine]:
    """A registry, a thousand machines with a secret each, ten grants for each of them."""
    from django.db import connection

    from access.models import Grant, Role, Secret, ServicePrincipal
    from access.secrets import mint
    from registries.models import Registry

    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE registries_registry, access_serviceprincipal CASCADE")
    registry = Registry.objects.create(
        name="bench", kind="distribution", url="https://registry.example.com"
    )
    puller = Role.objects.get(name="puller")
    pipelines = ServicePrincipal.objects.bulk_create(
        ServicePrincipal(name=f"pipeline-{number:04d}") for number in range(MACHINES)
    )
    minted = [mint(Secret.Kind.SERVICE) for _ in pipelines]
    Secret.objects.bulk_create(
        Secret(
            kind=Secret.Kind.SERVICE,
            service_principal=pipeline,
            slot=1,
            key_id=secret.key_id,
            digest=secret.digest,
            created_by="bench",
        )
        for pipeline, secret in zip(pipelines, minted, strict=True)
    )
    paths = [
        f"team-{number % 100:03d}/part-{place}/" + ("*" if place % 2 else f"app-{number:04d}")
        for number in range(MACHINES)
        for place in range(GRANTS_OF_EACH)
    ]
    Grant.objects.bulk_create(
        Grant(
            service_principal=pipelines[at // GRANTS_OF_EACH],
            role=puller,
            registry=registry,
            path=path,
            granted_by="bench",
        )
        for at, path in enumerate(paths)
    )
    random = Random(5)
    return [
        Machine(
            pipeline.name,
            secret.text,
            random.choice(paths[at * GRANTS_OF_EACH :][:GRANTS_OF_EACH]).replace("*", "any"),
        )
        for at, (pipeline, secret) in enumerate(zip(pipelines, minted, strict=True))
    ]


@contextmanager
def serving(application: str) -> Iterator[int]:
    """A server of two workers, as `make up` starts it; yields its port."""
    port = free_port()
    server = ("granian", "--interface", "wsgi", "--host", HOST, "--port", str(port), "--no-ws")
    workers = ("--workers", "2", "--blocking-threads", "4", "--log-level", "warning")
    with _running([sys.executable, "-m", *server, *workers, application], port):
        yield port


@contextmanager
def _running(command: list[str], port: int) -> Iterator[None]:
    program = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until_open(port)
        yield
    finally:
        program.terminate()
        try:
            program.wait(20)
        except subprocess.TimeoutExpired:
            program.kill()


def until_open(port: int) -> None:
    for _ in range(200):
        with socket.socket() as probe:
            if probe.connect_ex((HOST, port)) == 0:
                return
        time.sleep(0.1)
    raise RuntimeError(f"Nothing listens on port {port}.")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def load(port: int, requests: list[str], *, seconds: float, rate: float = 0) -> dict[str, float]:
    """The outcome of a load after a short one that warms up; RuntimeError if any was refused."""
    given = json.dumps(requests)
    program = ("-m", "benchmarks.load", HOST, str(port), str(CONNECTIONS))
    # Until either worker has surely met everybody: a first meeting costs several times as much.
    met = 0.0
    while met < len(requests) * MEETINGS:
        met += programs.run(*program, str(WARM_UP), "0", given=given).said["requests"]
    said = programs.run(*program, str(seconds), str(rate), given=given).said
    if set(said["statuses"]) != {"200"}:
        raise RuntimeError(f"Not all were answered with a token: {said['statuses']}")
    return said


def _rate(said: dict[str, float]) -> float:
    return said["requests"] / said["seconds"]


# The peer ---------------------------------------------------------------------------------------


def _against_peer(home: Path, machines: list[Machine], ours: float) -> list[Line]:
    """Beside it Distribution's own token server, where Go is there to build it.

    It checks a password and grants everything that is asked: it has no grants to look up. It reads
    passwords as bcrypt only, here at the least cost that there is. (cesanta/docker_auth, which has
    rules, is not to be had as a Go module.)
    """
    peer = _built_peer(home)
    if peer is None:
        return []
    names = home / "token-server.htpasswd"
    names.write_text("".join(f"{it.name}:{PEERS_HASH}\n" for it in machines), encoding="utf-8")
    port = free_port()
    options = ("-addr", f"{HOST}:{port}", "-passwd", str(names), "-realm", "peer")
    requests = [replace(it, secret=PEERS_PASSWORD).asks("/token/") for it in machines]
    with _running([str(peer), *options], port):
        theirs = _rate(load(port, requests, seconds=SECONDS))
    return [
        Line(
            f"Beside Distribution's token server in Go, which grants everything ({theirs:.0f}/s)",
            f"x {ours / theirs:.2f}",
            "shown",
            True,
        )
    ]


def _built_peer(home: Path) -> Path | None:
    peer = home / "token-server"
    if not peer.exists() and (go := shutil.which("go")):
        environment = os.environ | {"GOBIN": str(home), "CGO_ENABLED": "0"}
        subprocess.run([go, "install", PEER], env=environment, check=False)
    return peer if peer.exists() else None
