"""Pulls are counted once each, whatever a client asks for on the way to one."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from registries.events import Event, ImagePulled
from registries.models import Artifact, Registry, Repository, Tag
from registries.oci.transport import USER_AGENT
from tests import catalog
from tests.registries.sync.conftest import heard
from tests.webhooks.inbound.bodies import envelope
from tests.webhooks.inbound.bodies import pull as pull_event
from tests.webhooks.inbound.conftest import Post
from tests.webhooks.inbound.telling import handled, tell
from webhooks.models import Notification

__all__ = ["heard"]

CLIENT = {"agent": "docker/28.0.1", "address": "10.0.0.7"}


@pytest.fixture
def image(harbour: Registry) -> Artifact:
    app = catalog.repository(harbour, "team-a/app")
    image = catalog.image(app)
    catalog.tag(app, "1.0", image)
    catalog.tag(app, "latest", image)
    return image


def pull(image: Artifact, **fields: Any) -> Notification:
    """A GET by digest, unless the fields say otherwise."""
    usual = {"digest": image.manifest.digest, "method": "GET", **CLIENT}
    repository = image.repository
    return tell(repository.registry, "pull", repository.path, **(usual | fields))


def counts(image: Artifact) -> tuple[int, dict[str, int]]:
    """Pulls of the image, and of its tags."""
    image.refresh_from_db()
    tags = Tag.objects.filter(repository=image.repository).values_list("name", "pull_count")
    return image.pull_count, dict(tags)


def test_a_pull_by_tag_counts_for_image_and_tag_and_dates_all_three(
    image: Artifact, heard: list[Event]
) -> None:
    at = timezone.now() - timedelta(minutes=1)
    assert handled(pull(image, tag="1.0", occurred_at=at, actor="anna")) == [("done", "")]
    assert counts(image) == (1, {"1.0": 1, "latest": 0})
    assert image.pulled_at == at
    assert Tag.objects.get(name="1.0").pulled_at == at
    assert Repository.objects.get().pulled_at == at
    digest = image.manifest.digest
    assert heard == [ImagePulled("harbour", at, "team-a/app", digest, "1.0")]


def test_dockers_pair_is_one_pull_of_the_tag(image: Artifact, heard: list[Event]) -> None:
    head = pull(image, tag="latest", method="HEAD", ago=1)
    get = pull(image)
    assert [state for state, _ in handled(head, get)] == ["ignored", "done"]
    assert counts(image) == (1, {"1.0": 0, "latest": 1})
    assert [type(it) for it in heard] == [ImagePulled]


def test_the_pair_is_known_also_when_it_is_handled_in_two_batches(image: Artifact) -> None:
    handled(pull(image, tag="latest", method="HEAD", ago=1))
    handled(pull(image))
    assert counts(image) == (1, {"1.0": 0, "latest": 1})


def test_another_clients_head_lends_nothing(image: Artifact) -> None:
    pull(image, tag="latest", method="HEAD", address="10.0.0.8")
    pull(image, tag="latest", method="HEAD", agent="containerd/2")
    pull(image, tag="latest", method="HEAD", ago=60)
    pull(image, tag="latest", method="HEAD", digest="sha256:" + "0" * 64)
    handled(pull(image))
    assert counts(image) == (1, {"1.0": 0, "latest": 0})


def test_a_look_alone_is_no_pull(image: Artifact, heard: list[Event]) -> None:
    ((state, reason),) = handled(pull(image, tag="latest", method="HEAD"))
    assert (state, "only looks" in reason) == ("ignored", True)
    assert counts(image) == (0, {"1.0": 0, "latest": 0})
    assert image.pulled_at is None
    assert heard == []


def test_a_platform_after_its_index_counts_for_itself_and_is_told_once(
    image: Artifact, heard: list[Event]
) -> None:
    index = catalog.index(image.repository, [image])
    catalog.tag(image.repository, "multi", index)
    pull(index, tag="multi", method="HEAD")
    pull(index)
    handled(pull(image))
    assert counts(image) == (1, {"1.0": 0, "latest": 0, "multi": 1})
    index.refresh_from_db()
    assert index.pull_count == 1
    (event,) = heard
    assert isinstance(event, ImagePulled)
    assert (event.digest, event.tag) == (index.manifest.digest, "multi")


def test_many_pulls_in_one_batch_all_count(image: Artifact) -> None:
    for number in range(30):
        pull(image, tag="1.0" if number % 3 else "", address=f"10.0.1.{number}")
    handled()
    assert counts(image) == (30, {"1.0": 20, "latest": 0})


def test_a_date_never_goes_back_nor_ahead_of_us(image: Artifact) -> None:
    handled(pull(image, tag="1.0", occurred_at=timezone.now() + timedelta(days=900)))
    first = Tag.objects.get(name="1.0").pulled_at
    assert first is not None
    assert first <= timezone.now()
    handled(pull(image, tag="1.0", occurred_at=first - timedelta(days=3)))
    assert Tag.objects.get(name="1.0").pulled_at == first
    assert counts(image)[0] == 2


def test_a_tag_without_a_digest_is_the_image_that_it_points_at(image: Artifact) -> None:
    """As Harbor may tell it."""
    handled(pull(image, tag="latest", digest="", method=""))
    assert counts(image) == (1, {"1.0": 0, "latest": 1})


def test_an_image_that_is_not_in_the_catalog_is_no_error(
    image: Artifact, heard: list[Event]
) -> None:
    unknown = pull(image, digest="sha256:" + "0" * 64)
    ((state, reason),) = handled(unknown)
    assert (state, "does not have" in reason) == ("ignored", True)
    assert heard == []


def test_a_pull_in_another_repository_or_registry_is_not_counted_here(image: Artifact) -> None:
    digest = image.manifest.digest
    other = catalog.registry("other")
    catalog.present(catalog.repository(other, "team-a/app"), image.manifest)
    catalog.present(catalog.repository(image.repository.registry, "mirror"), image.manifest)
    tell(other, "pull", "team-a/app", digest=digest, method="GET", **CLIENT)
    tell(image.repository.registry, "pull", "mirror", digest=digest, method="GET", **CLIENT)
    handled()
    assert counts(image) == (0, {"1.0": 0, "latest": 0})


def test_repeats_and_our_own_reads_count_for_nothing(image: Artifact, post: Post) -> None:
    told = pull_event(repository="team-a/app", digest=image.manifest.digest, tag="1.0")
    own = pull_event(
        event_id="own",
        agent=USER_AGENT,
        repository="team-a/app",
        digest=image.manifest.digest,
        tag="1.0",
    )
    for _time in range(3):
        post(envelope(told, own))
    Notification.objects.update(due_at=timezone.now())
    handled()
    post(envelope(told, own))
    handled()
    assert counts(image) == (1, {"1.0": 1, "latest": 0})
