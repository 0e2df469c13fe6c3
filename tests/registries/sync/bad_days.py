"""What a bad day begins with and ends with: a few repositories, and a sync that mends all."""

from __future__ import annotations

from registries.models import Registry
from tests.fakes import content
from tests.fakes.registry import FakeRegistry
from tests.registries.sync.counting import assert_counters_are_true
from tests.registries.sync.syncing import ours, succeed, theirs

MEGABYTE = 1024**2


def fill(fake: FakeRegistry, repositories: int = 4) -> None:
    for number in range(repositories):
        path = f"team/app{number}"
        fake.push(path, content.image(f"{path} 1"), "1")
        fake.push(path, content.image(f"{path} 2"), "2")


def assert_recovers(registry: Registry, fake: FakeRegistry) -> None:
    """Once the registry is well again, one sync makes everything true."""
    fake.behave()
    succeed(registry)
    assert ours(registry) == theirs(fake)
    assert registry.health == Registry.Health.HEALTHY
    assert registry.health_detail == ""
    assert_counters_are_true(registry)
