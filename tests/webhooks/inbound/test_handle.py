"""Whatever a notification says, the registry is asked; once, however many said it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.utils import timezone

from registries.events import (
    ArtifactGone,
    Event,
    ImageQuarantined,
    RepositoryAppeared,
    TagCreated,
    TagDeleted,
)
from registries.models import Artifact, Registry, Repository, TagMove
from tests.fakes import content
from tests.fakes.misbehaviour import answers, answers_bare_404, path_has
from tests.fakes.registry import FakeRegistry
from tests.registries.sync.syncing import ours, present, succeed, theirs
from tests.webhooks.inbound.bodies import DIGEST
from tests.webhooks.inbound.telling import again, handled, tell, time_passes
from webhooks.inbound import claims, handle
from webhooks.models import Notification


@pytest.fixture(autouse=True)
def imported(fake: FakeRegistry, registry: Registry, heard: list[Event]) -> None:
    for path in ("team/api", "team/web"):
        fake.push(path, content.image(path), "1", "latest")
    succeed(registry)
    heard.clear()
    fake.requests.clear()


def kinds(heard: list[Event]) -> list[type[Event]]:
    return [type(event) for event in heard]


def test_a_push_brings_the_tag_and_who_the_registry_says_it_was(
    fake: FakeRegistry, registry: Registry, heard: list[Event]
) -> None:
    new = fake.push("team/api", content.image("new"), "2")

    assert handled(tell(registry, "push", "team/api", tag="2", actor="anna")) == [("done", "")]

    assert ours(registry)["team/api"]["2"] == new
    assert kinds(heard) == [TagCreated]
    move = TagMove.objects.get()
    assert (move.source, move.actor_kind, move.actor_id) == (
        "notification",
        "registry",
        str(registry.pk),
    )
    assert move.actor_label == "anna at harbour"


def test_many_notifications_of_a_tag_are_one_look(fake: FakeRegistry, registry: Registry) -> None:
    fake.push("team/api", content.image("new"), "latest")
    told = [tell(registry, "push", "team/api", tag="latest") for _ in range(50)]

    assert set(handled(*told)) == {("done", "")}

    assert len(fake.seen("HEAD", "team/api/manifests/latest")) == 1
    assert not fake.seen(part="tags/list")
    assert not fake.seen(part="team/web")


def test_what_a_notification_claims_is_not_believed(
    fake: FakeRegistry, registry: Registry, heard: list[Event]
) -> None:
    before = ours(registry)
    held = before["team/api"]["1"]
    told = [
        tell(registry, "push", "team/api", tag="1", digest=DIGEST),
        tell(registry, "push", "team/api", tag="invented", digest=DIGEST),
        tell(registry, "push", "team/api", digest=DIGEST),
        tell(registry, "push", "team/invented", tag="1"),
        tell(registry, "push", "team/invented", digest=DIGEST),
        tell(registry, "delete", "team/api", tag="1"),
        tell(registry, "delete", "team/api", digest=held),
        tell(registry, "delete", "team/web"),
    ]

    assert set(handled(*told)) == {("done", "")}

    assert ours(registry) == before
    assert heard == []
    assert not Repository.objects.filter(path="team/invented").exists()


def test_a_new_repository_appears(
    fake: FakeRegistry, registry: Registry, heard: list[Event]
) -> None:
    fake.push("team/new", content.image("new"), "1")
    handled(tell(registry, "push", "team/new", tag="1"))
    assert ours(registry)["team/new"] == theirs(fake)["team/new"]
    assert kinds(heard) == [RepositoryAppeared, TagCreated]


def test_a_manifest_pushed_by_digest_is_present_without_a_tag(
    fake: FakeRegistry, registry: Registry, heard: list[Event]
) -> None:
    digest = fake.push("team/api", content.image("untagged"))
    assert handled(tell(registry, "push", "team/api", digest=digest)) == [("done", "")]
    assert digest in present(registry, "team/api")
    assert heard == []


def test_a_digest_that_is_gone_takes_its_tags_along(
    fake: FakeRegistry, registry: Registry, heard: list[Event]
) -> None:
    digest = ours(registry)["team/api"]["1"]
    holdings = fake.repositories["team/api"]
    holdings.tags.clear()
    del holdings.manifests[digest]

    assert handled(tell(registry, "delete", "team/api", digest=digest)) == [("done", "")]

    assert ours(registry)["team/api"] == {}
    assert digest not in present(registry, "team/api")
    assert kinds(heard) == [TagDeleted, TagDeleted, ArtifactGone]
    # Once more, and nothing more is told.
    handled(tell(registry, "delete", "team/api", digest=digest))
    assert len(heard) == 3


def test_an_untagged_image_that_is_gone_is_told_of(
    fake: FakeRegistry, registry: Registry, heard: list[Event]
) -> None:
    digest = fake.push("team/api", content.image("untagged"))
    handled(tell(registry, "push", "team/api", digest=digest))
    del fake.repositories["team/api"].manifests[digest]

    handled(tell(registry, "delete", "team/api", digest=digest))

    assert heard == [ArtifactGone("harbour", heard[0].at, "team/api", digest)]
    assert Artifact.objects.get(manifest__digest=digest).missing_since is not None


def test_a_proxy_that_answers_404_proves_nothing(
    fake: FakeRegistry, registry: Registry, heard: list[Event]
) -> None:
    before = ours(registry)
    fake.misbehave(path_has("/v2/"), answers_bare_404())
    told = tell(registry, "delete", "team/api", digest=before["team/api"]["1"])
    ((state, reason),) = handled(told)
    assert state == "waiting"
    assert reason
    assert ours(registry) == before
    assert heard == []


def test_a_repository_left_out_by_the_settings_is_ignored(
    fake: FakeRegistry, registry: Registry
) -> None:
    Registry.objects.update(repository_names=["team/api"])
    ((state, reason),) = handled(tell(registry, "push", "team/web", tag="1"))
    assert (state, "leave this repository out" in reason) == ("ignored", True)
    assert fake.requests == []


def test_a_quarantined_image_is_told_of_once(registry: Registry, heard: list[Event]) -> None:
    told = tell(registry, "quarantine", "team/api", tag="1", digest=DIGEST)
    assert handled(told) == [("done", "")]
    assert kinds(heard) == [ImageQuarantined]


# A registry that does not answer ------------------------------------------------------------------


def test_a_registry_that_fails_is_asked_again_later_and_then_given_up(
    fake: FakeRegistry, registry: Registry
) -> None:
    fake.misbehave(path_has("team/api"), answers(500))
    told = tell(registry, "push", "team/api", tag="1")
    waits: list[timedelta] = []
    for _try in range(claims.MOST_TRIES - 1):
        ((state, reason),) = handled(told)
        assert state == "waiting"
        assert reason
        waits.append(time_passes(told))
        again()
    assert waits == sorted(waits)
    assert waits[0] > timedelta(seconds=4)
    ((state, reason),) = handled(told)
    assert (state, bool(reason)) == ("given up", True)


def test_a_registry_that_is_back_is_read(fake: FakeRegistry, registry: Registry) -> None:
    fake.misbehave(path_has("team/api"), answers(500))
    new = fake.push("team/api", content.image("new"), "1")
    told = tell(registry, "push", "team/api", tag="1")
    other = tell(registry, "push", "team/web", tag="1")
    assert [state for state, _ in handled(told, other)] == ["waiting", "done"]
    fake.behave()
    again()
    assert handled(told) == [("done", "")]
    assert ours(registry)["team/api"]["1"] == new


def test_what_a_killed_worker_held_comes_back(fake: FakeRegistry, registry: Registry) -> None:
    told = tell(registry, "push", "team/api", tag="1")
    assert claims.claim(registry, timezone.now()) == [told]  # and is killed here
    assert claims.claim(registry, timezone.now()) == []
    assert claims.claim(registry, timezone.now() + claims.LEASE) == [told]
    told.refresh_from_db()
    assert (told.state, told.tries) == ("waiting", 2)


def test_what_kills_its_worker_each_time_is_given_up(registry: Registry) -> None:
    told = tell(registry, "push", "team/api", tag="1")
    for _try in range(claims.MOST_TRIES):
        assert claims.claim(registry, timezone.now()) == [told]  # and is killed here
        again()
    assert claims.claim(registry, timezone.now()) == []
    told.refresh_from_db()
    assert (told.state, told.tries) == ("given up", claims.MOST_TRIES)
    assert "never came to an end" in told.reason
    assert told.handled_at is not None


def test_what_makes_portolan_fail_does_not_come_back_for_ever(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> Iterator[None]:
        raise RuntimeError("a mistake of ours")

    monkeypatch.setattr(handle, "refresh", fail)
    told = tell(registry, "push", "team/api", tag="1")
    for _try in range(claims.MOST_TRIES):
        handled(told)
        again()
    assert told.state == "given up"
    assert not Notification.objects.filter(state="waiting").exists()
