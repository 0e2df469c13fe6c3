"""What is Harbor's own: paging, names quoted twice, hidden artifacts, scans, protection, access."""

from collections.abc import Awaitable, Callable, Iterator
from typing import Any, TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registries.connectors import Connector
from registries.connectors.harbor.artifacts import Gathered
from registries.connectors.harbor.connector import HarborConnector
from registries.connectors.harbor.report import robot_grants
from registries.connectors.reports import NewWebhook
from registries.oci.client import Ping, RegistryClient
from registries.oci.errors import AccessDenied, NotFound, RegistryError, Unsupported
from registries.oci.kinds import Kind
from registries.oci.outlines import Lock
from registries.oci.reference import Digest
from tests.fakes import content
from tests.fakes.harbor import FakeHarbor
from tests.fakes.misbehaviour import answers_with, path_has, says
from tests.fakes.sign_in import PASSWORD, USERNAME
from tests.registries.connectors import running
from tests.registries.connectors.odd import any_json, digests, unhurried
from tests.registries.connectors.running import paths
from tests.registries.oci.asking import connection

T = TypeVar("T")
API = "/api/v2.0"


@pytest.fixture
def harbor() -> Iterator[FakeHarbor]:
    with FakeHarbor() as harbor:
        yield harbor


def use(
    harbor: FakeHarbor, what: Callable[[Connector], Awaitable[T]], *names: str, **more: Any
) -> T:
    reached = connection(harbor, **{"username": USERNAME, "password": PASSWORD, **more})
    return running.use("harbor", reached, what, *names)


# Listing


def test_listing_takes_no_more_requests_than_there_are_pages() -> None:
    with FakeHarbor() as harbor:
        for number in range(3):
            for tag in range(250):
                harbor.push(f"team/app-{number}", content.image(f"{number}.{tag}"), f"v{tag}")

        async def everything(connector: Connector) -> int:
            found = [await connector.tags(path) for path in await paths(connector)]
            assert all(listing.complete and listing.manifests.complete for listing in found)
            return sum(len(listing.digests) for listing in found)

        assert use(harbor, everything) == 750
        # One page of projects, one of repositories, three of artifacts for each: nothing else.
        assert len(harbor.requests) == 1 + 1 + 3 * 3


def test_facts_come_with_the_listing(harbor: FakeHarbor) -> None:
    digest = harbor.push("team/app", content.image(architecture="arm64"), "v1", "latest")
    harbor.settings.immutable.add("v1")
    harbor.settings.pulled[digest] = "2026-03-05T08:00:00.000Z"
    listing = use(harbor, lambda connector: connector.tags("team/app"))
    facts, outline = listing.facts, listing.manifests.outlines[Digest(digest)]
    assert facts["v1"].locks == Lock.DELETE | Lock.WRITE
    assert facts["latest"].locks == Lock.NONE
    assert facts["v1"].pushed_at is not None
    assert facts["v1"].pulled_at is not None
    assert (outline.os, outline.architecture, outline.kind) == ("linux", "arm64", Kind.IMAGE)
    assert outline.created is not None
    assert outline.total_size == sum(
        map(len, content.image(architecture="arm64").blobs.values())
    ) + len(content.image(architecture="arm64").raw)
    assert outline.pulled_at is not None
    assert outline.scan is None


def test_what_was_never_pulled_has_no_time_of_it(harbor: FakeHarbor) -> None:
    harbor.push("team/app", content.image(), "v1")
    listing = use(harbor, lambda connector: connector.tags("team/app"))
    assert listing.facts["v1"].pulled_at is None
    assert all(outline.pulled_at is None for outline in listing.manifests.outlines.values())


def test_pull_counts_come_with_the_repositories(harbor: FakeHarbor) -> None:
    for name in ("team/a", "team/b"):
        harbor.push(name, content.image(), "v1")

    async def counts(connector: Connector) -> dict[str, int | None]:
        return {
            path: facts.pull_count
            async for page in connector.repositories()
            for path, facts in page.facts.items()
        }

    assert use(harbor, counts) == {"team/a": None, "team/b": 1}


def test_an_index_comes_with_its_platforms_and_counts_them_once(harbor: FakeHarbor) -> None:
    amd, arm = content.image("amd"), content.image("arm", architecture="arm64")
    children = ((amd, "linux", "amd64"), (arm, "linux", "arm64"))
    index = harbor.push_index("team/app", children, "v1", attested=True)
    listing = use(harbor, lambda connector: connector.tags("team/app")).manifests
    outlines = listing.outlines
    outline = outlines[Digest(index)]
    assert listing.complete
    assert outline.kind == Kind.INDEX
    assert outline.platforms == ("linux/amd64", "linux/arm64")
    assert outline.own_size == 0
    assert outline.total_size > outlines[Digest(amd.digest)].total_size
    attesting = {child.digest for child in outline.children if child.attests}
    assert len(attesting) == 2
    assert {outlines[digest].kind for digest in attesting} == {Kind.ATTESTATION}
    assert all(not outlines[digest].architecture for digest in attesting)


@pytest.mark.parametrize("counts_hidden", [True, False])
def test_signatures_are_told_although_harbor_hides_them(counts_hidden: bool) -> None:
    # Old versions leave them out of the count as well, so that their Link ends too early.
    with FakeHarbor(largest_page=4, counts_hidden=counts_hidden) as harbor:
        images = [content.image(f"image-{number}") for number in range(8)]
        signatures = []
        for number, image in enumerate(images):
            harbor.push("team/app", image, f"v{number}")
            if number < 3:
                signatures.append(content.typed_artifact("text/x", b"%d" % number, subject=image))
                harbor.push("team/app", signatures[-1])
        listing = use(harbor, lambda connector: connector.tags("team/app"))
        assert len(listing.names) == 8
        for image, signature in zip(images, signatures, strict=False):
            outline = listing.manifests.outlines[Digest(signature.digest)]
            assert outline.kind == Kind.SIGNATURE
            assert outline.subject == image.digest


def test_untagged_manifests_are_listed(harbor: FakeHarbor) -> None:
    digest = harbor.push("team/app", content.image())
    listing = use(harbor, lambda connector: connector.tags("team/app"))
    assert listing.names == ()
    assert set(listing.manifests.outlines) == {digest}


@pytest.mark.parametrize(
    ("report", "counts"),
    [
        (
            {"scan_status": "Success", "summary": {"summary": {"High": 2, "Low": 1}}},
            {"High": 2, "Low": 1},
        ),
        ({"scan_status": "Success", "summary": None}, {}),
        ({"scan_status": "Running"}, None),
        (None, None),
    ],
)
def test_scans_are_counted_by_severity_once_they_are_done(
    harbor: FakeHarbor, report: object, counts: object
) -> None:
    digest = harbor.push("team/app", content.image(), "v1")
    harbor.settings.scans[digest] = report
    listing = use(harbor, lambda connector: connector.tags("team/app"))
    assert listing.manifests.outlines[Digest(digest)].scan == counts


def test_a_repository_that_is_gone_is_not_an_empty_one(harbor: FakeHarbor) -> None:
    harbor.push("team/empty", content.image(), "v1")
    harbor.repositories["team/empty"].manifests.clear()
    harbor.repositories["team/empty"].tags.clear()
    empty = use(harbor, lambda connector: connector.tags("team/empty"))
    assert (empty.names, empty.complete) == ((), True)
    with pytest.raises(NotFound) as caught:
        use(harbor, lambda connector: connector.tags("team/gone"))
    assert caught.value.is_proof
    with pytest.raises(NotFound) as outside:
        use(harbor, lambda connector: connector.tags("busybox"))
    assert not outside.value.is_proof


def test_a_listing_from_which_something_was_deleted_meanwhile_is_not_complete() -> None:
    with FakeHarbor(largest_page=2) as harbor:
        for number in range(5):
            harbor.push("team/app", content.image(str(number)), f"v{number}")

        async def shrink(request: Any) -> None:
            if request.query.get("page") == "2":
                harbor._forget("team/app")
                holdings = harbor.repositories["team/app"]
                del holdings.manifests[holdings.tags.pop("v0")]

        harbor.misbehave(path_has("/artifacts"), shrink)
        listing = use(harbor, lambda connector: connector.tags("team/app"))
        assert not listing.complete
        assert not listing.manifests.complete
        assert listing.problem is not None
        assert not listing.problem.permanent


@pytest.mark.parametrize("body", ["{}", '"none"', "0"])
def test_an_answer_that_is_no_list_proves_nothing_gone(harbor: FakeHarbor, body: str) -> None:
    harbor.push("team/app", content.image(), "v1")
    harbor.misbehave(path_has("/artifacts"), says(body))
    listing = use(harbor, lambda connector: connector.tags("team/app"))
    assert not listing.complete


def test_a_project_that_may_not_be_listed_hides_no_other(harbor: FakeHarbor) -> None:
    for name in ("a/app", "b/app", "c/app"):
        harbor.push(name, content.image(), "v1")
    harbor.misbehave(path_has("/projects/b/repositories"), answers_with(403, "{}"))
    seen: list[str] = []

    async def collect(connector: Connector) -> None:
        async for page in connector.repositories():
            seen.extend(page.paths)

    with pytest.raises(AccessDenied):
        use(harbor, collect)
    assert seen == ["a/app", "c/app"]


def test_names_are_quoted_twice_and_upper_case_ones_are_dropped(harbor: FakeHarbor) -> None:
    harbor.push("team/a/b.c", content.image(), "v1")
    harbor.push("team/Upper", content.image(), "v1")

    async def both(connector: Connector) -> tuple[list[str], int]:
        found = await paths(connector)
        assert (await connector.tags("team/a/b.c")).names == ("v1",)
        return found, connector.stats.invalid_names

    assert use(harbor, both) == (["team/a/b.c"], 1)
    assert harbor.seen(part="a%252Fb.c/artifacts")


def test_a_project_whose_name_is_a_number_is_found_by_its_name(harbor: FakeHarbor) -> None:
    harbor.push("2024/app", content.image(), "v1")
    harbor.settings.roles = [1]
    powers = use(harbor, lambda connector: connector.powers())
    assert {power.name: power.allowed for power in powers}["webhooks"] is True


@pytest.mark.parametrize(
    ("granted", "roles", "allowed"),
    [
        ({"pull", "delete"}, [], True),
        ({"pull"}, [4], True),
        ({"pull"}, [2], False),
        ({"pull"}, [], None),  # a robot: artifacts may be its to delete, though not repositories
        (None, [], None),
        (None, [1], True),
    ],
)
def test_who_may_delete_is_told_by_tokens_and_roles(
    harbor: FakeHarbor,
    monkeypatch: pytest.MonkeyPatch,
    granted: set[str] | None,
    roles: list[int],
    allowed: bool | None,
) -> None:
    async def told(*_: object) -> frozenset[str] | None:
        return None if granted is None else frozenset(granted)

    monkeypatch.setattr(RegistryClient, "granted", told)
    harbor.push("team/app", content.image(), "v1")
    harbor.settings.roles = roles
    powers = use(harbor, lambda connector: connector.powers())
    assert {power.name: power.allowed for power in powers}["delete"] is allowed


# Deleting


def test_what_harbor_protects_is_refused_with_its_reason(harbor: FakeHarbor) -> None:
    amd = content.image("amd")
    harbor.push_index("team/app", ((amd, "linux", "amd64"),), "v1")
    harbor.settings.immutable.add("v1")
    for refused in (
        lambda connector: connector.delete_tag("team/app", "v1"),
        lambda connector: connector.delete_manifest("team/app", amd.digest),
        lambda connector: connector.delete_repository("team/app"),
    ):
        with pytest.raises(AccessDenied, match=r"immutable|referenced") as caught:
            use(harbor, refused)
        assert str(caught.value).endswith(".")
        assert "Harbor" in caught.value.advice
    assert harbor.repositories["team/app"].tags


def test_what_is_not_there_cannot_be_deleted(harbor: FakeHarbor) -> None:
    harbor.push("team/app", content.image(), "v1")
    with pytest.raises(NotFound):
        use(harbor, lambda connector: connector.delete_tag("team/app", "v2"))


# What it tells besides


ROBOT = {
    "name": "robot$team+ci",
    "level": "project",
    "disable": False,
    "expires_at": 1798761600,
    "permissions": [
        {
            "kind": "project",
            "namespace": "team",
            "access": [
                {"resource": "repository", "action": "pull"},
                {"resource": "repository", "action": "push", "effect": "deny"},
            ],
        }
    ],
}


def test_the_report_tells_members_robots_quotas_and_webhooks(harbor: FakeHarbor) -> None:
    harbor.push("team/app", content.image(), "v1")
    told = harbor.settings
    told.members["team"] = [
        {"entity_name": f"user-{number}", "entity_type": "u", "role_id": 2} for number in range(120)
    ] + [{"entity_name": "devs", "entity_type": "g", "role_id": 1}, {"entity_name": None}, None]
    told.robots["team"] = [ROBOT]
    told.robots[""] = [
        {
            "name": "robot$all",
            "disable": True,
            "expires_at": -1,
            "permissions": [{"kind": "project", "namespace": "*", "access": None}],
        }
    ]
    told.limits["team"] = 10_000
    report = use(harbor, lambda connector: connector.report())
    access = {grant.principal: grant for grant in report.access}
    assert len(access) == 123
    assert (access["devs"].role, access["devs"].principal_kind) == ("Project admin", "group")
    ci = access["robot$team+ci"]
    assert (ci.actions, ci.scope, ci.enabled) == (("repository pull",), "project team", True)
    assert ci.ends == "2027-01-01T00:00:00+00:00"
    everywhere = access["robot$all"]
    assert (everywhere.scope, everywhere.ends, everywhere.enabled) == ("all projects", "", False)
    assert [(it.used, it.limit, it.unit) for it in report.usage] == [(1000, 10_000, "bytes")]
    assert dict(report.facts) == {
        "Version": "v2.11.0-fake",
        "Sign-in": "oidc_auth",
        "Scanner": "Trivy",
        "Projects": "1",
    }
    assert report.unread == ()


def test_what_may_not_be_read_is_told_and_quotas_come_project_by_project(
    harbor: FakeHarbor,
) -> None:
    for name in ("a/app", "b/app", "c/app", "d/app"):
        harbor.push(name, content.image(), "v1")
    harbor.settings.is_admin = False
    harbor.misbehave(path_has("/members"), answers_with(403, "{}"))
    report = use(harbor, lambda connector: connector.report())
    assert [usage.limit for usage in report.usage] == [None] * 4
    assert report.unread == (
        "The robots of the system may not be read with this credential.",
        "The members of a, b, c and 1 more projects may not be read with this credential.",
    )


def wanted(project: str = "team") -> NewWebhook:
    return NewWebhook(
        "portolan", "https://portolan.example/hooks/in/x", "Bearer s3cret", "", project
    )


def test_a_webhook_is_set_up_once_and_removed(harbor: FakeHarbor) -> None:
    harbor.push("team/app", content.image(), "v1")

    async def twice(connector: Connector) -> list[str]:
        made = [await connector.create_webhook(wanted()) for _ in range(2)]
        assert [it.address for it in (await connector.report()).webhooks] == [made[0].address]
        return [it.id for it in made]

    assert use(harbor, twice) == ["team/1", "team/1"]
    target = harbor.settings.policies["team"][0]["targets"][0]
    assert target["auth_header"] == "Bearer s3cret"
    use(harbor, lambda connector: connector.delete_webhook("team/1"))
    assert harbor.settings.policies["team"] == []


@pytest.mark.parametrize("unknown", ["team/1", "team", "team/../../users/1"])
def test_a_webhook_that_is_not_there_is_not_found(harbor: FakeHarbor, unknown: str) -> None:
    harbor.push("team/app", content.image(), "v1")
    with pytest.raises(NotFound):
        use(harbor, lambda connector: connector.delete_webhook(unknown))


def test_a_webhook_needs_a_project(harbor: FakeHarbor) -> None:
    with pytest.raises(Unsupported):
        use(harbor, lambda connector: connector.create_webhook(wanted("")))


def test_harbor_is_known_by_its_token_service() -> None:
    realm = "https://registry.example.com/service/token"
    assert HarborConnector.recognises("x", Ping(None, "bearer", None, realm, "harbor-registry"))
    assert not HarborConnector.recognises("x", Ping(None, "bearer", None, realm, "registry"))


def test_pages_of_repositories_and_manifests_have_addresses(harbor: FakeHarbor) -> None:
    reached = connection(harbor, url="https://harbor.example.com")
    page = "https://harbor.example.com/harbor/projects/team/repositories/a%2Fb"
    assert HarborConnector.web_page(reached, "team/a/b", tag="v1") == page
    digest = "sha256:" + "0" * 64
    assert HarborConnector.web_page(reached, "team/a/b", digest=digest) == (
        f"{page}/artifacts-tab/artifacts/{digest}"
    )


# Whatever may come

_fields = (
    "digest", "media_type", "manifest_media_type", "artifact_type", "size", "push_time", "tags",
    "references", "extra_attrs", "accessories", "scan_overview",
)  # fmt: skip
_artifact = st.fixed_dictionaries({}, optional=dict.fromkeys(_fields, any_json)) | (
    st.fixed_dictionaries(
        {"digest": digests},
        optional={
            "references": st.lists(
                st.fixed_dictionaries({"child_digest": digests, "platform": any_json})
            ),
            "accessories": st.lists(st.fixed_dictionaries({"digest": digests, "type": any_json})),
            "tags": st.lists(st.fixed_dictionaries({"name": any_json, "immutable": any_json})),
            "scan_overview": st.dictionaries(
                st.text(max_size=3),
                st.fixed_dictionaries({"scan_status": st.just("Success"), "summary": any_json}),
                max_size=2,
            ),
        },
    )
)


@unhurried
@given(st.lists(st.lists(_artifact | any_json, max_size=4) | any_json, max_size=2))
def test_no_artifact_whatever_its_form_breaks_the_reader(pages: list[Any]) -> None:
    gathered = Gathered()
    try:
        for page in pages:
            gathered.add(page)
        gathered.manifests(complete=True)
    except RegistryError:
        pass
    assert set(gathered.digests.values()) <= set(gathered.outlines)


@unhurried
@given(
    st.fixed_dictionaries(
        {}, optional=dict.fromkeys(ROBOT, any_json) | {"expires_at": st.integers()}
    )
)
def test_no_robot_whatever_its_form_breaks_the_reader(robot: dict[str, Any]) -> None:
    assert all(grant.principal for grant in robot_grants(robot))
