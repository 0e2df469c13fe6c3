"""Nothing is lost: real workers, and everything around them failing while they deliver."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest

from dashboard.embedded.places import socket_dir
from dashboard.embedded.postgres import Postgres
from dashboard.embedded.redis import Redis
from tests import migrated
from tests.fakes.receiver import FakeReceiver
from tests.live import outbox

ROOT = Path(__file__).resolve().parents[2]
EVENTS = 5_000
PATIENCE = 90.0


@dataclass
class Ground:
    """Services and a worker of this test's own, to be killed at will."""

    home: Path
    postgres: Postgres
    redis: Redis
    environment: dict[str, str]
    worker: subprocess.Popen[bytes] | None = None

    def start_worker(self) -> None:
        """As in production: a worker with two processes, and the scheduler with it."""
        command = (
            *(sys.executable, "-m", "celery", "-A", "dashboard", "worker", "--beat"),
            *("--schedule", str(self.home / "beat"), "--queues", "events,deliveries,default"),
            *(
                "--concurrency",
                "2",
                "--loglevel",
                "WARNING",
                "--without-gossip",
                "--without-mingle",
            ),
        )
        with (self.home / "worker.log").open("ab") as log:
            self.worker = subprocess.Popen(
                command, cwd=ROOT, env=self.environment, stdin=subprocess.DEVNULL,
                stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip

    def kill_worker(self) -> None:
        """All of its processes at once, and without a word to them."""
        if self.worker is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.worker.pid, signal.SIGKILL)
            self.worker.wait()

    def run(self, *arguments: str) -> None:
        subprocess.run(
            [sys.executable, *arguments], cwd=ROOT, env=self.environment, check=True, timeout=120
        )

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.postgres.url) as connection:
            return connection.execute(sql).fetchall()


@pytest.fixture
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    home = tmp_path_factory.mktemp("faults")
    sockets = socket_dir(home)
    postgres, redis = Postgres(home / "postgres", sockets), Redis(home / "redis", sockets)
    environment = {
        **os.environ,
        "DATABASE_URL": postgres.url,
        "REDIS_URL": redis.url,
        "PORTOLAN_DATA_DIR": str(home),
        "PORTOLAN_TRIAL": "1",
        "WEBHOOK_ALLOWED_NETWORKS": "127.0.0.1,localhost",
        "WEBHOOK_RETRY_SECONDS": "0.2,0.4",
        "WEBHOOK_TIMEOUT_SECONDS": "1",
        "WEBHOOK_LEASE_SECONDS": "4",
    }
    for service in (postgres, redis):
        service.ensure()
    migrated.copy_to(postgres.url)
    ground = Ground(home, postgres, redis, environment)
    try:
        yield ground
    finally:
        ground.kill_worker()
        for service in (redis, postgres):
            service.stop()


@pytest.fixture
def strange(tmp_path: Path) -> Iterator[FakeReceiver]:
    """A receiver whose certificate nobody vouches for."""
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
         "-nodes", "-days", "1", "-subj", "/CN=localhost",
         "-keyout", str(key), "-out", str(certificate)],
        check=True, capture_output=True,
    )  # fmt: skip
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate, key)
    with FakeReceiver(tls=tls) as receiver:
        yield receiver


def wait(until: Callable[[], bool], log: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while not until():
        if time.monotonic() > deadline:
            pytest.fail(f"It did not come: {log.read_text(encoding='utf-8')[-3000:]}")
        time.sleep(0.05)


def test_everything_arrives_or_is_given_up_with_its_reason_whatever_fails(
    ground: Ground, strange: FakeReceiver
) -> None:
    log = ground.home / "worker.log"
    with FakeReceiver() as receiver:
        ground.run("-m", "tests.live.outbox", receiver.url(""), strange.url(""), str(EVENTS))

        def came(count: int) -> Callable[[], bool]:
            return lambda: len(receiver.ids("/ok")) >= count

        ground.start_worker()
        wait(came(500), log)
        ground.kill_worker()
        assert len(receiver.ids("/ok")) < EVENTS
        ground.start_worker()
        wait(came(1_500), log)
        ground.redis.stop()
        shutil.rmtree(ground.redis.home)
        ground.redis.ensure()
        wait(came(2_500), log)
        ground.postgres.stop()
        time.sleep(0.5)
        ground.postgres.ensure()
        open_ones = "SELECT count(*) FROM webhooks_delivery WHERE state = 'waiting'"
        wait(lambda: ground.rows(open_ones) == [(0,)], log)

        # Sent against received.
        rows = ground.rows("""
            SELECT s.name, d.state, d.reason, 'evt_' || replace(e.uid::text, '-', ''),
                   (SELECT count(*) FROM webhooks_attempt a WHERE a.delivery_id = d.id)
              FROM webhooks_delivery d
              JOIN webhooks_subscription s ON s.id = d.subscription_id
              JOIN webhooks_event e ON e.id = d.event_id
        """)
        arrived = receiver.ids("/ok")
        good = {row[3] for row in rows if row[0] == "ok"}
        assert len(good) == EVENTS
        assert set(arrived) == good
        assert {row[1] for row in rows if row[0] == "ok"} == {"delivered"}
        assert len(arrived) - len(good) < 500  # twice: what was under way when something died
        _assert_each_manner_has_its_end(rows)
        assert strange.received == []


def _assert_each_manner_has_its_end(rows: list[tuple[Any, ...]]) -> None:
    """Delivered or given up, with the reason; held where the receiver said that it is gone."""
    ends: dict[str, set[tuple[str, str]]] = {}
    for name, state, reason, _, attempts in rows:
        ends.setdefault(name, set()).add((state, reason))
        assert attempts >= (0 if state == "held" else 1), name
    assert len(rows) == EVENTS + len(outbox.MANNERS) * outbox.OF_EACH
    for taken in ("status/201", "status/204", "giant"):
        assert ends.pop(taken) == {("delivered", "")}
    gone = ends.pop("status/410")
    assert ("given up", "It answered 410.") in gone
    assert {state for state, _ in gone} <= {"given up", "held"}
    ends.pop("ok")
    words = {
        "status/301": "redirect", "redirect": "redirect", "hang": "did not answer within",
        "close": "closed the connection", "garbage": "not answer in HTTP",
        "certificate": "certificate", "status/500": "answered 500",
    }  # fmt: skip
    for name, found in ends.items():
        ((state, reason),) = found
        assert state == "given up", name
        assert words.get(name, "It answered") in reason
