"""GitLab: what is its own."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registries.connectors import CONNECTORS, Connector
from registries.connectors.gitlab.connector import GitlabConnector
from registries.connectors.gitlab.tags import GitlabListing, read_repository
from registries.oci import mediatypes
from registries.oci.client import Ping
from registries.oci.connection import Connection
from registries.oci.errors import (
    AuthenticationFailed,
    InvalidDocument,
    NotFound,
    ServerFailed,
    Unsupported,
)
from registries.oci.listings import TagListing
from registries.oci.reference import Digest, is_repository
from registries.oci.transport import Stats
from tests.fakes import content
from tests.fakes.gitlab import FakeGitlab
from tests.fakes.misbehaviour import answers, path_has, says
from tests.fakes.sign_in import PASSWORD, USERNAME, challenge
from tests.registries.connectors.odd import ODD_VALUES, odd, unhurried
from tests.registries.connectors.running import paths, use
from tests.registries.connectors.samples import sample
from tests.registries.oci.asking import connection


@pytest.fixture
def fake() -> Iterator[FakeGitlab]:
    with FakeGitlab() as fake:
        yield fake


def signed_in(fake: FakeGitlab, **more: Any) -> Connection:
    who = {"username": USERNAME, "password": PASSWORD, "requests_per_minute": 60_000}
    return connection(fake, **{**who, **more})


async def everything(connector: Connector) -> dict[str, TagListing]:
    return {path: await connector.tags(path) for path in await paths(connector)}


# Reading


def test_a_repository_costs_one_request_for_a_thousand_tags_and_a_token(fake: FakeGitlab) -> None:
    fake.page_size = 20
    for name in ("acme/site/api", "acme/site/web"):
        for tag in range(30):
            fake.push(name, content.image(f"{name}.{tag}"), f"1.{tag}")
    listings = use("gitlab", signed_in(fake, options={"groups": "acme"}), everything)
    assert {path: len(listing.digests) for path, listing in listings.items()} == {
        "acme/site/api": 30,
        "acme/site/web": 30,
    }
    assert len(fake.sign_in.token_requests) == 2
    # Where GitLab is, the group, the request that shows how to sign in; a token and two pages each.
    assert len(fake.requests) == 1 + 1 + 1 + 2 * (1 + 2)


def test_types_are_believed_only_where_they_tell_what_it_is(fake: FakeGitlab) -> None:
    docker = fake.push("acme/site", content.image("d", docker=True), "docker")
    fake.push("acme/site", content.chart(), "chart")
    listing = use("gitlab", signed_in(fake), lambda connector: connector.tags("acme/site"))
    assert set(listing.digests) == {"docker", "chart"}
    assert set(listing.manifests.outlines) == {docker}
    assert listing.manifests.outlines[Digest(docker)].total_size == len(b"base") + len(b"app")
    assert not listing.manifests.complete
    assert listing.facts["chart"].pushed_at == datetime(2022, 6, 7, 14, 37, 49, 251000, tzinfo=UTC)


def test_a_registry_without_a_database_lists_names_and_is_asked_only_once(
    fake: FakeGitlab,
) -> None:
    fake.has_database = False
    for name in ("acme/site/api", "acme/site/web"):
        fake.push(name, content.image(), "v1")
    listings = use("gitlab", signed_in(fake), everything)
    assert [(it.names, dict(it.digests)) for it in listings.values()] == [(("v1",), {})] * 2
    assert len(fake.seen(part="/gitlab/v1/")) == 1


def test_a_registry_that_keeps_its_own_api_to_itself_is_read_by_the_standard(
    fake: FakeGitlab,
) -> None:
    fake.push("acme/site/api", content.image(), "v1")
    fake.misbehave(path_has("/gitlab/v1/"), answers(403))
    listing = use("gitlab", signed_in(fake), lambda connector: connector.tags("acme/site/api"))
    assert (listing.names, listing.complete) == (("v1",), True)


def test_without_names_the_groups_of_the_tokens_owner_are_listed(fake: FakeGitlab) -> None:
    for name in ("acme/site/api", "other/site/deep/web"):
        fake.push(name, content.image(), "v1")
    assert use("gitlab", signed_in(fake), paths) == ["acme/site/api", "other/site/deep/web"]
    assert use("gitlab", signed_in(fake), paths, "*/web") == ["other/site/deep/web"]


def test_a_project_beside_its_group_is_listed_once(fake: FakeGitlab) -> None:
    for name in ("acme/site", "acme/tools/lint"):
        fake.push(name, content.image(), "v1")
    there = signed_in(fake, options={"groups": "acme", "projects": "acme/site"})
    assert use("gitlab", there, paths) == ["acme/site", "acme/tools/lint"]
    assert fake.seen(part="/projects/acme%2Fsite/")


def test_one_group_that_fails_hides_no_other_and_proves_nothing(fake: FakeGitlab) -> None:
    for name in ("bad/site", "good/site"):
        fake.push(name, content.image(), "v1")
    fake.misbehave(path_has("/groups/bad/"), answers(500))
    seen: list[str] = []

    async def ask(connector: Connector) -> None:
        async for page in connector.repositories():
            seen.extend(page.paths)

    with pytest.raises(ServerFailed):
        use("gitlab", signed_in(fake, options={"groups": "bad, good"}), ask)
    assert seen == ["good/site"]


def test_a_repository_that_gitlab_lists_and_its_registry_has_emptied_has_no_tags(
    fake: FakeGitlab,
) -> None:
    fake.emptied = ["acme/site/old"]
    assert use("gitlab", signed_in(fake), everything) == {"acme/site/old": TagListing()}
    with pytest.raises(NotFound):
        use("gitlab", signed_in(fake), lambda connector: connector.tags("acme/site/old"))


def test_a_listing_that_breaks_off_keeps_what_came(fake: FakeGitlab) -> None:
    fake.page_size = 20
    fake.push("acme/site", content.image(), *(f"1.{number}" for number in range(30)))
    fake.misbehave(lambda request: "last" in request.query, answers(500))
    listing = use("gitlab", signed_in(fake), lambda connector: connector.tags("acme/site"))
    assert (len(listing.names), listing.complete) == (20, False)
    assert listing.problem is not None


# Where GitLab is, and who gets the token


def test_the_token_goes_to_where_the_registry_gets_its_own_and_nowhere_else(
    fake: FakeGitlab,
) -> None:
    fake.push("acme/site", content.image(), "v1")

    async def elsewhere(_: Any) -> Any:
        return challenge('Bearer realm="http://evil.test/jwt/auth",service="container_registry"')

    assert use("gitlab", signed_in(fake), paths) == ["acme/site"]
    fake.misbehave(path_has("/v2/"), elsewhere)
    fake.requests.clear()
    with pytest.raises(Unsupported, match="where its GitLab is"):
        use("gitlab", signed_in(fake), paths)
    assert fake.seen(part="/api/") == []


def test_the_api_may_have_a_token_of_its_own(fake: FakeGitlab) -> None:
    fake.push("acme/site", content.image(), "v1")
    fake.token = "glpat-for-the-api"
    assert use("gitlab", signed_in(fake, api_secret="glpat-for-the-api"), paths) == ["acme/site"]
    with pytest.raises(AuthenticationFailed):
        use("gitlab", signed_in(fake), paths)


# Deleting


def test_a_repository_is_found_by_the_project_that_it_lies_in(fake: FakeGitlab) -> None:
    for name in ("acme/site/deep/api", "acme/site/deep/web"):
        fake.push(name, content.image(), "v1")
    use("gitlab", signed_in(fake), lambda it: it.delete_repository("acme/site/deep/api"))
    assert list(fake.repositories) == ["acme/site/deep/web"]
    asked = [it.split("/")[4] for it in fake.seen("GET", "/projects/")]
    assert asked == ["acme%2Fsite%2Fdeep%2Fapi", "acme%2Fsite%2Fdeep", "acme%2Fsite"]
    with pytest.raises(NotFound):
        use("gitlab", signed_in(fake), lambda it: it.delete_repository("acme/site/none"))


def test_a_tags_manifest_and_other_tags_stay(fake: FakeGitlab) -> None:
    digest = fake.push("acme/site", content.image(), "v1", "latest")
    use("gitlab", signed_in(fake), lambda connector: connector.delete_tag("acme/site", "v1"))
    assert fake.repositories["acme/site"].tags == {"latest": digest}
    use("gitlab", signed_in(fake), lambda connector: connector.delete_tag("acme/site", "latest"))
    assert digest in fake.repositories["acme/site"].manifests


# Names and addresses


def test_gitlab_is_known_by_its_name_or_its_token_server() -> None:
    assert GitlabConnector.home("registry.gitlab.com") == "https://registry.gitlab.com"
    assert GitlabConnector.home("registry.gitlab.com.evil.com") is None
    realm = "https://gitlab.acme.test/jwt/auth"
    ping = Ping(None, "bearer", None, realm=realm, service="container_registry")
    assert GitlabConnector.recognises("registry.acme.test", ping)
    other = Ping(None, "bearer", None, realm="https://acme.test/v2/token", service=ping.service)
    assert not GitlabConnector.recognises("registry.acme.test", other)


def test_pages_of_projects_and_groups_are_linked() -> None:
    page = CONNECTORS["gitlab"].web_page
    there = Connection("https://registry.gitlab.com")
    assert page(there, "acme/site") == "https://gitlab.com/acme/site/container_registry"
    assert page(there, "acme/site/api") == "https://gitlab.com/groups/acme/-/container_registries"
    own = Connection("https://registry.acme.test", options={"api": "https://acme.test/git/"})
    assert page(own, "a/b") == "https://acme.test/git/a/b/container_registry"
    assert page(Connection("https://registry.acme.test"), "a/b") is None


# Parsing


def test_repositories_are_read_from_a_real_answer() -> None:
    entries = sample("vendors/gitlab_registry_api_samples.json")["list_project_repositories"]
    assert [read_repository(entry) for entry in entries] == [
        ("group/project", (9, 1)),
        ("group/project/releases", (9, 2)),
    ]


def test_names_that_cannot_be_are_dropped_and_counted(fake: FakeGitlab) -> None:
    async def ask(connector: Connector) -> tuple[list[str], Stats]:
        return await paths(connector), connector.stats

    fake.misbehave(path_has("/groups/acme/"), says('[{"path": "UPPER"}, {"path": null}, 5]'))
    found, stats = use("gitlab", signed_in(fake, options={"groups": "acme"}), ask)
    assert (found, stats.invalid_names) == ([], 2)


FIELDS = ("name", "digest", "media_type", "size_bytes", "published_at", "created_at", "updated_at")


@unhurried
@given(st.fixed_dictionaries({"path": odd, "id": odd, "project_id": odd}))
def test_no_field_of_a_repository_breaks_reading(fields: dict[str, Any]) -> None:
    path, numbers = read_repository(fields)
    assert not is_repository(path) or path in ("x", "12")
    assert numbers is None or all(isinstance(number, int) for number in numbers)


@unhurried
@given(st.fixed_dictionaries({}, optional=dict.fromkeys(FIELDS, odd)))
def test_no_field_of_a_tag_breaks_reading(fields: dict[str, Any]) -> None:
    listing = GitlabListing()
    good = {"digest": "sha256:" + "a" * 64, "media_type": mediatypes.DOCKER_MANIFEST, "name": "v1"}
    entries = [fields, {**good, **fields}, {**fields, **good}, fields.get("name")]
    # Lone surrogates are no JSON that orjson would write, and none that it reads.
    body = content.as_bytes({"entries": entries})
    try:
        listing.add(body[body.index(b"[") : body.rindex(b"]") + 1])
    except InvalidDocument:
        assert b"\\ud800" in body
        return
    assert "v1" in listing.result(Stats()).names


def test_a_listing_that_is_none_is_refused() -> None:
    for value in ODD_VALUES:
        if not isinstance(value, list):
            with pytest.raises(InvalidDocument):
                GitlabListing().add(content.as_bytes({"a": value}))
    with pytest.raises(InvalidDocument):
        GitlabListing().add(b"{")
