"""Real registries, configured with the very text of the page, tell and the catalog follows."""

from __future__ import annotations

import asyncio
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from django.core.management import call_command
from django.utils import timezone
from pytest_django.plugin import DjangoDbBlocker

from access.policy import SHELL
from dashboard.embedded import places
from dashboard.embedded.redis import Redis
from registries.actor import SYSTEM
from registries.models import Artifact, Registry, Tag
from registries.oci import mediatypes
from tests.live import images, portolan, registries
from tests.live.docked import GENERATIONS
from tests.live.pusher import Pusher, push
from tests.live.registries import RealRegistry
from tests.registries.sync.syncing import ours, succeed
from webhooks.inbound.secrets import create_secret
from webhooks.inbound.setup import guides
from webhooks.inbound.working import handle_waiting
from webhooks.models import Notification

GUIDES = {"old": "Distribution 2.8", "new": "Distribution 3"}
SECONDS = 30.0
IMAGE = images.image(images.layer({"a": b"1"}))
OTHER = images.image(images.layer({"a": b"2"}))


@dataclass(frozen=True)
class Portolan:
    url: str
    redis: Redis


@pytest.fixture(scope="module")
def db(django_db_setup: None) -> None:
    """The test database, made and left alone: a server of its own process must see what is in it."""


@pytest.fixture(scope="module")
def server(
    db: None, django_db_blocker: DjangoDbBlocker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Portolan]:
    """A running Portolan with a Redis of its own, which a test may take away."""
    home = tmp_path_factory.mktemp("portolan")
    redis = Redis(home / "redis", places.socket_dir(home))
    redis.ensure()
    with django_db_blocker.unblock():
        try:
            with portolan.serving(home / "web.log", REDIS_URL=redis.url) as url:
                yield Portolan(url, redis)
        finally:
            redis.stop()
            call_command("flush", verbosity=0, interactive=False)


@pytest.fixture(scope="module", params=list(GENERATIONS))
def told_by(
    request: pytest.FixtureRequest, server: Portolan, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Registry, RealRegistry]]:
    """A registry of each generation that was imported, and notifies."""
    name: str = request.param
    ours = Registry.objects.create(name=name, url="http://127.0.0.1:1", allow_private=True)
    secret = create_secret(ours, rights=SHELL, actor=SYSTEM).text
    (text,) = (it.text for it in guides(name, server.url, secret) if it.kind == GUIDES[name])
    directory = tmp_path_factory.mktemp(name)
    with registries.running(GENERATIONS[name], directory, more=text) as real:
        ours.url = real.url
        ours.save()
        succeed(ours)
        yield ours, real


def comes(what: Callable[[], object]) -> None:
    """Handle what is told until it is so."""
    deadline = time.monotonic() + SECONDS
    while not what():
        rows = list(
            Notification.objects.values_list("verb", "repository", "tag", "state", "reason")
        )
        assert time.monotonic() < deadline, rows
        time.sleep(0.05)
        # Pulls wait for a moment, which nobody here has.
        Notification.objects.filter(verb="pull").update(due_at=timezone.now())
        handle_waiting()


def ask(url: str, method: str) -> None:
    """As docker does."""
    headers = {"User-Agent": "docker/28.0.1", "Accept": mediatypes.ACCEPT}
    with urllib.request.urlopen(
        urllib.request.Request(url, method=method, headers=headers), timeout=10
    ) as response:
        response.read()


def test_pushes_moves_and_deletes_arrive(told_by: tuple[Registry, RealRegistry]) -> None:
    registry, real = told_by
    push(real.url, "team-a/app", IMAGE, "1.0", "latest")
    comes(
        lambda: ours(registry).get("team-a/app") == dict.fromkeys(("1.0", "latest"), IMAGE.digest)
    )

    push(real.url, "team-a/app", OTHER, "latest")
    comes(lambda: ours(registry)["team-a/app"]["latest"] == OTHER.digest)

    delete(real, "team-a/app", OTHER.digest)
    comes(lambda: "latest" not in ours(registry)["team-a/app"])
    held = Artifact.objects.filter(repository__registry=registry, manifest__digest=OTHER.digest)
    comes(lambda: held.get().missing_since is not None)

    states = Notification.objects.filter(registry=registry).values_list("state", flat=True)
    assert set(states) <= {"done", "ignored"}
    assert registry.inbound_secrets.get().last_used_at is not None


def test_dockers_pull_counts_once_and_our_own_reads_never(
    told_by: tuple[Registry, RealRegistry],
) -> None:
    registry, real = told_by
    push(real.url, "team-a/pulled", IMAGE, "1.0")
    comes(lambda: ours(registry).get("team-a/pulled") == {"1.0": IMAGE.digest})
    succeed(registry)  # which reads all of it once more

    manifests = f"{real.url}/v2/team-a/pulled/manifests"
    ask(f"{manifests}/1.0", "HEAD")
    ask(f"{manifests}/{IMAGE.digest}", "GET")
    tags = Tag.objects.filter(repository__registry=registry, repository__path="team-a/pulled")
    comes(lambda: tags.get().pull_count)

    tag = tags.get()
    assert (tag.pull_count, tag.artifact.pull_count) == (1, 1)
    assert tag.pulled_at is not None
    agents = Notification.objects.filter(registry=registry).values_list("agent", flat=True)
    assert not [agent for agent in agents if agent.startswith("Portolan")]


def test_without_redis_what_is_told_is_stored_all_the_same(
    server: Portolan, told_by: tuple[Registry, RealRegistry]
) -> None:
    registry, real = told_by
    server.redis.stop()
    try:
        push(real.url, "team-a/dark", IMAGE, "1.0")
        comes(lambda: ours(registry).get("team-a/dark") == {"1.0": IMAGE.digest})
    finally:
        server.redis.ensure()


def delete(real: RealRegistry, repository: str, digest: str) -> None:
    async def once() -> None:
        async with Pusher(real.url) as pusher:
            await pusher.delete(repository, digest)

    asyncio.run(once())
