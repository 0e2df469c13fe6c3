"""Whatever happens to a registry: after each sync our copy is true, and history leads to it."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from registries.models import Registry
from tests.fakes import content
from tests.fakes.registry import FakeRegistry
from tests.registries.sync.counting import assert_counters_are_true
from tests.registries.sync.syncing import (
    Tags,
    holding_tags,
    ours,
    present,
    replayed,
    succeed,
    theirs,
)

PATHS = ["app", "team/app", "team/deep/app"]
NAMES = ["latest", "1.0", "1.1"]
IMAGES = [content.image(f"image {number}") for number in range(4)]

Change = Callable[[FakeRegistry], object]
numbers = itertools.count()


def push(path: str, name: str, number: int) -> Change:
    return lambda fake: fake.push(path, IMAGES[number], name)


def push_index(path: str, name: str, number: int) -> Change:
    platforms = [(IMAGES[number], "linux", "amd64"), (IMAGES[0], "linux", "arm64")]
    return lambda fake: fake.push_index(path, platforms, name)


def delete_tag(path: str, name: str) -> Change:
    def change(fake: FakeRegistry) -> None:
        if path in fake.repositories:
            fake.repositories[path].tags.pop(name, None)

    return change


def delete_manifests(path: str) -> Change:
    """The registry's own collection of what no tag holds."""

    def change(fake: FakeRegistry) -> None:
        if holdings := fake.repositories.get(path):
            held = set(holdings.tags.values())
            for digest in list(holdings.tags.values()):
                document = holdings.manifests[digest].document
                held |= {entry["digest"] for entry in document.get("manifests", [])}
            for digest in set(holdings.manifests) - held:
                del holdings.manifests[digest]

    return change


def delete_repository(path: str) -> Change:
    return lambda fake: fake.repositories.pop(path, None)


paths, names, images = st.sampled_from(PATHS), st.sampled_from(NAMES), st.integers(0, 3)
changes = st.one_of(
    st.builds(push, paths, names, images),
    st.builds(push_index, paths, names, images),
    st.builds(delete_tag, paths, names),
    st.builds(delete_manifests, paths),
    st.builds(delete_repository, paths),
)


@pytest.mark.django_db
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.lists(changes, max_size=6), min_size=1, max_size=5), st.booleans())
def test_after_each_sync_our_copy_is_theirs_and_history_replays_to_it(
    steps: list[list[Change]], full: bool
) -> None:
    with FakeRegistry() as fake:
        name = f"registry-{next(numbers)}"
        registry = Registry.objects.create(name=name, url=fake.url, allow_private=True)
        succeed(registry)  # an empty first import: from here on everything is a move
        assert registry.imported_at is not None
        before: Tags = {}
        missed: set[str] = set()
        for step in steps:
            for change in step:
                change(fake)

            succeed(registry, full=full)

            # What answers 404 for the first time stays, for the second time it goes.
            absent = before.keys() - theirs(fake).keys()
            kept = {path: before[path] for path in absent - missed}
            expected = theirs(fake) | kept
            assert ours(registry) == expected
            assert replayed(registry, {}) == holding_tags(expected)
            for path, holdings in fake.repositories.items():
                assert set(holdings.tags.values()) <= present(registry, path)
            assert_counters_are_true(registry)
            missed, before = set(kept), expected
