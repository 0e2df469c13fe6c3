"""Azure Container Registry, as a sync has it: what it asks, and what comes of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from registries.connectors.acr.listing import FEW
from registries.models import Artifact, Registry, Tag
from registries.models.registry import RegistryCredential
from registries.oci.outlines import Lock
from registries.secret import Secret
from tests.fakes import content
from tests.fakes.acr import FakeAcr
from tests.fakes.sign_in import PASSWORD, USERNAME
from tests.registries.sync.syncing import ours, present, succeed, theirs

REPOSITORIES, TAGS = 3, 250
PAGES = 3  # a hundred entries each


@pytest.fixture
def azure() -> Iterator[FakeAcr]:
    with FakeAcr() as fake:
        for number in range(REPOSITORIES):
            for tag in range(TAGS):
                fake.push(f"team/app-{number}", content.image(f"{number} {tag}"), f"v{tag}")
        yield fake


@pytest.fixture
def registry(db: None, azure: FakeAcr) -> Registry:
    registry = Registry.objects.create(
        name="yard", kind="acr", url=azure.url, allow_private=True, options={}
    )
    RegistryCredential.objects.create(registry=registry, username=USERNAME, secret=Secret(PASSWORD))
    return registry


def test_a_sync_takes_the_pages_there_are_and_one_with_nothing_new_only_those_of_tags(
    registry: Registry, azure: FakeAcr
) -> None:
    # The catalog is refused once, to learn of the token server; then a token and its page. One token
    # more is for all repositories.
    beside = 1 + 1 + 1 + 1
    assert succeed(registry).manifests_fetched == 0
    assert ours(registry) == theirs(azure)
    assert len(azure.requests) == beside + REPOSITORIES * PAGES * 2
    assert azure.seen(part="/v2/") == []
    assert Tag.objects.filter(size__gt=0, dated_at__isnull=False).count() == REPOSITORIES * TAGS

    azure.requests.clear()
    run = succeed(registry)
    assert (run.added, run.moved, run.removed) == (0, 0, 0)
    assert len(azure.requests) == beside + REPOSITORIES * PAGES


def test_what_changed_is_followed_with_a_request_for_each_new_image(
    registry: Registry, azure: FakeAcr
) -> None:
    succeed(registry)
    azure.requests.clear()
    azure.push("team/app-0", content.image("newer"), "v1", "v1000")
    azure.delete_tag("team/app-1", "v0")
    run = succeed(registry)
    assert ours(registry) == theirs(azure)
    assert (run.added, run.moved, run.removed) == (1, 1, 1)
    assert len(azure.seen(part="/_manifests/sha256:")) == 1
    # No document is read; only what lost its last tag is asked about, whether it is still there.
    assert azure.seen("GET", "/v2/") == []
    assert len(azure.seen("HEAD", "/v2/")) == 2


def test_locks_set_elsewhere_show_where_the_listing_tells_them_for_no_request_more(
    registry: Registry, azure: FakeAcr
) -> None:
    def locked() -> int:
        return Artifact.objects.exclude(locks=Lock.NONE).count()

    succeed(registry)
    held = azure.repositories["team/app-0"].tags["v249"]
    azure.lock("team/app-0", held, writeEnabled=False)
    azure.requests.clear()
    succeed(registry)
    # Of images that are known nothing is asked, and a tag's entry has the locks of the tag.
    assert (locked(), azure.seen(part="/_manifests")) == (0, [])
    for number in range(FEW + 1):
        azure.push("team/app-0", content.image(f"new {number}"), f"new{number}")
    succeed(registry)
    # The newest come first, and a page has more than the six.
    assert (locked(), len(azure.seen(part="/_manifests"))) == (1, 1)


def test_untagged_images_and_platforms_are_held_and_counted_once(
    registry: Registry, azure: FakeAcr
) -> None:
    children = [(content.image("a"), "linux", "amd64"), (content.image("b"), "linux", "arm64")]
    index = azure.push_index("team/multi", children, "v1")
    untagged = azure.push("team/multi", content.image("untagged"))
    succeed(registry)
    assert {index, untagged, *(child.digest for child, _, _ in children)} <= present(
        registry, "team/multi"
    )
    kinds = Artifact.objects.filter(manifest__digest=index).values_list("manifest__kind", flat=True)
    assert set(kinds) == {"index"}
