"""Real registries for the tests in this directory, started once for all of them."""

from collections.abc import Iterator

import pytest

from tests.live import registries
from tests.live.registries import RealRegistry


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "live" in item.path.parts:
            item.add_marker(pytest.mark.live)


@pytest.fixture(scope="session", params=registries.available())
def registry(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RealRegistry]:
    """Each real registry in turn. Tests share it, so each pushes below a path of its own."""
    kind: str = request.param
    with registries.running(kind, tmp_path_factory.mktemp(kind)) as running:
        yield running


@pytest.fixture
def path(request: pytest.FixtureRequest) -> str:
    """A repository path that no other test of this session uses."""
    name = request.node.name.partition("[")[0].removeprefix("test_").replace("_", "-")
    return f"live/{name}"
