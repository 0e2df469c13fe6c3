"""What is Quay's own: two ways in, its cursor, its times, its token server, its notifications."""

from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime
from typing import Any, TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registries.connectors import CONNECTORS, Connector, detection
from registries.connectors.quay.connector import QuayConnector
from registries.connectors.quay.report import MOST_REPOSITORIES
from registries.connectors.quay.tags import Gathered
from registries.connectors.reports import NewWebhook
from registries.oci.client import Ping
from registries.oci.connection import InvalidConnection
from registries.oci.errors import AccessDenied, NotFound, RegistryError, Unsupported
from registries.oci.kinds import Kind
from registries.oci.reference import Digest
from tests.fakes import content
from tests.fakes.misbehaviour import answers, answers_with, path_has, says
from tests.fakes.quay import API_TOKEN, FakeQuay
from tests.fakes.sign_in import PASSWORD, USERNAME
from tests.registries.connectors import running
from tests.registries.connectors.odd import any_json, digests, unhurried
from tests.registries.connectors.running import paths
from tests.registries.connectors.samples import sample
from tests.registries.oci.asking import connection

T = TypeVar("T")

TOKEN: dict[str, Any] = {"api_secret": API_TOKEN}
ROBOT: dict[str, Any] = {"username": USERNAME, "password": PASSWORD}


@pytest.fixture
def quay() -> Iterator[FakeQuay]:
    with FakeQuay() as quay:
        yield quay


def use(
    quay: FakeQuay,
    what: Callable[[Connector], Awaitable[T]],
    *names: str,
    namespaces: str = "team",
    **how: Any,
) -> T:
    options = {"namespaces": namespaces} if namespaces else {}
    reached = connection(quay, **{"options": options, **(how or TOKEN)})
    return running.use("quay", reached, what, *names)


# With an API token


def test_listing_takes_no_more_requests_than_there_are_pages() -> None:
    with FakeQuay() as quay:
        for number in range(3):
            for tag in range(250):
                quay.push(f"team/app-{number}", content.image(f"{number}.{tag}"), f"v{tag}")

        async def everything(connector: Connector) -> int:
            found = [await connector.tags(path) for path in await paths(connector)]
            assert all(listing.complete for listing in found)
            assert all(set(it.digests.values()) <= set(it.manifests.outlines) for it in found)
            return sum(len(listing.digests) for listing in found)

        assert use(quay, everything) == 750
        # A page of repositories, three of tags for each: nothing else.
        assert len(quay.requests) == 1 + 3 * 3


def test_repositories_are_listed_by_namespace_to_the_end_of_the_cursor() -> None:
    with FakeQuay(largest_page=2) as quay:
        for name in ("team/a", "team/b", "team/c/deep", "other/a", "third/a"):
            quay.push(name, content.image(), "v1")
        found = use(quay, paths, namespaces="team, other")
        assert found == ["team/a", "team/b", "team/c/deep", "other/a"]
        assert use(quay, paths, "third/*", "team/b", namespaces="") == ["team/b", "third/a"]


def test_without_namespaces_those_of_the_tokens_user_are_listed(quay: FakeQuay) -> None:
    for name in (f"{USERNAME}/own", "team/app", "other/app"):
        quay.push(name, content.image(), "v1")
    quay.user = {"username": USERNAME, "organizations": [{"name": "team"}, {"name": None}, None]}
    assert use(quay, paths, namespaces="") == [f"{USERNAME}/own", "team/app"]
    quay.user = None
    with pytest.raises(Unsupported, match="does not tell") as caught:
        use(quay, paths, namespaces="")
    assert "Name the namespaces" in caught.value.advice


def test_what_is_told_of_a_tag_comes_with_it(quay: FakeQuay) -> None:
    image, chosen = content.image(), datetime(2026, 3, 1, 12, tzinfo=UTC)
    digest = Digest(quay.push("team/app", image, "v1"))
    listing = use(quay, lambda connector: connector.tags("team/app"))
    outline = listing.manifests.outlines[digest]
    assert listing.facts["v1"].pushed_at == outline.pushed_at == chosen
    assert outline.total_size == sum(it["size"] for it in image.document["layers"])
    assert not listing.manifests.complete  # what has no tag is not listed


def test_an_index_is_left_to_be_read_since_nothing_is_told_of_it(quay: FakeQuay) -> None:
    index = quay.push_index("team/app", ((content.image("amd"), "linux", "amd64"),), "v1")
    listing = use(quay, lambda connector: connector.tags("team/app"))
    assert listing.digests == {"v1": index}
    assert listing.manifests.outlines == {}


def test_signatures_are_known_by_the_names_of_their_tags(quay: FakeQuay) -> None:
    image = content.image()
    quay.push("team/app", image, "v1")
    signature = content.image("signature")
    quay.push("team/app", signature, image.digest.replace(":", "-") + ".sig")
    listing = use(quay, lambda connector: connector.tags("team/app"))
    outline = listing.manifests.outlines[Digest(signature.digest)]
    assert (outline.kind, outline.subject) == (Kind.SIGNATURE, image.digest)


def test_a_tag_that_is_pushed_while_they_are_listed_makes_the_list_incomplete() -> None:
    with FakeQuay(largest_page=2) as quay:
        for number in range(5):
            quay.push("team/app", content.image(str(number)), f"v{number}")

        async def push_again(request: Any) -> None:
            if request.query.get("page") == "2":
                tags = quay.repositories["team/app"].tags
                tags["v0"] = tags.pop("v0")
                quay._listed.clear()

        quay.misbehave(path_has("/tag/"), push_again)
        listing = use(quay, lambda connector: connector.tags("team/app"))
        assert "v0" not in listing.names
        assert not listing.complete
        assert listing.problem is not None
        assert not listing.problem.permanent


def test_a_tag_that_is_deleted_while_they_are_listed_makes_the_list_incomplete(
    quay: FakeQuay,
) -> None:
    for number in range(120):
        quay.push("team/app", content.image(str(number)), f"v{number}")

    async def delete(request: Any) -> None:
        if request.query.get("page") == "2":
            # The latest goes first, and was read.
            del quay.repositories["team/app"].tags["v119"]
            quay._listed.clear()

    quay.misbehave(path_has("/tag/"), delete)
    listing = use(quay, lambda connector: connector.tags("team/app"))
    assert not listing.complete
    assert listing.problem is not None
    assert not listing.problem.permanent
    assert len(listing.names) >= 119


def test_what_is_hidden_is_not_taken_for_gone(quay: FakeQuay) -> None:
    quay.hides = True
    listing = use(quay, lambda connector: connector.tags("team/app"))
    assert not listing.complete
    assert isinstance(listing.problem, AccessDenied)


@pytest.mark.parametrize("body", ["[]", "{}", '{"tags": 3}', "null"])
def test_an_answer_that_is_no_page_proves_nothing_gone(quay: FakeQuay, body: str) -> None:
    quay.push("team/app", content.image(), "v1")
    quay.misbehave(path_has("/tag/"), says(body))
    listing = use(quay, lambda connector: connector.tags("team/app"))
    assert not listing.complete
    assert isinstance(listing.problem, RegistryError)


def test_the_token_opens_the_registry_too(quay: FakeQuay) -> None:
    digest = quay.push("team/app", content.image(), "v1")
    steps = use(quay, lambda connector: connector.check())
    assert [step.name for step in steps if step.ok is False] == []
    head = use(quay, lambda connector: connector.head("team/app", "v1"))
    assert head is not None
    assert head.digest == digest
    assert all(
        it.authorization != f"Bearer {API_TOKEN}" for it in quay.requests if "/v2/" in it.path
    )


def test_a_token_no_header_can_hold_is_refused_at_once(quay: FakeQuay) -> None:
    with pytest.raises(InvalidConnection):
        use(quay, paths, api_secret="two\nlines")


# Without one


def test_a_robot_is_listed_what_the_catalog_shows_it(quay: FakeQuay) -> None:
    for name in ("team/a", "team/b", "other/a"):
        quay.push(name, content.image(), "v1")
    assert use(quay, paths, namespaces="", **ROBOT) == ["other/a", "team/a", "team/b"]
    assert use(quay, paths, **ROBOT) == ["team/a", "team/b"]
    listing = use(quay, lambda connector: connector.tags("team/a"), **ROBOT)
    assert (listing.names, dict(listing.digests)) == (("v1",), {})
    assert quay.seen(part="/api/v1/") == []
    # Its token server takes no scope for the catalog.
    assert not any("catalog" in asked for asked in quay.door.token_requests)


def test_nobody_reads_what_is_public_by_the_api(quay: FakeQuay) -> None:
    digest = quay.push("team/app", content.image(), "v1")
    anonymous: dict[str, Any] = {"username": None}
    assert use(quay, paths, **anonymous) == ["team/app"]
    listing = use(quay, lambda connector: connector.tags("team/app"), **anonymous)
    assert listing.digests == {"v1": digest}
    steps = use(quay, lambda connector: connector.check(), **anonymous)
    assert [step.name for step in steps if step.ok is False] == []
    with pytest.raises(Unsupported, match="by namespace"):
        use(quay, paths, namespaces="", **anonymous)


def test_what_needs_a_token_is_refused_in_words_without_one(quay: FakeQuay) -> None:
    quay.push("team/app", content.image(), "v1")
    for refused in (
        lambda connector: connector.delete_repository("team/app"),
        lambda connector: connector.create_webhook(wanted()),
        lambda connector: connector.ping_webhook("team/app/1"),
        lambda connector: connector.delete_webhook("team/app/1"),
    ):
        with pytest.raises(Unsupported, match="API token") as caught:
            use(quay, refused, **ROBOT)
        assert caught.value.advice
    report = use(quay, lambda connector: connector.report(), **ROBOT)
    assert len(report.unread) == 1
    powers = use(quay, lambda connector: connector.powers(), **ROBOT)
    assert {power.name: power.allowed for power in powers}["webhooks"] is False


# Deleting


@pytest.mark.parametrize("how", [TOKEN, ROBOT], ids=["token", "robot"])
def test_one_tag_is_deleted_alone_by_either_way(quay: FakeQuay, how: dict[str, Any]) -> None:
    quay.push("team/app", content.image(), "v1", "v2")
    use(quay, lambda connector: connector.delete_tag("team/app", "v1"), **how)
    assert set(quay.repositories["team/app"].tags) == {"v2"}
    with pytest.raises(NotFound):
        use(quay, lambda connector: connector.delete_tag("team/app", "v1"), **how)


def test_an_old_quay_that_deletes_no_tags_says_what_helps(quay: FakeQuay) -> None:
    quay.push("team/app", content.image(), "v1")
    quay.deletes_tags = False
    with pytest.raises(Unsupported, match="without its API"):
        use(quay, lambda connector: connector.delete_tag("team/app", "v1"), **ROBOT)


def test_nothing_asked_of_a_repository_that_is_not_there_creates_it(quay: FakeQuay) -> None:
    digest = "sha256:" + "0" * 64
    for delete in (
        lambda connector: connector.delete_manifest("team/typo", digest),
        lambda connector: connector.delete_tag("team/typo", "v1"),
    ):
        with pytest.raises(NotFound):
            use(quay, delete, "team/typo", **ROBOT)
    use(quay, lambda connector: connector.powers(), "team/typo", **ROBOT)
    assert quay.repositories == {}


@pytest.mark.parametrize("may_push", [True, False])
def test_who_may_push_may_delete(quay: FakeQuay, may_push: bool) -> None:
    quay.push("team/app", content.image(), "v1")
    quay.door.may_push = may_push
    powers = use(quay, lambda connector: connector.powers(), **ROBOT)
    assert {power.name: power.allowed for power in powers}["delete"] is may_push


# What it tells besides


def test_the_report_tells_teams_members_robots_permissions_and_quotas(quay: FakeQuay) -> None:
    quay.push("team/app", content.image(), "v1")
    quay.organisations["team"] = {
        "teams": {"owners": {"name": "owners", "role": "admin"}, "odd": None},
        "members": [{"name": "anna", "teams": [{"name": "owners"}, None]}, {"name": None}],
        "robots": [{"name": "team+ci", "teams": None}],
        "quota_report": {"quota_bytes": 700, "configured_quota": 1000},
    }
    quay.permissions["team/app", "user"] = {
        "team+ci": {"name": "team+ci", "role": "write", "is_robot": True},
        "odd": {"name": "odd"},
    }
    quay.permissions["team/app", "team"] = {"devs": {"name": "devs", "role": "read"}}
    report = use(quay, lambda connector: connector.report())
    assert [(it.principal, it.principal_kind, it.role, it.scope, it.source) for it in report.access] == [
        ("owners", "team", "admin", "organisation team", "team"),
        ("anna", "user", "member", "organisation team", "team owners"),
        ("team+ci", "robot", "robot", "organisation team", "account"),
        ("team+ci", "robot", "write", "team/app", "permission of the repository"),
        ("devs", "team", "read", "team/app", "permission of the repository"),
    ]  # fmt: skip
    assert [(it.used, it.limit, it.unit) for it in report.usage] == [(700, 1000, "bytes")]
    assert report.unread == ()
    # A robot's token would come along if one did not ask for none.
    assert all("token=false" in path for path in quay.seen(part="/robots"))


def test_what_may_not_be_read_is_told(quay: FakeQuay) -> None:
    quay.push("team/app", content.image(), "v1")
    quay.organisations["team"] = {"teams": {}}
    quay.misbehave(path_has("/permissions/"), answers_with(403, "{}"))
    quay.misbehave(path_has("/notification/"), answers(403))
    report = use(quay, lambda connector: connector.report())
    assert report.unread == (
        "The members of team may not be read with this token.",
        "The robots of team may not be read with this token.",
        "The permissions of team/app may not be read with this token.",
        "The notifications of team/app may not be read with this token.",
    )


def test_a_big_quay_is_reported_in_part_and_says_so(
    quay: FakeQuay, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert MOST_REPOSITORIES == 100
    monkeypatch.setattr("registries.connectors.quay.report.MOST_REPOSITORIES", 2)
    for number in range(3):
        quay.push(f"team/app-{number}", content.image(), "v1")
    report = use(quay, lambda connector: connector.report())
    assert report.unread[-1].endswith("the first 2 of 3 repositories.")
    assert len(quay.seen(part="/notification/")) == 2


def wanted(repository: str = "team/app") -> NewWebhook:
    address = "https://portolan.example/hooks/in/quay"
    return NewWebhook("portolan", address, "", f"{address}?secret=s3cret", repository)


def test_a_notification_is_set_up_once_tested_and_removed(quay: FakeQuay) -> None:
    quay.push("team/app", content.image(), "v1")

    async def all_of_it(connector: Connector) -> str:
        await connector.create_webhook(wanted())
        made = await connector.create_webhook(wanted())
        listed = (await connector.report()).webhooks
        assert [(it.id, it.address, it.events) for it in listed] == [
            (made.id, wanted().address, ("repo_push",))
        ]
        assert (await connector.ping_webhook(made.id)).endswith(".")
        return made.id

    made = use(quay, all_of_it)
    (kept,) = quay.notifications["team/app"]
    assert kept["config"] == {"url": wanted().address_with_secret}
    assert quay.tested == [kept["uuid"]]
    use(quay, lambda connector: connector.delete_webhook(made))
    assert quay.notifications["team/app"] == []


@pytest.mark.parametrize("unknown", ["1", "team/app/", "team/app/../../user", "UPPER/1"])
def test_a_notification_that_cannot_be_is_not_asked_for(quay: FakeQuay, unknown: str) -> None:
    with pytest.raises(NotFound):
        use(quay, lambda connector: connector.delete_webhook(unknown))
    assert quay.requests == []


def test_a_notification_needs_a_repository(quay: FakeQuay) -> None:
    with pytest.raises(Unsupported, match="each repository"):
        use(quay, lambda connector: connector.create_webhook(wanted("")))


def test_a_notification_that_failed_too_often_is_shown_as_off(quay: FakeQuay) -> None:
    quay.push("team/app", content.image(), "v1")
    use(quay, lambda connector: connector.create_webhook(wanted()))
    quay.notifications["team/app"][0]["number_of_failures"] = 3
    report = use(quay, lambda connector: connector.report())
    assert [it.enabled for it in report.webhooks] == [False]


# Where it is


def test_quay_is_known_by_its_name_and_its_token_server() -> None:
    found = detection.at_home("https://quay.io", CONNECTORS)
    assert found == detection.Found("quay", "https://quay.io")
    own = Ping(None, "bearer", None, "https://registry.example.com/v2/auth", "registry.example.com")
    assert QuayConnector.recognises("registry.example.com", own)
    for realm in ("https://registry.example.com/token", "http://[", ""):
        assert not QuayConnector.recognises("x", Ping(None, "bearer", None, realm, ""))


def test_pages_have_addresses(quay: FakeQuay) -> None:
    reached = connection(quay, url="https://quay.io")
    assert QuayConnector.web_page(reached, "team/app", "v1") == (
        "https://quay.io/repository/team/app?tab=tags"
    )
    digest = "sha256:" + "0" * 64
    assert QuayConnector.web_page(reached, "team/app", "v1", digest) == (
        f"https://quay.io/repository/team/app/manifest/{digest}"
    )


# A real answer, and whatever else may come


def test_a_real_page_of_tags_is_read() -> None:
    page = sample("vendors/quay_tag_list_2025_like_filter.json")
    gathered = Gathered()
    gathered.add(page["tags"])
    digest = gathered.digests["4.18.3-multi-x86_64"]
    assert gathered.outlines[digest].total_size == 182092611
    pushed = datetime(2025, 3, 4, 15, 26, 40, tzinfo=UTC)
    assert gathered.facts["4.18.3-multi-x86_64"].pushed_at == pushed
    assert gathered.invalid == gathered.repeated == 0


@pytest.mark.parametrize(
    "written", ["Tue, 04 Mar 2025 15:26:40 -0000", "Tue, 04 Mar 2025 16:26:40 +0100"]
)
def test_times_of_mail_are_read_where_there_are_no_seconds(written: str) -> None:
    gathered = Gathered()
    gathered.add([{"name": "v1", "last_modified": written}])
    assert gathered.facts["v1"].pushed_at == datetime(2025, 3, 4, 15, 26, 40, tzinfo=UTC)


_dates = st.from_regex(
    r"[A-Z][a-z]{2}, [0-9]{1,3} [A-Z][a-z]{2} [0-9]{1,6} [0-9:]{0,9} [-+0-9]{0,6}"
)
_tag = st.fixed_dictionaries(
    {"name": st.sampled_from(["v1", "v2"]) | any_json},
    optional={
        "manifest_digest": digests | any_json,
        "is_manifest_list": any_json,
        "size": any_json,
        "start_ts": st.integers() | any_json,
        "last_modified": _dates | any_json,
        "immutable": any_json,
    },
)


@unhurried
@given(st.lists(st.lists(_tag | any_json, max_size=3) | any_json, max_size=2))
def test_no_tag_whatever_its_form_breaks_the_reader(pages: list[Any]) -> None:
    gathered = Gathered()
    for page in pages:
        gathered.add(page)
    assert set(gathered.digests) <= set(gathered.names)
    assert set(gathered.outlines) <= set(gathered.digests.values())
