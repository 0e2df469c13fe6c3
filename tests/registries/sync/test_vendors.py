"""Harbor, Docker Hub and Quay, as a sync has them: what it asks of each, and what comes of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from registries.models import Artifact, Registry, Tag
from registries.models.registry import ApiCredential, RegistryCredential
from registries.secret import Secret
from tests.fakes import content
from tests.fakes.dockerhub import FakeDockerHub
from tests.fakes.harbor import FakeHarbor
from tests.fakes.quay import API_TOKEN, FakeQuay
from tests.fakes.registry import FakeRegistry
from tests.fakes.sign_in import PASSWORD, USERNAME
from tests.registries.sync.syncing import ours, present, succeed, theirs

AMD, ARM = content.image("amd"), content.image("arm", architecture="arm64")
TAGS = 150  # two pages


@dataclass(frozen=True)
class Hosted:
    """A vendor's fake, and how many requests a sync of two repositories takes: its pages.

    `lists_untagged` is whether manifests without a tag are listed; `reads_indexes` whether nothing is
    told of an index, so that each is read once.
    """

    kind: str
    fake: Callable[[], FakeRegistry]
    requests: int
    lists_untagged: bool = False
    reads_indexes: bool = False
    options: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.kind


HOSTED = (
    # A page of projects, one of repositories, two and one of artifacts.
    Hosted("harbor", FakeHarbor, 1 + 1 + 2 + 1, lists_untagged=True),
    # A token, a page of repositories, two and one of tags.
    Hosted("dockerhub", FakeDockerHub, 1 + 1 + 2 + 1, options={"namespaces": "team"}),
    # A page of repositories, two and one of tags.
    Hosted("quay", FakeQuay, 1 + 2 + 1, reads_indexes=True, options={"namespaces": "team"}),
)


@pytest.fixture(params=HOSTED, ids=str)
def hosted(request: pytest.FixtureRequest) -> Hosted:
    found: Hosted = request.param
    return found


@pytest.fixture
def fake(hosted: Hosted) -> Iterator[FakeRegistry]:
    with hosted.fake() as fake:
        for number in range(TAGS):
            fake.push("team/app", content.image(str(number)), f"v{number}")
        fake.push("team/web", content.image("web"), "v1", "latest")
        yield fake


@pytest.fixture
def registry(db: None, hosted: Hosted, fake: FakeRegistry) -> Registry:
    options: dict[str, Any] = dict(hosted.options)
    if hosted.kind == "dockerhub":
        options["api_url"] = fake.url
    registry = Registry.objects.create(
        name="yard", kind=hosted.kind, url=fake.url, allow_private=True, options=options
    )
    RegistryCredential.objects.create(registry=registry, username=USERNAME, secret=Secret(PASSWORD))
    if hosted.kind == "quay":
        ApiCredential.objects.create(registry=registry, username="", secret=Secret(API_TOKEN))
    return registry


def test_a_sync_takes_the_pages_there_are_and_reads_no_document(
    hosted: Hosted, registry: Registry, fake: FakeRegistry
) -> None:
    assert succeed(registry).manifests_fetched == 0
    assert ours(registry) == theirs(fake)
    assert len(fake.requests) == hosted.requests
    assert fake.seen(part="/manifests/") == []
    assert Tag.objects.filter(size__gt=0, dated_at__isnull=False).count() == TAGS + 2


def test_a_sync_with_nothing_new_asks_as_little_and_changes_nothing(
    hosted: Hosted, registry: Registry, fake: FakeRegistry
) -> None:
    succeed(registry)
    fake.requests.clear()
    run = succeed(registry)
    assert len(fake.requests) == hosted.requests
    assert (run.added, run.moved, run.removed) == (0, 0, 0)


def test_what_changed_is_followed(registry: Registry, fake: FakeRegistry) -> None:
    succeed(registry)
    fake.push("team/app", content.image("newer"), "v1", "v1000")
    fake.push("team/new", content.image("new"), "v1")
    fake.delete_tag("team/web", "latest")
    run = succeed(registry)
    assert ours(registry) == theirs(fake)
    assert (run.added, run.moved, run.removed) == (2, 1, 1)


def test_an_index_is_there_with_its_platforms(
    hosted: Hosted, registry: Registry, fake: FakeRegistry
) -> None:
    children = ((AMD, "linux", "amd64"), (ARM, "linux", "arm64"))
    index = fake.push_index("team/multi", children, "v1", attested=True)
    untagged = fake.push("team/multi", content.image("untagged"))
    assert succeed(registry).manifests_fetched >= hosted.reads_indexes
    manifest = Artifact.objects.get(repository__path="team/multi", manifest__digest=index).manifest
    assert manifest.platforms == ["linux/amd64", "linux/arm64"]
    held = present(registry, "team/multi")
    assert {index, AMD.digest, ARM.digest} <= held
    assert (untagged in held) is hosted.lists_untagged
    if not hosted.reads_indexes:
        assert fake.seen(part="/manifests/") == []
