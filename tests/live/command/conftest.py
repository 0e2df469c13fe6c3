"""A running Portolan, a registry that asks it, and Anna, who is signed in with the command."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django.plugin import DjangoDbBlocker

from access.models import User
from registries.models import RegistryCredential
from tests import catalog
from tests.access.tokens import asking
from tests.live import engine, portolan
from tests.live.command.pushing import IMAGE, NEXT, skopeo_push
from tests.live.docked import GENERATIONS, Dock, docked
from tests.live.shells import Home
from tests.registries.sync.syncing import succeed


@pytest.fixture(scope="package")
def db(django_db_setup: None) -> None:
    """The test database, made and left alone: a server of its own process must see what is in it."""


@pytest.fixture(scope="package")
def server(
    db: None, django_db_blocker: DjangoDbBlocker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The address of a running Portolan."""
    log = tmp_path_factory.mktemp("portolan") / "web.log"
    with django_db_blocker.unblock(), portolan.serving_many(log) as url:
        yield url


@pytest.fixture(scope="package")
def owner(server: str) -> asking.Login:
    user = User.objects.create_superuser("anna")
    return asking.token_of(user, timezone.now() + timedelta(hours=1))


@pytest.fixture(scope="package")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return Home.make(tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="package")
def dock(server: str, home: Home, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dock]:
    """A registry that asks this Portolan, beside one that nobody can reach."""
    name = next(iter(GENERATIONS))
    with docked(name, server, tmp_path_factory.mktemp(name)) as dock:
        account, secret = asking.login(asking.machine("syncer", "owner"))
        # Called localhost, as its token server is: a secret goes to no other domain.
        port = dock.host.rpartition(":")[2]
        ours = catalog.registry(
            name, url=f"http://localhost:{port}", public_host=dock.host, allow_private=True
        )
        RegistryCredential.objects.create(registry=ours, username=account, secret=secret)
        catalog.registry("far", url="https://127.0.0.1:9")
        yield dock


@pytest.fixture(scope="package")
def signed_in(home: Home, server: str, dock: Dock, owner: asking.Login) -> Home:
    """Anna's home after her `portolan login`, with what docker had there before."""
    home.docker_config.parent.mkdir()
    before = {"auths": {"other.example.com": {"auth": "YTpi"}}, "currentContext": "x"}
    home.docker_config.write_text(json.dumps(before), encoding="utf-8")
    said = home.shell("login", server, "--token-stdin", typed=owner[1] + "\n")
    assert said.code == 0, said.err
    assert "as user:anna" in said.out
    assert dock.host in said.out
    return home


@pytest.fixture(scope="package")
def filled(signed_in: Home, dock: Dock, tmp_path_factory: pytest.TempPathFactory) -> Dock:
    """With two images of team-a/app, pushed with the login that the command left, and synced."""
    for tag, image in (("1", IMAGE), ("2", NEXT)):
        pushed = skopeo_push(signed_in, dock, image, f"team-a/app:{tag}", tmp_path_factory)
        assert pushed.code == 0, pushed.err
    succeed(dock.registry)
    return dock


@pytest.fixture(scope="package")
def daemon() -> Iterator[dict[str, str]]:
    """What tells docker's client where its daemon is; without one it has commands that need none."""
    with engine.running() if engine.is_here() else contextlib.nullcontext() as address:
        yield {"DOCKER_HOST": address} if address else {}
