"""What is common to vendors that list by whose repositories are, tried on Docker Hub."""

from collections.abc import Iterator

import pytest

from registries.connectors import Connector
from registries.connectors.base import CheckStep, RepositoryPage
from registries.oci.connection import Connection
from registries.oci.errors import RegistryError
from tests.fakes import content
from tests.fakes.dockerhub import FakeDockerHub
from tests.fakes.misbehaviour import answers, path_has
from tests.fakes.sign_in import PASSWORD, USERNAME
from tests.registries.connectors.running import use
from tests.registries.oci.asking import connection


@pytest.fixture
def hub() -> Iterator[FakeDockerHub]:
    with FakeDockerHub() as fake:
        yield fake


def reached(hub: FakeDockerHub, *owners: str) -> Connection:
    options = {"api_url": hub.url, "namespaces": " ".join(owners)}
    return connection(hub, username=USERNAME, password=PASSWORD, options=options)


async def catalog(connector: Connector) -> CheckStep:
    return (await connector.check())[-1]


def test_an_owner_that_fails_is_raised_after_all_others_were_listed(hub: FakeDockerHub) -> None:
    for owner in ("one", "two", "three"):
        hub.push(f"{owner}/app", content.image(), "v1")
    hub.misbehave(path_has("/namespaces/one/"), answers(403))

    async def listed(connector: Connector) -> tuple[list[RepositoryPage], str]:
        pages: list[RepositoryPage] = []
        try:
            async for page in connector.repositories():
                pages.append(page)  # noqa: PERF401  kept although the listing breaks off
        except RegistryError as error:
            return pages, str(error)
        return pages, ""

    pages, problem = use("dockerhub", reached(hub, "one", "two", "three"), listed, "four/app", "t*")
    assert [page.paths for page in pages] == [("four/app",), ("two/app",), ("three/app",)]
    assert [page.listed for page in pages] == [False, True, True]
    assert "repositories of one" in problem


def test_a_test_of_the_connection_tells_of_any_of_the_first_ten_owners_and_asks_no_more(
    hub: FakeDockerHub,
) -> None:
    owners = [f"owner{number}" for number in range(12)]
    for owner in owners:
        hub.push(f"{owner}/app", content.image(), "v1")
    step = use("dockerhub", reached(hub, *owners), catalog)
    assert (step.ok, step.detail) == (True, "The repositories can be listed.")
    assert len(hub.seen(part="/namespaces/")) == 10

    hub.misbehave(path_has("/namespaces/owner9/"), answers(403))
    step = use("dockerhub", reached(hub, *owners), catalog)
    assert (step.ok, step.essential) == (False, False)
    assert "repositories of owner9" in step.detail


def test_repositories_given_by_name_need_no_listing(hub: FakeDockerHub) -> None:
    step = use("dockerhub", reached(hub, "one"), catalog, "one/app")
    assert (step.ok, step.detail) == (True, "Not needed: the repositories are given by name.")
    assert not hub.seen(part="/namespaces/")
