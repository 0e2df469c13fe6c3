"""GitHub's container registry: what is its own."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime
from time import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registries.connectors import CONNECTORS, Connector, connect
from registries.connectors.ghcr.api import REQUESTS_PER_MINUTE, read_version
from registries.connectors.ghcr.connector import GhcrConnector
from registries.connectors.reports import NewWebhook
from registries.oci.client import Ping
from registries.oci.connection import Connection, InvalidConnection
from registries.oci.errors import (
    AccessDenied,
    AuthenticationFailed,
    NotFound,
    Throttled,
    Unsupported,
)
from registries.oci.listings import TagListing
from registries.oci.reference import is_digest
from registries.oci.transport import Stats
from tests.fakes import content, github
from tests.fakes.github import FakeGithub
from tests.fakes.misbehaviour import answers, answers_with, path_has, says
from tests.fakes.sign_in import PASSWORD, USERNAME
from tests.registries.connectors.odd import odd, unhurried
from tests.registries.connectors.running import paths, use
from tests.registries.connectors.samples import sample
from tests.registries.oci.asking import connection


@pytest.fixture
def fake() -> Iterator[FakeGithub]:
    with FakeGithub() as fake:
        yield fake


def token(fake: FakeGithub, owners: str = "acme", **more: Any) -> Connection:
    who = {"username": USERNAME, "password": PASSWORD, "requests_per_minute": 60_000}
    options = {"api": fake.url, "owners": owners}
    return connection(fake, **{**who, "options": options, **more})


async def everything(connector: Connector) -> dict[str, TagListing]:
    return {path: await connector.tags(path) for path in await paths(connector)}


# Reading


def test_a_package_costs_one_request_for_a_hundred_versions(fake: FakeGithub) -> None:
    fake.largest_page = 20
    for name in ("api", "deep/web"):
        for tag in range(30):
            fake.push(f"acme/{name}", content.image(f"{name}.{tag}"), f"1.{tag}")
    listings = use("ghcr", token(fake), everything)
    assert {path: len(listing.digests) for path, listing in listings.items()} == {
        "acme/api": 30,
        "acme/deep/web": 30,
    }
    # Who acme is, its packages, and two pages of versions of each.
    assert len(fake.requests) == 1 + 1 + 2 * 2
    assert fake.seen(part="/deep%2Fweb/versions")


def test_what_an_account_is_is_asked_once_for_all_of_its_packages(fake: FakeGithub) -> None:
    names = [f"acme/app-{number}" for number in range(5)]
    for name in names:
        fake.push(name, content.image(), "v1")

    async def at_once(connector: Connector) -> list[TagListing]:
        return await asyncio.gather(*map(connector.tags, names))

    assert all(it.names == ("v1",) for it in use("ghcr", token(fake), at_once, *names))
    assert len(fake.seen(part="/users/acme")) == 1


def test_users_and_organisations_with_capitals_are_listed(fake: FakeGithub) -> None:
    fake.users.add("jane-doe")
    for path in ("jane-doe/site", "acme/api"):
        fake.push(path, content.image(), "v1")
    there = token(fake, "Jane-Doe, Acme")
    assert use("ghcr", there, paths) == ["jane-doe/site", "acme/api"]
    assert use("ghcr", there, lambda it: it.tags("jane-doe/site")).names == ("v1",)


def test_patterns_say_whose_packages_are_listed_else_the_user_himself(fake: FakeGithub) -> None:
    for path in ("acme/api", "acme/web", f"{USERNAME}/own"):
        fake.push(path, content.image(), "v1")
    assert use("ghcr", token(fake, ""), paths, "acme/a*") == ["acme/api"]
    assert use("ghcr", token(fake, ""), paths) == [f"{USERNAME}/own"]


def test_versions_without_a_tag_give_no_tag(fake: FakeGithub) -> None:
    fake.push_index("acme/api", [(content.image(), "linux", "amd64")], "v1")
    listing = use("ghcr", token(fake), lambda connector: connector.tags("acme/api"))
    assert listing.digests == fake.repositories["acme/api"].tags
    assert listing.facts["v1"].pushed_at == datetime(2026, 3, 1, 23, 4, 10, tzinfo=UTC)
    # Neither type nor size is told, so that documents have to be read.
    assert listing.manifests.outlines == {}


def test_without_a_token_public_images_are_listed_by_name(fake: FakeGithub) -> None:
    fake.sign_in.anonymous = True
    fake.push("acme/api", content.image(), "v1")
    nobody = token(fake, username=None, password=None)
    assert use("ghcr", nobody, lambda it: it.tags("acme/api")).names == ("v1",)
    assert fake.seen(part="/packages") == []
    with pytest.raises(AuthenticationFailed, match="without a token"):
        use("ghcr", nobody, paths)


def test_a_listing_that_breaks_off_keeps_what_came(fake: FakeGithub) -> None:
    fake.largest_page = 5
    for tag in range(8):
        fake.push("acme/api", content.image(str(tag)), f"1.{tag}")
    fake.misbehave(lambda request: "page" in request.query, answers(500))
    listing = use("ghcr", token(fake), lambda connector: connector.tags("acme/api"))
    assert (len(listing.names), listing.complete) == (5, False)
    assert listing.problem is not None


def test_a_version_that_is_deleted_while_they_are_listed_makes_the_list_incomplete(
    fake: FakeGithub,
) -> None:
    digests = [fake.push("acme/api", content.image(str(tag)), f"1.{tag}") for tag in range(120)]

    async def delete(request: Any) -> None:
        if request.query.get("page") == "2":
            del fake.repositories["acme/api"].manifests[digests[0]]

    fake.misbehave(path_has("/versions"), delete)
    listing = use("ghcr", token(fake), lambda connector: connector.tags("acme/api"))
    assert not listing.complete
    assert listing.problem is not None
    assert not listing.problem.permanent


def test_a_token_without_the_right_is_told_which(fake: FakeGithub) -> None:
    said = '{"message": "You need at least read:packages scope to list packages."}'
    fake.misbehave(path_has("/packages"), answers_with(403, said))
    with pytest.raises(AccessDenied, match="read:packages scope"):
        use("ghcr", token(fake), paths)


# The hour's budget


def test_github_gets_no_more_than_it_publishes_and_the_registry_is_not_held_back() -> None:
    connector = connect("ghcr", Connection("https://ghcr.io"))
    assert isinstance(connector, GhcrConnector)
    api = connector._api.transport.connection
    assert (api.requests_per_minute, REQUESTS_PER_MINUTE * 60) == (83, 4980)
    assert connector._connection.requests_per_minute is None
    assert connector.has_budget


def test_a_used_up_hour_ends_all_requests_at_once(fake: FakeGithub) -> None:
    names = [f"acme/app-{number}" for number in range(20)]
    for name in names:
        fake.push(name, content.image(), "v1")
    fake.misbehave(path_has("/versions"), github.is_used_up(resets_at=int(time()) + 3000, times=99))

    async def ask(connector: Connector) -> tuple[list[TagListing], Stats]:
        return [await connector.tags(name) for name in names], connector.stats

    listings, stats = use("ghcr", token(fake), ask)
    problems = [listing.problem for listing in listings]
    assert all(isinstance(problem, Throttled) for problem in problems)
    assert all(problem and 2900 < (problem.retry_after or 0) <= 3000 for problem in problems)
    assert len(fake.seen(part="/versions")) == 1
    assert stats.throttled == 1


# Deleting


def test_a_version_goes_with_its_tags_and_leaves_the_others(fake: FakeGithub) -> None:
    fake.largest_page = 2
    gone = fake.push("acme/api", content.image("gone"), "v1", "latest")
    for tag in range(4):
        fake.push("acme/api", content.image(str(tag)), f"1.{tag}")
    use("ghcr", token(fake), lambda connector: connector.delete_manifest("acme/api", gone))
    assert set(fake.repositories["acme/api"].tags) == {"1.0", "1.1", "1.2", "1.3"}


def test_the_last_tagged_version_is_refused_in_githubs_own_words(fake: FakeGithub) -> None:
    index = fake.push_index("acme/api", [(content.image(), "linux", "amd64")], "v1")
    with pytest.raises(Unsupported, match="last tagged version") as caught:
        use("ghcr", token(fake), lambda connector: connector.delete_manifest("acme/api", index))
    assert "whole repository" in caught.value.advice
    assert index in fake.repositories["acme/api"].manifests


def test_what_is_already_gone_is_not_found(fake: FakeGithub) -> None:
    fake.push("acme/api", content.image(), "v1")
    gone = "sha256:" + "0" * 64
    with pytest.raises(NotFound):
        use("ghcr", token(fake), lambda connector: connector.delete_manifest("acme/api", gone))
    with pytest.raises(NotFound):
        use("ghcr", token(fake), lambda connector: connector.delete_repository("acme/none"))
    assert fake.repositories["acme/api"].manifests


# Names and addresses


def test_only_githubs_own_registry_needs_no_address_of_an_api() -> None:
    assert GhcrConnector.home("ghcr.io") == "https://ghcr.io"
    assert GhcrConnector.home("ghcr.io.evil.com") is None
    assert GhcrConnector.recognises("x", Ping(None, "bearer", None, service="ghcr.io"))
    with pytest.raises(InvalidConnection, match="API"):
        connect("ghcr", Connection("https://containers.acme.test"))


def test_an_enterprise_servers_api_lies_below_a_path() -> None:
    options = {"api": "https://acme.test/api/v3/", "owners": "acme"}
    connector = connect("ghcr", Connection("https://containers.acme.test", options=options))
    assert isinstance(connector, GhcrConnector)
    assert str(connector._api.url("/users/acme")) == "https://acme.test/api/v3/users/acme"


@pytest.mark.parametrize("owner", ["../x", "a/b", "-acme", "acme?"])
def test_names_that_no_account_has_are_refused(owner: str) -> None:
    with pytest.raises(InvalidConnection, match="no account"):
        connect("ghcr", Connection("https://ghcr.io", options={"owners": owner}))


def test_browsers_are_sent_on_by_the_registry() -> None:
    page = CONNECTORS["ghcr"].web_page(Connection("https://ghcr.io"), "acme/api", "v1")
    assert page == "https://ghcr.io/acme/api"


# Parsing


def test_real_answers_are_read() -> None:
    versions = [read_version(it) for it in sample("vendors/ghcr_package_versions_2025.json")]
    digest, tags, pushed_at = versions[0]
    assert digest == "sha256:424cf437ed23c9f9a3c35e81e2de7add978eacd6309d1e2fc768a7ca91085f45"
    assert tags == ("v1.10.0-alpha.0-88-g42f9b84",)
    assert pushed_at == datetime(2025, 5, 1, 23, 4, 10, tzinfo=UTC)
    assert all(is_digest(digest) for digest, _, _ in versions)
    assert any(not tags for _, tags, _ in versions)


def test_names_that_cannot_be_are_dropped_and_counted(fake: FakeGithub) -> None:
    async def ask(connector: Connector) -> tuple[list[str], Stats]:
        return await paths(connector), connector.stats

    fake.misbehave(path_has("/packages"), says('[{"name": "UPPER"}, {"name": null}, 5]'))
    found, stats = use("ghcr", token(fake), ask)
    assert (found, stats.invalid_names) == ([], 2)


@unhurried
@given(
    st.fixed_dictionaries(
        {}, optional={"name": odd, "metadata": odd, "created_at": odd, "container": odd}
    ),
    odd,
)
def test_no_field_that_github_may_send_breaks_reading(fields: dict[str, Any], value: Any) -> None:
    for version in (fields, {**fields, "metadata": {"container": {"tags": value}}}):
        digest, tags, _ = read_version(version)
        assert isinstance(digest, str)
        assert all(isinstance(tag, str) for tag in tags)


# Webhooks


def wanted(owner: str) -> NewWebhook:
    at = "https://portolan.example.com/hooks/in/github"
    return NewWebhook("portolan-github", at, "Bearer s", f"{at}?secret=s", owner, "s")


def test_a_webhook_is_signed_with_its_secret_changed_in_place_and_pinged(fake: FakeGithub) -> None:
    async def twice(connector: Connector) -> tuple[str, str, str]:
        first = await connector.create_webhook(wanted("acme"))
        again = await connector.create_webhook(wanted("Acme"))
        return first.id, again.id, await connector.ping_webhook(again.id)

    first, again, said = use("ghcr", token(fake), twice)
    (hook,) = fake.hooks["acme"]
    assert first == again == f"acme/{hook['id']}"
    assert (hook["config"]["secret"], hook["config"]["insecure_ssl"]) == ("s", "0")
    assert "package" in hook["events"]
    assert fake.pinged == [hook["id"]]
    assert said.endswith(".")


def test_users_have_no_webhooks_and_are_told_so(fake: FakeGithub) -> None:
    fake.users = {"octo"}
    with pytest.raises(Unsupported, match="octo is a user"):
        use("ghcr", token(fake), lambda connector: connector.create_webhook(wanted("octo")))
    report = use("ghcr", token(fake, owners="octo"), lambda connector: connector.report())
    assert (report.webhooks, report.unread) == ((), ())


def test_a_token_without_the_right_to_webhooks_is_told_which_it_takes(fake: FakeGithub) -> None:
    fake.misbehave(path_has("/orgs/acme/hooks"), answers(404))
    with pytest.raises(NotFound) as caught:
        use("ghcr", token(fake), lambda connector: connector.create_webhook(wanted("acme")))
    assert "admin:org_hook" in caught.value.advice
    report = use("ghcr", token(fake), lambda connector: connector.report())
    assert "admin:org_hook" in report.unread[0]
