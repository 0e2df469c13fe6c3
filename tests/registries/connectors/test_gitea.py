"""What is Gitea's and Forgejo's own: versions of packages, owners, two ways to delete."""

from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime
from typing import TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registries.connectors import Connector
from registries.connectors.gitea.connector import PAGE, GiteaConnector
from registries.connectors.gitea.versions import Version, parse_versions
from registries.connectors.reports import NewWebhook
from registries.oci.client import Ping
from registries.oci.connection import Connection
from registries.oci.errors import AuthenticationFailed, NotFound, Unsupported
from tests.fakes import content
from tests.fakes.gitea import FakeGitea
from tests.fakes.misbehaviour import answers, path_has
from tests.fakes.sign_in import PASSWORD, USERNAME
from tests.registries.connectors import running
from tests.registries.connectors.running import paths
from tests.registries.oci.asking import connection

T = TypeVar("T")
PATH = "team-a/my.app/web"
DIGEST = "sha256:" + "0" * 64


@pytest.fixture
def gitea() -> Iterator[FakeGitea]:
    with FakeGitea() as fake:
        fake.push(PATH, content.image("web"), "v1", "latest")
        yield fake


def use(
    fake: FakeGitea,
    what: Callable[[Connector], Awaitable[T]],
    *names: str,
    password: str = PASSWORD,
    **options: str,
) -> T:
    dialled = connection(fake, username=USERNAME, password=password, options=options)
    return running.use("gitea", dialled, what, *names)


@pytest.mark.parametrize(
    ("realm", "service", "is_gitea"),
    [
        ("https://git.example.com/v2/token", "container_registry", True),
        ("https://gitlab.com/jwt/auth", "container_registry", False),
        ("https://git.example.com/v2/token", "other", False),
        ("https://[::1", "container_registry", False),
        ("", "", False),
    ],
)
def test_it_is_known_by_its_token_server(realm: str, service: str, is_gitea: bool) -> None:
    ping = Ping(None, "bearer", None, realm, service)
    assert GiteaConnector.recognises("git.example.com", ping) is is_gitea


def test_tags_come_with_when_they_were_pushed(gitea: FakeGitea) -> None:
    gitea.push("team-a/my.app/web-two", content.image("other"), "elsewhere")
    facts = use(gitea, lambda connector: connector.tags(PATH)).facts
    noon = datetime(2026, 11, 20, 12, tzinfo=UTC)
    assert {tag: it.pushed_at for tag, it in facts.items()} == {"v1": noon, "latest": noon}


def test_dates_cost_a_request_for_each_page_of_versions(gitea: FakeGitea) -> None:
    gitea.push(PATH, content.image("web"), *(f"1.{number}" for number in range(2 * PAGE)))
    assert len(use(gitea, lambda connector: connector.tags(PATH)).facts) == 2 * PAGE + 2
    assert len(gitea.seen("GET", "/api/v1/packages/")) == 3


def test_without_its_api_the_names_are_read_all_the_same(gitea: FakeGitea) -> None:
    gitea.misbehave(path_has("/api/v1/"), answers(403))
    listing = use(gitea, lambda connector: connector.tags(PATH))
    assert set(listing.names) == {"v1", "latest"}
    assert listing.complete
    assert not listing.facts


def test_only_the_packages_of_the_owners_named_are_listed(gitea: FakeGitea) -> None:
    gitea.push("team-b/tool", content.image("tool"), "v1")
    gitea.push("team-c/tool", content.image("tool"), "v1")
    owners = "Team-A, team-b"
    assert sorted(use(gitea, paths, owners=owners)) == [PATH, "team-b/tool"]
    assert use(gitea, paths, "team-b/*", owners=owners) == ["team-b/tool"]
    assert not gitea.seen("GET", "/v2/_catalog")


@pytest.mark.parametrize("deletes_packages", [True, False])
def test_a_package_is_deleted_also_where_it_can_only_be_done_by_version(
    deletes_packages: bool,
) -> None:
    with FakeGitea(deletes_packages=deletes_packages) as gitea:
        tags = [f"1.{number}" for number in range(PAGE + 3)]
        gitea.push(PATH, content.image("web"), *tags)
        gitea.push("team-a/my.app/web2", content.image("kept"), "v1")
        use(gitea, lambda connector: connector.delete_repository(PATH))
        assert use(gitea, paths) == ["team-a/my.app/web2"]


def test_deleting_a_package_that_is_not_there_deletes_nothing(gitea: FakeGitea) -> None:
    with pytest.raises(NotFound):
        use(gitea, lambda connector: connector.delete_repository("team-a/my.app"))
    assert use(gitea, paths) == [PATH]


def test_a_wrong_password_is_said_to_be_one(gitea: FakeGitea) -> None:
    with pytest.raises(AuthenticationFailed):
        use(gitea, lambda connector: connector.delete_repository(PATH), password="wrong")


def test_its_web_pages_are_of_packages_and_their_versions() -> None:
    at = Connection("https://git.example.com")
    page = "https://git.example.com/team-a/-/packages/container/my.app%2Fweb"
    assert GiteaConnector.web_page(at, PATH) == page
    assert GiteaConnector.web_page(at, PATH, "v1") == f"{page}/v1"
    assert GiteaConnector.web_page(at, PATH, digest=DIGEST) == f"{page}/sha256%3A{'0' * 64}"


# What it says ----------------------------------------------------------------------------------


def entry(**fields: object) -> dict[str, object]:
    return {"type": "container", "name": "app", "version": "v1", **fields}


def test_versions_are_tags_and_digests_in_lower_case() -> None:
    page = [
        entry(name="App", version="V1", created_at="2026-11-20T13:00:00+01:00"),
        entry(version=DIGEST, created_at=None),
        entry(type="npm"),
        entry(version="no tag!"),
        entry(name=None),
    ]
    assert parse_versions(page) == [
        Version("app", "v1", datetime(2026, 11, 20, 12, tzinfo=UTC)),
        Version("app", DIGEST, None),
    ]


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["type", "name", "version", "created_at"]), inner)
    ),
    max_leaves=8,
)


@given(st.lists(st.fixed_dictionaries({"type": st.just("container"), "name": anything}) | anything))
def test_whatever_it_says_is_versions_or_nothing(page: object) -> None:
    assert all(isinstance(version, Version) for version in parse_versions(page))


# Webhooks


def wanted(owner: str) -> NewWebhook:
    at = "https://portolan.example.com/hooks/in/git"
    return NewWebhook("portolan-git", at, "Bearer s", f"{at}?secret=s", owner, "s")


def test_webhooks_are_set_up_for_organisations_and_for_the_account_itself(gitea: FakeGitea) -> None:
    def set_up(owner: str) -> None:
        use(gitea, lambda connector: connector.create_webhook(wanted(owner)))

    set_up("team-a")
    set_up(USERNAME)
    assert sorted(gitea.hooks) == ["orgs/team-a", "user"]
    report = use(gitea, lambda connector: connector.report())
    assert sorted(it.scope for it in report.webhooks) == sorted([USERNAME, "team-a"])
    for nobody in ("another", "../admin"):
        with pytest.raises(NotFound):
            set_up(nobody)


def test_a_gitea_whose_webhooks_leave_packages_out_is_refused_and_keeps_none(
    gitea: FakeGitea,
) -> None:
    gitea.hooks_tell_of_packages = False
    with pytest.raises(Unsupported, match="no webhooks about packages"):
        use(gitea, lambda connector: connector.create_webhook(wanted("team-a")))
    assert gitea.hooks == {"orgs/team-a": []}


def test_webhooks_that_may_not_be_read_are_named(gitea: FakeGitea) -> None:
    gitea.misbehave(path_has("/orgs/team-a/hooks"), answers(403))
    report = use(gitea, lambda connector: connector.report(), owners="team-a")
    assert report.webhooks == ()
    assert "Webhooks of team-a" in report.unread[0]
