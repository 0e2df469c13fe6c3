"""Notifications that are missed, repeated and reordered change nothing in the end."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from registries.models import Registry
from tests.fakes import content
from tests.fakes.registry import FakeRegistry
from tests.registries.sync.counting import assert_counters_are_true
from tests.registries.sync.syncing import holding_tags, ours, replayed, succeed, theirs
from tests.webhooks.inbound.bodies import Body, envelope, event
from webhooks.inbound import senders, store
from webhooks.inbound.working import handle_waiting
from webhooks.models import Notification

PATHS = ["app", "team/app"]
NAMES = ["latest", "1.0"]
IMAGES = [content.image(f"image {number}") for number in range(3)]

# A change of the registry, and what it tells of it.
Change = Callable[[FakeRegistry], list[Body]]
numbers = itertools.count()


def told(action: str, path: str, tag: str | None, digest: str | None) -> Body:
    fields = {"repository": path, "tag": tag, "digest": digest}
    kind = None if action == "delete" else "application/vnd.oci.image.manifest.v1+json"
    return event(action, event_id=f"random-{next(numbers)}", mediaType=kind, **fields)


def push(path: str, name: str, number: int) -> Change:
    def change(fake: FakeRegistry) -> list[Body]:
        return [told("push", path, name, fake.push(path, IMAGES[number], name))]

    return change


def delete_tag(path: str, name: str) -> Change:
    def change(fake: FakeRegistry) -> list[Body]:
        held = fake.repositories.get(path)
        if held is None or name not in held.tags:
            return []
        del held.tags[name]
        return [told("delete", path, name, None)]

    return change


def delete_manifest(path: str, number: int) -> Change:
    """By digest, with all tags that point at it, as Distribution tells of it."""

    def change(fake: FakeRegistry) -> list[Body]:
        held = fake.repositories.get(path)
        digest = IMAGES[number].digest
        if held is None or digest not in held.manifests:
            return []
        del held.manifests[digest]
        tags = [name for name, it in held.tags.items() if it == digest]
        for name in tags:
            del held.tags[name]
        return [
            told("delete", path, None, digest),
            *(told("delete", path, it, None) for it in tags),
        ]

    return change


paths, names, images = st.sampled_from(PATHS), st.sampled_from(NAMES), st.integers(0, 2)
changes = st.one_of(
    st.builds(push, paths, names, images),
    st.builds(push, paths, names, images),
    st.builds(delete_tag, paths, names),
    st.builds(delete_manifest, paths, images),
)


def deliver(registry: Registry, events: list[Body]) -> None:
    for one in events:
        body = json.dumps(envelope(one)).encode()
        store.store(registry.pk, senders.understand({}, body), registry.created_at)


@pytest.mark.django_db
@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.lists(st.lists(changes, max_size=5), min_size=1, max_size=4),
    st.integers(0, 2**32),
    st.booleans(),
)
def test_after_all_came_our_copy_is_theirs_and_a_sync_finds_what_was_missed(
    steps: list[list[Change]], seed: int, some_are_lost: bool
) -> None:
    random = Random(seed)
    with FakeRegistry() as fake:
        name = f"told-{next(numbers)}"
        registry = Registry.objects.create(name=name, url=fake.url, allow_private=True)
        succeed(registry)
        late: list[Body] = []
        for step in steps:
            events = [it for change in step for it in change(fake)] + late
            # Late, twice, in any order; and some never.
            late = [it for it in events if random.random() < 0.3]
            events = [it for it in events if it not in late]
            events += [it for it in events if random.random() < 0.3]
            if some_are_lost:
                events = [it for it in events if random.random() < 0.6]
            random.shuffle(events)
            deliver(registry, events)
            handle_waiting()
        deliver(registry, late)
        handle_waiting()

        states = Notification.objects.filter(registry=registry).values_list("state", flat=True)
        assert set(states) <= {"done"}
        if not some_are_lost:
            assert holding_tags(ours(registry)) == holding_tags(theirs(fake))
        assert replayed(registry, {}) == holding_tags(ours(registry))
        succeed(registry)
        assert holding_tags(ours(registry)) == holding_tags(theirs(fake))
        assert replayed(registry, {}) == holding_tags(theirs(fake))
        assert_counters_are_true(registry)
