"""Plain registries as a sync sees them."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import pytest

from registries.connectors import CONNECTORS, Connector, connect
from registries.connectors.base import STEPS
from registries.oci.connection import InvalidConnection
from registries.oci.errors import RegistryError, ResponseTooLarge, Unsupported
from tests.fakes import content, doors
from tests.fakes.misbehaviour import always, path_has, shows_a_web_page, streams
from tests.fakes.registry import FakeRegistry
from tests.fakes.sign_in import PASSWORD, USERNAME
from tests.registries.oci.asking import connection

T = TypeVar("T")


def with_connector(
    fake: FakeRegistry,
    question: Callable[[Connector], Awaitable[T]],
    *repositories: str,
    **more: object,
) -> T:
    async def run() -> T:
        async with connect("distribution", connection(fake, **more), repositories) as connector:
            return await question(connector)

    return asyncio.run(run())


async def paths(connector: Connector) -> list[str]:
    return [path async for page in connector.repositories() for path in page.paths]


@pytest.fixture
def filled(fake: FakeRegistry) -> FakeRegistry:
    for name in ("team-a/api", "team-a/deep/web", "team-b/api", "tools"):
        fake.push(name, content.image(), "v1")
    return fake


def test_without_a_selection_everything_is_wanted(filled: FakeRegistry) -> None:
    assert with_connector(filled, paths) == sorted(filled.repositories)


def test_exact_names_never_ask_for_the_catalog(filled: FakeRegistry) -> None:
    assert with_connector(filled, paths, "tools", "not/there", "tools") == ["tools", "not/there"]
    assert filled.requests == []


def test_patterns_choose_from_the_catalog(filled: FakeRegistry) -> None:
    assert with_connector(filled, paths, "team-a/*") == ["team-a/api", "team-a/deep/web"]
    assert with_connector(filled, paths, "*/api", "t??ls") == ["team-a/api", "team-b/api", "tools"]


def test_names_and_patterns_together_name_each_repository_once(filled: FakeRegistry) -> None:
    found = with_connector(filled, paths, "team-a/api", "secret/hidden", "team-a/*")
    assert found == ["team-a/api", "secret/hidden", "team-a/deep/web"]


def test_given_names_are_marked_as_not_listed(filled: FakeRegistry) -> None:
    async def marks(connector: Connector) -> list[bool]:
        return [page.listed async for page in connector.repositories()]

    assert with_connector(filled, marks, "tools", "team-*") == [False, True]


@pytest.mark.parametrize("name", ["UPPER", "../x", "a b"])
def test_a_name_no_repository_can_have_is_refused_at_once(filled: FakeRegistry, name: str) -> None:
    with pytest.raises(InvalidConnection):
        connect("distribution", connection(filled), [name])


def test_an_unknown_kind_is_refused(filled: FakeRegistry) -> None:
    with pytest.raises(InvalidConnection, match="distribution"):
        connect("floppy", connection(filled))


def test_every_kind_is_listed_under_its_own_name() -> None:
    assert all(kind == connector.kind for kind, connector in CONNECTORS.items())
    assert all(connector.label for connector in CONNECTORS.values())


def test_a_registry_without_a_catalog_says_to_give_names(filled: FakeRegistry) -> None:
    filled.catalog = False
    with pytest.raises(Unsupported) as caught:
        with_connector(filled, paths)
    assert "by name" in caught.value.advice


def test_a_config_is_read_and_an_overlarge_one_not_even_asked_for(filled: FakeRegistry) -> None:
    async def config(connector: Connector) -> dict[str, str]:
        manifest = await connector.manifest("tools", "v1")
        assert manifest.config is not None
        digest, size = manifest.config.digest, manifest.config.size
        with pytest.raises(ResponseTooLarge):
            await connector.config("tools", digest, 10**9)
        return (await connector.config("tools", digest, size)).labels

    assert with_connector(filled, config) == {"name": "image"}
    assert len(filled.seen(part="/blobs/")) == 1


def test_a_config_larger_than_it_says_is_not_read(filled: FakeRegistry) -> None:
    filled.misbehave(path_has("/blobs/"), streams(100 * 1024**2, declared=False))
    digest = "sha256:" + "0" * 64
    with pytest.raises(RegistryError):
        with_connector(filled, lambda connector: connector.config("tools", digest, 10))


def test_head_tags_and_referrers_are_the_clients(filled: FakeRegistry) -> None:
    async def all_three(connector: Connector) -> tuple[object, ...]:
        head = await connector.head("tools", "v1")
        assert head is not None
        tags = await connector.tags("tools")
        return tags.names, dict(tags.digests), await connector.referrers("tools", head.digest)

    assert with_connector(filled, all_three) == (("v1",), {}, ())


# Testing a connection


def checked(fake: FakeRegistry, *repositories: str, **more: object) -> dict[str, bool | None]:
    steps = with_connector(fake, lambda connector: connector.check(), *repositories, **more)
    assert tuple(step.name for step in steps) == STEPS
    assert all(step.detail.endswith(".") for step in steps)
    assert all(step.advice for step in steps if step.ok is False)
    return {step.name: step.ok for step in steps}


def test_a_good_connection_passes_every_step(filled: FakeRegistry) -> None:
    filled.sign_in.method = "basic"
    steps = checked(filled, username=USERNAME, password=PASSWORD)
    assert steps == dict.fromkeys(STEPS, True)


@pytest.mark.parametrize(
    ("url", "failed"),
    [
        ("https://10.0.0.1", "address"),
        ("https://no-such-host.invalid", "dns"),
        ("https://localhost:5000", "dns"),
    ],
)
def test_a_check_stops_at_the_first_failure(filled: FakeRegistry, url: str, failed: str) -> None:
    steps = checked(filled, url=url, allow_private=False)
    at = STEPS.index(failed)
    assert list(steps.values()) == [True] * at + [False] + [None] * (len(STEPS) - at - 1)


def test_a_closed_port_fails_at_tcp(filled: FakeRegistry) -> None:
    steps = checked(filled, url=f"http://{doors.closed()}")
    assert (steps["dns"], steps["tcp"], steps["tls"]) == (True, False, None)


def test_a_port_without_tls_fails_at_tls(filled: FakeRegistry) -> None:
    steps = checked(filled, url=filled.url.replace("http:", "https:"))
    assert (steps["tcp"], steps["tls"], steps["api"]) == (True, False, None)


def test_a_web_page_fails_at_api(filled: FakeRegistry) -> None:
    filled.misbehave(always, shows_a_web_page())
    steps = checked(filled)
    assert (steps["tls"], steps["api"], steps["sign-in"]) == (True, False, None)


@pytest.mark.parametrize("method", ["basic", "bearer"])
def test_a_wrong_password_fails_at_sign_in(filled: FakeRegistry, method: str) -> None:
    filled.sign_in.method = method  # type: ignore[assignment]
    steps = checked(filled, username=USERNAME, password="wrong")
    assert (steps["api"], steps["sign-in"], steps["catalog"]) == (True, False, None)


def test_a_missing_catalog_is_a_warning_with_advice(filled: FakeRegistry) -> None:
    filled.catalog = False
    steps = with_connector(filled, lambda connector: connector.check())
    catalog = steps[-1]
    assert (catalog.name, catalog.ok, catalog.essential) == ("catalog", False, False)
    assert "by name" in catalog.advice
    assert all(step.ok for step in steps[:-1])


def test_a_missing_catalog_does_not_matter_where_names_are_given(filled: FakeRegistry) -> None:
    filled.catalog = False
    assert checked(filled, "tools")["catalog"]
