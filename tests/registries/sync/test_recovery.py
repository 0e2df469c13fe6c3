"""What a dead worker, a lost queue or a restarted service leaves is found, and nothing is lost.

These kill real processes; what needs none is in test_claims.py.
"""

from __future__ import annotations

import json
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import migrated
from tests.fakes import content
from tests.fakes.misbehaviour import dawdles, path_has
from tests.fakes.registry import FakeRegistry
from tests.registries.sync.house import House, kill

TAGS = "SELECT count(*) FROM registries_tag"
STATE = "SELECT state FROM registries_syncrun ORDER BY id DESC LIMIT 1"


@pytest.fixture(scope="module")
def built() -> Iterator[House]:
    directory = Path(tempfile.mkdtemp())
    house = House(directory)
    house.postgres.ensure()
    house.redis.ensure()
    migrated.copy_to(house.postgres.url)
    yield house
    house.postgres.stop()
    house.redis.stop()
    shutil.rmtree(directory)


@pytest.fixture
def fake() -> Iterator[FakeRegistry]:
    with FakeRegistry() as fake:
        yield fake


@pytest.fixture
def house(built: House, fake: FakeRegistry) -> House:
    """With one registry connected, and nothing else in it."""
    built.tell("TRUNCATE registries_registry, registries_manifest, registries_blob CASCADE")
    built.tell(f"""
        INSERT INTO registries_registry (
            name, kind, url, public_host, allow_private, ca_certificate, repository_names,
            max_concurrency, health, health_detail, repository_count, tag_count, unique_bytes,
            created_at, sync_interval, options)
        VALUES ('harbour', 'distribution', '{fake.url}', '', true, '', '{{}}', 8, 'unknown', '',
                0, 0, 0, now(), '15 minutes', '{{}}')
    """)
    return built


def fill(fake: FakeRegistry, repositories: int) -> int:
    """Small repositories, read slowly; returns how many tags there are."""
    for number in range(repositories):
        fake.push(f"team/app{number}", content.image(f"app {number % 20}"), "1", "latest")
    fake.misbehave(path_has("/manifests/"), dawdles(0.02))
    return 2 * repositories


def test_a_killed_sync_is_recovered_by_the_next_at_once(house: House, fake: FakeRegistry) -> None:
    tags = fill(fake, 300)
    with house.running("manage.py", "sync", "harbour") as process:
        house.wait_until(TAGS)
        kill(process)
    kept = house.ask(TAGS)
    assert house.ask(STATE) == "running"
    assert 0 < kept < tags
    fake.behave()

    said = json.loads(house.manage("sync", "harbour", "--json").splitlines()[-1])

    assert (said["status"], said["tags"], said["added"]) == ("succeeded", tags, tags - kept)
    lost = house.ask("SELECT array_agg(state ORDER BY id) FROM registries_syncrun")
    assert lost == ["lost", "succeeded"]


def test_postgres_restarting_under_load_loses_nothing(house: House, fake: FakeRegistry) -> None:
    tags = fill(fake, 300)
    with house.running("manage.py", "sync", "harbour") as process:
        house.wait_until(TAGS)
        assert house.ask(TAGS) < tags
        house.crash(house.postgres)
        assert process.wait(60) == 0, house.last_words()

    assert (house.ask(STATE), house.ask(TAGS)) == ("succeeded", tags)


def begin(house: House) -> None:
    """What beat does every few seconds: put what is due into the queue."""
    house.tell("UPDATE registries_registry SET next_sync_at = now()")
    house.call("start_due_syncs")


def recover(house: House) -> None:
    """What beat does every half minute, as if a minute of silence had passed."""
    for table in ("syncrun", "syncbatch"):
        house.tell(f"UPDATE registries_{table} SET heartbeat_at = heartbeat_at - interval '2 min'")
    house.call("recover_lost_work")


def sweep_until_it_ends(house: House) -> None:
    """Beat sweeps more than once: what is silent now may have been at work at the last sweep."""
    deadline = time.monotonic() + 60
    while house.ask(STATE) == "running":
        assert time.monotonic() < deadline, house.last_words()
        for table in ("syncrun", "syncbatch"):
            house.tell(f"""
                UPDATE registries_{table} SET heartbeat_at = heartbeat_at - interval '2 min'
                 WHERE heartbeat_at < now() - interval '5 seconds'
            """)
        house.call("recover_lost_work")
        time.sleep(1)


def test_a_killed_worker_and_a_lost_queue_lose_nothing(house: House, fake: FakeRegistry) -> None:
    tags = fill(fake, 320)
    begin(house)
    with house.worker() as worker:
        house.wait_until("SELECT count(*) FROM registries_syncbatch WHERE state = 'running'")
        house.wait_until(TAGS)
        kill(worker)
    assert house.ask(STATE) == "running"
    assert house.ask(TAGS) < tags
    # Not even the queue is needed: the rows know what is left.
    house.redis.stop()
    shutil.rmtree(house.redis.home)
    house.redis.ensure()
    fake.behave()

    with house.worker():
        recover(house)
        house.wait_until(STATE, lambda state: state != "running")

    summary = house.ask("SELECT summary FROM registries_syncrun")
    assert (house.ask(STATE), summary, house.ask(TAGS)) == ("succeeded", "", tags)
    assert house.ask("SELECT max(attempts) FROM registries_syncbatch") == 2
    assert house.ask("SELECT count(*) FROM registries_artifact WHERE details = 'pending'") == 0
    assert house.ask("SELECT tag_count FROM registries_registry") == tags


def test_services_restarting_under_a_shared_run_lose_nothing(
    house: House, fake: FakeRegistry
) -> None:
    tags = fill(fake, 320)
    begin(house)
    with house.worker():
        house.wait_until(TAGS)
        house.crash(house.redis)
        house.crash(house.postgres)
        fake.behave()
        sweep_until_it_ends(house)

    assert (house.ask(STATE), house.ask(TAGS)) == ("succeeded", tags), house.last_words()
