"""What is Docker Hub's own: two addresses, pages by `next`, tags of old, pulls that are rationed."""

from collections.abc import Awaitable, Callable, Iterator
from typing import Any, TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registries.connectors import CONNECTORS, Connector, detection
from registries.connectors.dockerhub.connector import DockerHubConnector
from registries.connectors.dockerhub.report import pulls_left
from registries.connectors.dockerhub.tags import Gathered
from registries.oci.connection import Connection, InvalidConnection
from registries.oci.errors import (
    AuthenticationFailed,
    ForeignLink,
    NotFound,
    RegistryError,
    Throttled,
    Unsupported,
)
from registries.oci.kinds import Kind
from registries.oci.reference import Digest
from tests.fakes import content
from tests.fakes.dockerhub import FakeDockerHub
from tests.fakes.misbehaviour import answers, path_has, says
from tests.fakes.sign_in import PASSWORD, USERNAME
from tests.registries.connectors import running
from tests.registries.connectors.odd import any_json, digests, unhurried
from tests.registries.connectors.running import paths
from tests.registries.connectors.samples import sample
from tests.registries.oci.asking import connection

T = TypeVar("T")


@pytest.fixture
def hub() -> Iterator[FakeDockerHub]:
    with FakeDockerHub() as hub:
        yield hub


def use(
    hub: FakeDockerHub,
    what: Callable[[Connector], Awaitable[T]],
    *names: str,
    namespaces: str = "team",
    **more: Any,
) -> T:
    options = {"api_url": hub.url, "namespaces": namespaces}
    reached = {"username": USERNAME, "password": PASSWORD, "options": options, **more}
    return running.use("dockerhub", connection(hub, **reached), what, *names)


# Where it is


@pytest.mark.parametrize(
    "host", ["docker.io", "index.docker.io", "registry-1.docker.io", "hub.docker.com"]
)
def test_docker_hub_is_known_by_each_of_its_names(host: str) -> None:
    found = detection.at_home(f"https://{host}", CONNECTORS)
    assert found == detection.Found("dockerhub", "https://registry-1.docker.io")


def test_the_password_goes_to_the_api_once_and_its_token_to_nothing_else(
    hub: FakeDockerHub,
) -> None:
    hub.push("team/app", content.image(), "v1")

    async def both(connector: Connector) -> None:
        await connector.tags("team/app")
        await connector.tags("team/app")
        await connector.head("team/app", "v1")

    use(hub, both)
    assert len(hub.seen(part="/v2/auth/token")) == 1
    to_api = {it.authorization for it in hub.requests if "/namespaces/" in it.path}
    to_registry = {it.authorization for it in hub.requests if "/manifests/" in it.path}
    assert len(to_api) == 1
    assert not to_api & to_registry


def test_a_token_is_renewed_before_it_ends(hub: FakeDockerHub) -> None:
    hub.push("team/app", content.image(), "v1")
    hub.token_seconds = 0  # which leaves it to the documented ten minutes
    use(hub, lambda connector: connector.tags("team/app"))
    hub.forget_tokens()
    hub.token_seconds = 600

    async def over(connector: Connector) -> int:
        await connector.tags("team/app")
        hub.forget_tokens()
        return len((await connector.tags("team/app")).names)

    assert use(hub, over) == 1
    assert len(hub.seen(part="/v2/auth/token")) == 3


def test_a_wrong_password_fails_the_check_at_signing_in(hub: FakeDockerHub) -> None:
    hub.sign_in.method = "anonymous"  # so that only the API is left to refuse it
    steps = use(hub, lambda connector: connector.check(), password="wrong")
    assert [step.name for step in steps if step.ok is False] == ["sign-in"]
    listing = use(hub, lambda connector: connector.tags("team/app"), password="wrong")
    assert isinstance(listing.problem, AuthenticationFailed)


def test_without_an_account_what_is_public_is_listed(hub: FakeDockerHub) -> None:
    hub.push("library/nginx", content.image(), "1.27")
    hub.sign_in.anonymous = True
    listing = use(
        hub, lambda connector: connector.tags("library/nginx"), username=None, password=None
    )
    assert listing.names == ("1.27",)
    assert hub.seen(part="/v2/auth/token") == []


# What is listed


def test_listing_takes_no_more_requests_than_there_are_pages_and_no_pull() -> None:
    with FakeDockerHub() as hub:
        for number in range(3):
            for tag in range(250):
                hub.push(f"team/app-{number}", content.image(f"{number}.{tag}"), f"v{tag}")

        async def everything(connector: Connector) -> int:
            found = [await connector.tags(path) for path in await paths(connector)]
            assert all(listing.complete for listing in found)
            assert not any(set(it.names) - set(it.digests) for it in found)
            return sum(len(listing.digests) for listing in found)

        assert use(hub, everything) == 750
        # A token, a page of repositories, three of tags for each: nothing else.
        assert len(hub.requests) == 1 + 1 + 3 * 3
        assert hub.pulls == 0


def test_official_images_are_found_by_their_short_names(hub: FakeDockerHub) -> None:
    hub.push("library/nginx", content.image(), "v1")
    assert use(hub, paths, "nginx") == ["library/nginx"]


def test_patterns_name_the_namespaces_to_list(hub: FakeDockerHub) -> None:
    for name in ("acme/app", "acme/web", "other/app"):
        hub.push(name, content.image(), "v1")
    assert use(hub, paths, "acme/a*", namespaces="") == ["acme/app"]
    assert use(hub, paths, namespaces="other acme") == ["other/app", "acme/app", "acme/web"]


def test_without_namespaces_the_accounts_own_is_listed(hub: FakeDockerHub) -> None:
    hub.push(f"{USERNAME}/app", content.image(), "v1")
    assert use(hub, paths, namespaces="") == [f"{USERNAME}/app"]
    with pytest.raises(Unsupported, match="no list of all"):
        use(hub, paths, namespaces="", username=None, password=None)
    with pytest.raises(InvalidConnection):
        use(hub, paths, namespaces="UPPER")


def test_a_namespace_that_is_not_there_hides_no_other(hub: FakeDockerHub) -> None:
    hub.push("team/app", content.image(), "v1")
    seen: list[str] = []

    async def collect(connector: Connector) -> None:
        async for page in connector.repositories():
            seen.extend(page.paths)

    with pytest.raises(NotFound):
        use(hub, collect, namespaces="nobody team")
    assert seen == ["team/app"]


def test_an_index_comes_with_its_platforms(hub: FakeDockerHub) -> None:
    amd, arm = content.image("amd"), content.image("arm", architecture="arm64")
    children = ((amd, "linux", "amd64"), (arm, "linux", "arm64"))
    index = Digest(hub.push_index("team/app", children, "v1", attested=True))
    listing = use(hub, lambda connector: connector.tags("team/app")).manifests
    outline = listing.outlines[index]
    assert not listing.complete  # Hub lists by tag: what no tag leads to, it does not name
    assert outline.kind == Kind.INDEX
    assert outline.platforms == ("linux/amd64", "linux/arm64")
    assert outline.own_size == 0
    assert outline.total_size == sum(
        listing.outlines[child.digest].total_size for child in outline.children
    )
    kinds = [listing.outlines[child.digest].kind for child in outline.children]
    assert sorted(kinds) == [Kind.ATTESTATION] * 2 + [Kind.IMAGE] * 2


def test_what_old_tags_point_at_is_asked_without_pulling(hub: FakeDockerHub) -> None:
    amd, arm = content.image("amd"), content.image("arm", architecture="arm64")
    children = ((amd, "linux", "amd64"), (arm, "linux", "arm64"))
    hub.undigested |= {"index", "image"}
    index = hub.push_index("team/app", children, "index")
    image = hub.push("team/app", content.image("old"), "image")
    listing = use(hub, lambda connector: connector.tags("team/app"))
    assert dict(listing.digests) == {"index": index, "image": image}
    assert listing.manifests.outlines[Digest(index)].platforms == ("linux/amd64", "linux/arm64")
    # An old tag of one image points at that image; only the other is asked for.
    heads = [it.path for it in hub.requests if it.method == "HEAD"]
    assert set(heads) == {"/v2/team/app/manifests/index"}
    assert hub.pulls == 0


def test_a_tag_that_slips_to_another_page_makes_the_list_incomplete() -> None:
    with FakeDockerHub(largest_page=2) as hub:
        for number in range(5):
            hub.push("team/app", content.image(str(number)), f"v{number}")

        async def push_again(request: Any) -> None:
            if request.query.get("page") == "2":
                tags = hub.repositories["team/app"].tags
                tags["v0"] = tags.pop("v0")
                hub._listed.clear()

        hub.misbehave(path_has("/tags"), push_again)
        listing = use(hub, lambda connector: connector.tags("team/app"))
        assert "v0" not in listing.names
        assert not listing.complete
        assert listing.problem is not None
        assert not listing.problem.permanent


def test_a_tag_that_is_deleted_while_they_are_listed_makes_the_list_incomplete() -> None:
    with FakeDockerHub(largest_page=2) as hub:
        for number in range(5):
            hub.push("team/app", content.image(str(number)), f"v{number}")

        async def delete(request: Any) -> None:
            if request.query.get("page") == "2":
                hub.repositories["team/app"].tags.pop("v4")
                hub._listed.clear()

        hub.misbehave(path_has("/tags"), delete)
        listing = use(hub, lambda connector: connector.tags("team/app"))
        # It moved to the first page, which had been read.
        assert "v2" not in listing.names
        assert not listing.complete
        assert listing.problem is not None
        assert not listing.problem.permanent


def test_the_list_is_never_followed_to_another_host(hub: FakeDockerHub) -> None:
    hub.push("team/app", content.image(), "v1")
    hub.misbehave(
        path_has("/tags"), says('{"results": [], "next": "https://evil.example/?page=2"}')
    )
    listing = use(hub, lambda connector: connector.tags("team/app"))
    assert isinstance(listing.problem, ForeignLink)


def test_names_of_more_than_two_parts_are_not_there(hub: FakeDockerHub) -> None:
    with pytest.raises(NotFound, match="two parts"):
        use(hub, lambda connector: connector.tags("team/app/deep"))
    assert hub.requests == []


def test_being_told_until_when_to_wait_is_not_forgotten(hub: FakeDockerHub) -> None:
    hub.push("team/app", content.image(), "v1")
    headers = {"X-Retry-After": "33000000000"}
    hub.misbehave(path_has("/tags"), answers(429, headers=headers))
    listing = use(hub, lambda connector: connector.tags("team/app"))
    assert isinstance(listing.problem, Throttled)
    assert listing.problem.retry_after is not None
    assert listing.problem.retry_after > 7200


def test_the_budget_is_one_for_the_registry_and_the_api(hub: FakeDockerHub) -> None:
    async def paces(connector: Connector) -> bool:
        assert isinstance(connector, DockerHubConnector)
        return connector._api.transport.pace is connector._transport.pace

    assert use(hub, paces)


# What it tells besides


def test_the_pull_quota_is_read_without_spending_it(hub: FakeDockerHub) -> None:
    hub.pulls = 24
    report = use(hub, lambda connector: connector.report(), namespaces="")
    usage = report.usage[0]
    assert (usage.name, usage.used, usage.limit) == ("Pulls in 6 hours", 24, 100)
    assert dict(report.facts)["Pulls"] == "76 of 100 left in 6 hours"
    assert hub.pulls == 24
    hub.rationed = False
    report = use(hub, lambda connector: connector.report(), namespaces="")
    assert (report.usage, dict(report.facts)["Pulls"]) == ((), "Not limited")


def test_members_of_organisations_are_told(hub: FakeDockerHub) -> None:
    hub.members["team"] = [
        {"username": "anna", "role": "Owner", "groups": ["owners", "dev"]},
        {"email": "new@example.com", "role": "Invitee", "groups": None},
        {"role": "Owner"},
        None,
    ]
    report = use(hub, lambda connector: connector.report(), namespaces="team somebody")
    assert [(it.principal, it.role, it.source, it.enabled) for it in report.access] == [
        ("anna", "Owner", "owners, dev", True),
        ("new@example.com", "Invitee", "member", False),
    ]
    assert report.unread == ()
    hub.misbehave(path_has("/members"), answers(403))
    report = use(hub, lambda connector: connector.report())
    assert len(report.unread) == 1


def test_pages_have_addresses() -> None:
    reached = Connection("https://registry-1.docker.io")
    digest = "sha256:" + "0" * 64
    page = DockerHubConnector.web_page
    assert page(reached, "team/app") == "https://hub.docker.com/r/team/app/tags"
    assert page(reached, "library/nginx", "1.27") == (
        "https://hub.docker.com/_/nginx/tags?name=1.27"
    )
    assert page(reached, "team/app", "v1", digest) == (
        f"https://hub.docker.com/layers/team/app/v1/images/sha256-{'0' * 64}"
    )


# A real answer, and whatever else may come


def test_a_real_page_of_tags_is_read() -> None:
    page = sample("vendors/dockerhub_tags_page_2024_oci_index.json")
    gathered = Gathered()
    gathered.add(page["results"])
    digest = gathered.digests["devel"]
    outline = gathered.outlines[digest]
    assert outline.kind == Kind.INDEX
    assert outline.media_type == "application/vnd.oci.image.index.v1+json"
    assert "linux/arm64/v8" in outline.platforms
    assert len(outline.platforms) == len(page["results"][0]["images"])
    assert outline.total_size > page["results"][0]["full_size"]
    assert gathered.facts["devel"].pushed_at is not None
    assert gathered.facts["devel"].pulled_at is not None


@pytest.mark.parametrize(
    ("headers", "told"),
    [
        ({"ratelimit-limit": "200;w=21600", "ratelimit-remaining": "200;w=21600"}, "200 of 200 left in 6 hours"),
        ({"ratelimit-limit": "200", "ratelimit-remaining": "0"}, "0 of 200 left"),
        ({"ratelimit-limit": "lots", "ratelimit-remaining": "none"}, "Not limited"),
        ({}, "Not limited"),
    ],
)  # fmt: skip
def test_what_is_left_is_read_from_the_headers(headers: dict[str, str], told: str) -> None:
    assert pulls_left(headers)[1] == told


@pytest.mark.parametrize(
    ("media_type", "kind"),
    [
        ("application/vnd.docker.container.image.v1+json", Kind.IMAGE),
        ("application/vnd.docker.distribution.manifest.v2+json", Kind.IMAGE),
        ("application/vnd.cncf.helm.config.v1+json", Kind.CHART),
        (None, Kind.IMAGE),
    ],
)
def test_a_media_type_may_be_that_of_the_config(media_type: str | None, kind: Kind) -> None:
    digest = "sha256:" + "a" * 64
    gathered = Gathered()
    gathered.add([{"name": "v1", "digest": digest, "media_type": media_type, "full_size": 7}])
    outline = gathered.outlines[Digest(digest)]
    assert (outline.kind, outline.total_size) == (kind, 7)


_image = st.fixed_dictionaries(
    {"digest": digests | any_json},
    optional={"os": any_json, "architecture": any_json, "size": any_json, "last_pushed": any_json},
)
_tag = st.fixed_dictionaries(
    {"name": st.sampled_from(["v1", "v2"]) | any_json},
    optional={
        "digest": digests | any_json,
        "images": st.lists(_image, max_size=3) | any_json,
        "media_type": any_json,
        "full_size": any_json,
        "tag_last_pushed": any_json,
    },
)


@unhurried
@given(st.lists(st.lists(_tag | any_json, max_size=3) | any_json, max_size=2))
def test_no_tag_whatever_its_form_breaks_the_reader(pages: list[Any]) -> None:
    gathered = Gathered()
    for page in pages:
        gathered.add(page)
    assert set(gathered.digests.values()) <= set(gathered.outlines)
    assert set(gathered.digests) <= set(gathered.names)


@pytest.mark.parametrize(
    "body", ["[]", "{}", '{"results": 3}', '{"results": [], "next": "http://["}']
)
def test_an_answer_that_is_no_page_proves_nothing_gone(hub: FakeDockerHub, body: str) -> None:
    hub.push("team/app", content.image(), "v1")
    hub.misbehave(path_has("/tags"), says(body))
    listing = use(hub, lambda connector: connector.tags("team/app"))
    assert not listing.complete
    assert isinstance(listing.problem, RegistryError)
