"""Whole syncs of hosted registries: how many requests they take, and that all of it arrives."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, cast

import pytest
from aiohttp import web
from django.utils import timezone

from registries.actor import SYSTEM
from registries.connectors.gar import connector
from registries.models import Registry, RegistryCredential, TagMove
from registries.sync.refresh import refresh_repository
from tests.fakes import amazon, content, google
from tests.fakes.amazon import FakeEcr
from tests.fakes.github import FakeGithub
from tests.fakes.gitlab import FakeGitlab
from tests.fakes.google import FakeGar
from tests.fakes.misbehaviour import path_has
from tests.fakes.registry import FakeRegistry
from tests.fakes.sign_in import PASSWORD, USERNAME
from tests.registries.sync.syncing import ours, present, succeed, theirs

REPOSITORIES, TAGS = 3, 12


@dataclass(frozen=True)
class Cloud:
    """A kind with its fake; `listing` is what listing everything takes, the sign-in included.

    `documents` says whether each image is read once besides, since nothing describes it.
    """

    kind: str
    fake: Callable[[], AbstractContextManager[FakeRegistry]]
    settings: Callable[[FakeRegistry], dict[str, Any]]
    listing: int
    documents: bool = False

    def __str__(self) -> str:
        return self.kind


def _person(fake: FakeRegistry, **options: str) -> dict[str, Any]:
    who = {"username": USERNAME, "password": PASSWORD, "requests_per_minute": 60_000}
    return {**who, "options": options}


CLOUDS = (
    Cloud(
        "ecr",
        lambda: FakeEcr(largest_page=10),
        lambda fake: {
            "username": amazon.KEY_ID,
            "password": amazon.SECRET,
            "options": {"endpoint": fake.url, "region": amazon.REGION},
        },
        # The repositories, and two pages of images for each.
        listing=1 + REPOSITORIES * 2,
    ),
    Cloud(
        "gar",
        lambda: FakeGar(page_size=10),
        lambda fake: {
            "username": "_json_key",
            "password": google.key_file(),
            "options": dict(google.account(cast("FakeGar", fake)).options),
        },
        # A token, the repository, and four pages for all its images together.
        listing=1 + 1 + 4,
    ),
    Cloud(
        "ghcr",
        lambda: FakeGithub(largest_page=10),
        lambda fake: _person(fake, api=fake.url, owners="acme"),
        # Who acme is, its packages, and two pages of versions for each.
        listing=1 + 1 + REPOSITORIES * 2,
        documents=True,
    ),
    Cloud(
        "gitlab",
        lambda: FakeGitlab(page_size=10),
        lambda fake: _person(fake, groups="acme"),
        # Where GitLab is, and the group; then a token and two pages for each.
        listing=1 + 1 + REPOSITORIES * (1 + 2),
        documents=True,
    ),
)


@pytest.fixture(autouse=True)
def hasty() -> None:
    """No bad days here: a busy machine may take its time, instead of the half second of others."""


@pytest.fixture(params=CLOUDS, ids=str)
def cloud(request: pytest.FixtureRequest) -> Cloud:
    found: Cloud = request.param
    return found


@pytest.fixture
def fake(cloud: Cloud) -> Iterator[FakeRegistry]:
    with cloud.fake() as fake:
        for number in range(REPOSITORIES):
            for tag in range(TAGS):
                image = content.image(f"{number}.{tag}")
                fake.push(f"acme/images/app-{number}", image, f"1.{tag}")
        yield fake


@pytest.fixture
def registry(cloud: Cloud, fake: FakeRegistry, db: None) -> Registry:
    settings = cloud.settings(fake)
    who = {"username": settings.pop("username"), "secret": settings.pop("password")}
    registry = Registry.objects.create(
        name="cloud", kind=cloud.kind, url=fake.url, allow_private=True, **settings
    )
    RegistryCredential.objects.create(registry=registry, **who)
    return registry


def documents(fake: FakeRegistry) -> list[str]:
    return fake.seen("GET", "/manifests/")


def taken(fake: FakeRegistry) -> int:
    """How many requests were made but for those that learned how to sign in.

    How many do, before the first of them has learned it, is chance.
    """
    return sum(
        it.authorization is not None or not it.path.startswith(("/v2/acme/", "/gitlab/"))
        for it in fake.requests
    )


def test_a_first_sync_takes_the_pages_there_are_and_each_image_at_most_once(
    cloud: Cloud, registry: Registry, fake: FakeRegistry
) -> None:
    run = succeed(registry)
    assert ours(registry) == theirs(fake)
    if cloud.documents:
        assert run.manifests_fetched == REPOSITORIES * TAGS
        assert len(set(documents(fake))) == REPOSITORIES * TAGS
    else:
        assert documents(fake) == []
        assert len(fake.requests) == run.requests
        assert taken(fake) == cloud.listing


def test_a_sync_of_what_did_not_change_takes_the_listings_alone(
    cloud: Cloud, registry: Registry, fake: FakeRegistry
) -> None:
    succeed(registry)
    fake.requests.clear()
    run = succeed(registry)
    assert len(fake.requests) == run.requests
    assert taken(fake) == cloud.listing


def test_what_moves_and_goes_there_moves_and_goes_here(
    cloud: Cloud, registry: Registry, fake: FakeRegistry
) -> None:
    succeed(registry)
    path = "acme/images/app-0"
    fake.push(path, content.image("newer"), "1.0", "extra")
    fake.delete_tag(path, "1.1")
    fake.delete_repository("acme/images/app-2")
    succeed(registry)
    succeed(registry)  # a repository is gone once it was missed twice
    assert ours(registry) == theirs(fake)
    if not cloud.documents:
        # What has no tag any more is still listed, and so still there.
        assert present(registry, path) == set(fake.repositories[path].manifests)


def test_what_was_listed_with_all_the_others_is_no_newer_than_what_was_read_since(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    (cloud,) = (it for it in CLOUDS if it.kind == "gar")
    with FakeGar() as fake:
        path = "acme/images/api"
        fake.push(path, content.image("old"), "1.0")
        settings = cloud.settings(fake)
        who = {"username": settings.pop("username"), "secret": settings.pop("password")}
        registry = Registry.objects.create(
            name="cloud", kind="gar", url=fake.url, allow_private=True, **settings
        )
        RegistryCredential.objects.create(registry=registry, **who)
        succeed(registry)

        # A sync lists a large place; before it comes to this image, a notification has it read.
        before, began = dict(fake.repositories[path].tags), timezone.now()
        newer = fake.push(path, content.image("newer"), "1.0")
        refresh_repository(registry, path, source=TagMove.Source.NOTIFICATION, actor=SYSTEM)

        async def as_it_was(request: web.Request) -> web.Response:
            now = dict(fake.repositories[path].tags)
            fake.repositories[path].tags.update(before)
            answer = await fake._list_images(request)
            fake.repositories[path].tags.update(now)
            return answer

        fake.misbehave(path_has("/dockerImages"), as_it_was)
        monkeypatch.setattr(connector, "datetime", SimpleNamespace(now=lambda _: began))
        succeed(registry)
        assert fake.seen(part="/dockerImages")
        assert ours(registry) == {path: {"1.0": newer}}
