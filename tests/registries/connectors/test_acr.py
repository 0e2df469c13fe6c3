"""Azure Container Registry: sign-in, bulk listings, locks, and what is deleted."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registries.connectors import connect
from registries.connectors.acr.connector import AcrConnector
from registries.connectors.acr.listing import locks_of, outline_of, switches_for
from registries.oci.client import Ping
from registries.oci.connection import Connection, InvalidConnection
from registries.oci.errors import AccessDenied, Locked, NotFound
from registries.oci.kinds import Kind
from registries.oci.outlines import Lock, Outline
from registries.oci.reference import Digest
from tests.fakes import content
from tests.fakes.acr import PAGE, REFRESH_USER, FakeAcr
from tests.fakes.azure import APPLICATION, SECRET, TENANT, FakeEntra
from tests.fakes.misbehaviour import path_has, says
from tests.fakes.sign_in import PASSWORD, USERNAME
from tests.registries.connectors.samples import sample
from tests.registries.oci.asking import connection

T = TypeVar("T")
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.just("v1"),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(("name", "digest", "tags", "references", "x")), inner)
    ),
    max_leaves=8,
)


@pytest.fixture
def azure() -> Iterator[FakeAcr]:
    with FakeAcr() as fake:
        yield fake


@pytest.fixture
def entra(azure: FakeAcr) -> Iterator[FakeEntra]:
    with FakeEntra() as fake:
        azure.entra = fake
        yield fake


def use(
    fake: FakeAcr,
    what: Callable[[AcrConnector], Awaitable[T]],
    names: tuple[str, ...] = (),
    **more: Any,
) -> T:
    given_by_default = {"username": USERNAME, "password": PASSWORD}

    async def run() -> T:
        async with connect("acr", connection(fake, **{**given_by_default, **more}), names) as it:
            assert isinstance(it, AcrConnector)
            return await what(it)

    return asyncio.run(run())


async def everything(connector: AcrConnector) -> dict[str, set[str]]:
    """List as a sync does: all repositories, then all their tags at a time."""
    paths = [path async for page in connector.repositories() for path in page.paths]
    listings = await asyncio.gather(*(connector.tags(path) for path in paths))
    return {path: set(listing.names) for path, listing in zip(paths, listings, strict=True)}


def by_entra(entra: FakeEntra, secret: str = SECRET) -> dict[str, Any]:
    options = {"tenant": TENANT, "login": entra.url}
    return {"username": APPLICATION, "password": secret, "options": options}


# Listing


def test_a_listing_costs_its_pages_and_a_token_for_sixteen_repositories(azure: FakeAcr) -> None:
    image = content.image()
    for number in range(40):
        azure.push(f"team/app-{number:02}", image, *(f"1.{tag}" for tag in range(250)))
    found = use(azure, everything)
    assert sum(map(len, found.values())) == 40 * 250
    assert len(azure.seen(part="/_tags")) == 40 * 3
    # One request without a token teaches where the token server is; the catalog has a token too.
    assert len(azure.token_requests) == 1 + 3
    assert len(azure.requests) == 40 * 3 + 4 + 1 + 1


def test_no_wildcard_is_ever_asked_for(azure: FakeAcr) -> None:
    azure.push("team/app", content.image(), "v1")
    use(azure, everything)
    scopes = [scope for asked in azure.token_requests for scope in asked]
    assert scopes == ["registry:catalog:*", "repository:team/app:pull,metadata_read"]


def test_tags_come_with_digest_push_time_and_locks(azure: FakeAcr) -> None:
    digest = azure.push("app", content.image(), "v1")
    azure.lock("app", "v1", writeEnabled=False)
    listing = use(azure, lambda connector: connector.tags("app"))
    assert listing.digests == {"v1": digest}
    facts = listing.facts["v1"]
    assert facts.pushed_at is not None
    assert facts.pushed_at.isoformat() == "2023-03-01T00:00:00.123456+00:00"
    assert facts.locks == Lock.WRITE


def test_all_manifests_are_a_complete_listing_with_the_untagged_ones(azure: FakeAcr) -> None:
    azure.push("app", content.image("old"))
    for number in range(PAGE):
        azure.push("app", content.image(str(number)), f"v{number}")
    listing = use(azure, lambda connector: connector.manifests("app"))
    assert listing.complete
    assert set(listing.outlines) == set(azure.repositories["app"].manifests)
    # Two pages, the first of them asked for once more, with a token.
    assert len(azure.seen(part="/_manifests")) == 2 + 1


def test_an_index_adds_no_bytes_beside_its_platforms(azure: FakeAcr) -> None:
    children = [(content.image("a"), "linux", "amd64"), (content.image("b"), "linux", "arm64")]
    digest = Digest(azure.push_index("app", children, "v1"))
    outlines = use(azure, lambda connector: connector.manifests("app")).outlines
    index = outlines[digest]
    parts = [outlines[Digest(child.digest)] for child, _, _ in children]
    assert (index.kind, index.own_size) == (Kind.INDEX, 0)
    assert index.total_size > sum(part.total_size for part in parts)
    assert {(part.os, part.architecture, part.own_size) for part in parts} == {
        ("linux", "amd64", None)
    }


def test_a_few_manifests_are_asked_for_by_name_and_bring_their_platforms(azure: FakeAcr) -> None:
    children = [(content.image("a"), "linux", "amd64"), (content.image("b"), "linux", "arm64")]
    digest = Digest(azure.push_index("app", children, "v1"))
    gone = Digest("sha256:" + "0" * 64)
    listing = use(azure, lambda connector: connector.manifests("app", [digest, gone]))
    assert set(listing.outlines) == {digest}
    assert not listing.complete
    assert [child.platform for child in listing.outlines[digest].children] == [
        "linux/amd64",
        "linux/arm64",
    ]


def test_many_manifests_are_found_among_the_newest_first(azure: FakeAcr) -> None:
    digests = [azure.push("app", content.image(str(n)), f"v{n}") for n in range(3 * PAGE)]
    newest = [Digest(digest) for digest in digests[-10:]]
    listing = use(azure, lambda connector: connector.manifests("app", newest))
    assert set(newest) <= set(listing.outlines)
    assert not listing.complete
    assert len(azure.seen(part="/_manifests")) == 2  # the first of them without a token


def test_an_answer_without_calls_left_holds_the_next_page_back(
    azure: FakeAcr, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("registries.connectors.acr.listing.HELD_BACK_SECONDS", 0.1)
    azure.calls_left = "0.383333"
    azure.push("app", content.image(), *(f"v{number}" for number in range(2 * PAGE)))
    started = time.monotonic()
    use(azure, lambda connector: connector.tags("app"))
    assert time.monotonic() - started > 0.1


@given(JSON, st.sampled_from(("tags", "manifests")))
def test_whatever_a_page_holds_no_parser_breaks(page: Any, key: str) -> None:
    assert outline_of({"digest": page, "mediaType": page, "references": page}) is None
    entry = {"digest": "sha256:" + "0" * 64, "imageSize": page, "os": page, key: page}
    outline = outline_of({**entry, "references": page, "changeableAttributes": page})
    assert isinstance(outline, Outline)
    assert outline.total_size >= 0
    locks_of({"changeableAttributes": page})


@pytest.mark.parametrize("page", [{}, {"tags": 5}, [], {"tags": {"name": "v1"}}])
def test_a_page_of_another_shape_proves_nothing_absent(azure: FakeAcr, page: Any) -> None:
    azure.misbehave(path_has("/_tags"), says(json.dumps(page)))
    listing = use(azure, lambda connector: connector.tags("app"))
    assert not listing.complete
    assert listing.problem is not None


def test_nulls_and_strangers_on_a_page_are_dropped_and_counted(azure: FakeAcr) -> None:
    entries = [None, {}, {"name": "Ä"}, {"name": "v1", "digest": None}, {"name": "v2"}]
    azure.misbehave(path_has("/_tags"), says(json.dumps({"tags": entries})))

    async def listed(connector: AcrConnector) -> tuple[tuple[str, ...], int]:
        return (await connector.tags("app")).names, connector.stats.invalid_names

    assert use(azure, listed) == (("v1", "v2"), 3)


def test_an_upper_case_name_is_refused_before_anything_is_sent(azure: FakeAcr) -> None:
    with pytest.raises(ValueError, match="lower-case"):
        use(azure, lambda connector: connector.tags("Team/App"))
    assert azure.requests == []


# Real answers


def test_recorded_tags_are_read() -> None:
    answers = _answers("acr/list_tags_by_pages.json", "tags")
    with FakeAcr() as fake:
        fake.misbehave(path_has("/_tags"), says(json.dumps(answers[0])))
        listing = use(fake, lambda connector: connector.tags("library/hello-world"))
    assert listing.names == ("latest",)
    assert listing.digests["latest"].startswith("sha256:6e8b6f02")
    assert str(listing.facts["latest"].pushed_at) == "2023-03-02 23:15:59.801276+00:00"
    assert listing.facts["latest"].locks == Lock.NONE


def test_recorded_manifests_are_read() -> None:
    answers = _answers("acr/list_manifests_by_pages.json", "manifests")
    outlines = [outline_of(entry) for answer in answers for entry in answer["manifests"]]
    found = [(it.os, it.architecture, it.total_size, it.locks) for it in outlines if it]
    assert found[:2] == [("linux", "arm", 5001, Lock.NONE), ("linux", "arm64", 5218, Lock.NONE)]


def test_recorded_locks_are_read_and_written_as_recorded() -> None:
    entries = sample("acr/repository_attributes_and_patch.json")["Entries"]
    patches = [it for it in entries if it["RequestMethod"] == "PATCH" and it["StatusCode"] == 200]
    everything_locked = Lock.DELETE | Lock.WRITE | Lock.LIST | Lock.READ
    assert [locks_of(it["ResponseBody"]) for it in patches] == [everything_locked, Lock.NONE]
    assert switches_for(everything_locked) == patches[0]["RequestBody"]


def _answers(name: str, key: str) -> list[dict[str, Any]]:
    bodies = [entry["ResponseBody"] for entry in sample(name)["Entries"]]
    return [body for body in bodies if key in body]


# Signing in


def test_a_service_principal_signs_in_by_entra(azure: FakeAcr, entra: FakeEntra) -> None:
    for number in range(20):
        azure.push(f"app-{number}", content.image(), "v1")
    assert len(use(azure, everything, **by_entra(entra))) == 20
    assert len(entra.requests) == 1
    assert len(azure.seen("POST", "/oauth2/exchange")) == 1
    assert len(azure.seen("POST", "/oauth2/token")) == 1 + 2
    # The secret went to Entra alone, and nothing of Basic to anybody.
    assert not any("Basic" in (it.authorization or "") for it in azure.requests + entra.requests)


def test_a_refresh_token_that_ended_is_exchanged_for_anew(azure: FakeAcr, entra: FakeEntra) -> None:
    azure.push("app", content.image(), "v1")

    async def twice(connector: AcrConnector) -> bool:
        await connector.tags("app")
        azure.forget_tokens()
        azure.forget_refresh_tokens()
        return (await connector.tags("app")).complete

    assert use(azure, twice, **by_entra(entra))
    assert len(azure.seen("POST", "/oauth2/exchange")) == 2


def test_a_wrong_secret_is_told_in_words_with_entras_number(
    azure: FakeAcr, entra: FakeEntra
) -> None:
    steps = use(azure, lambda connector: connector.check(), **by_entra(entra, "wrong-secret"))
    step = next(step for step in steps if step.ok is False)
    assert step.name == "sign-in"
    assert "AADSTS7000215" in step.detail
    assert "wrong-secret" not in repr(steps)


def test_an_application_without_a_role_is_told_to_be_given_one(
    azure: FakeAcr, entra: FakeEntra
) -> None:
    azure.entra = None
    with pytest.raises(AccessDenied) as caught:
        use(azure, everything, **by_entra(entra))
    assert "does not let this application in" in str(caught.value)


def test_an_admin_user_signs_in_to_the_registry_although_a_tenant_is_given(
    azure: FakeAcr, entra: FakeEntra
) -> None:
    azure.push("app", content.image(), "v1")
    options = {"tenant": TENANT, "login": entra.url}
    assert use(azure, everything, options=options) == {"app": {"v1"}}
    assert entra.requests == []


def test_a_refresh_token_is_a_password(azure: FakeAcr) -> None:
    azure.push("app", content.image(), "v1")
    token = azure.refresh_token()
    assert use(azure, everything, username=REFRESH_USER, password=token) == {"app": {"v1"}}


def test_a_token_is_kept_as_long_as_it_says_of_itself(azure: FakeAcr) -> None:
    azure.push("app", content.image(), "v1")

    async def thrice(connector: AcrConnector) -> int:
        for _ in range(3):
            await connector.tags("app")
        return len(azure.token_requests)

    assert use(azure, thrice) == 1


def test_a_tenant_that_is_none_is_refused_at_once(azure: FakeAcr) -> None:
    with pytest.raises(InvalidConnection, match="tenant"):
        connect("acr", connection(azure, options={"tenant": "../evil"}))


# Rights for each repository


@pytest.mark.parametrize("refuses_whole", [False, True])
def test_a_repository_nobody_may_read_does_not_take_the_others_along(
    azure: FakeAcr, refuses_whole: bool
) -> None:
    names = tuple(f"app-{number}" for number in range(5))
    for name in names:
        azure.push(name, content.image(), "v1")
    azure.denied.add("app-3")
    azure.refuses_whole = refuses_whole

    async def listed(connector: AcrConnector) -> dict[str, bool]:
        listings = await asyncio.gather(*(connector.tags(name) for name in names))
        return {name: it.complete for name, it in zip(names, listings, strict=True)}

    assert use(azure, listed, names) == {name: name != "app-3" for name in names}


def test_a_refused_catalog_names_the_role_that_is_missing(azure: FakeAcr) -> None:
    azure.lister = False
    with pytest.raises(AccessDenied) as caught:
        use(azure, everything)
    assert "Container Registry Repository Catalog Lister" in caught.value.advice


def test_what_the_account_may_do_is_read_from_its_token(azure: FakeAcr) -> None:
    azure.push("app", content.image(), "v1")
    powers = use(azure, lambda connector: connector.powers())
    assert {power.name: power.allowed for power in powers}["delete"] is True


# Locks


@pytest.mark.parametrize(
    ("part", "said"),
    [
        ("v1", "app:v1 cannot be deleted: it is locked against deletion."),
        ("digest", "app:v1 cannot be deleted: what it points at is locked against deletion."),
        ("", "app:v1 cannot be deleted: the repository is locked against deletion."),
    ],
)
def test_a_tag_that_cannot_be_deleted_says_which_lock_keeps_it(
    azure: FakeAcr, part: str, said: str
) -> None:
    digest = azure.push("app", content.image(), "v1")
    azure.lock("app", digest if part == "digest" else part, deleteEnabled=False)
    with pytest.raises(Locked) as caught:
        use(azure, lambda connector: connector.delete_tag("app", "v1"))
    assert str(caught.value) == said
    assert "v1" in azure.repositories["app"].tags


def test_a_lock_against_writing_keeps_a_manifest_too(azure: FakeAcr) -> None:
    digest = azure.push("app", content.image(), "v1")
    azure.lock("app", digest, writeEnabled=False)
    with pytest.raises(Locked, match="locked against writing"):
        use(azure, lambda connector: connector.delete_manifest("app", digest))


def test_a_repository_with_a_locked_tag_is_not_deleted(azure: FakeAcr) -> None:
    azure.push("app", content.image(), "v1")
    azure.lock("app", "v1", deleteEnabled=False)
    with pytest.raises(Locked) as caught:
        use(azure, lambda connector: connector.delete_repository("app"))
    assert "inside" in caught.value.advice


def test_locks_of_repository_and_manifest_are_set_and_taken_away(azure: FakeAcr) -> None:
    digest = azure.push("app", content.image(), "v1")

    async def locked(connector: AcrConnector) -> tuple[Lock | None, Lock | None, Lock | None]:
        await connector.set_locks("app", Lock.DELETE)
        await connector.set_locks("app", Lock.WRITE | Lock.READ, digest=digest)
        outlines = (await connector.manifests("app")).outlines
        before = (await connector.repository_facts("app")).locks
        await connector.set_locks("app", Lock.NONE)
        after = (await connector.repository_facts("app")).locks
        return before, outlines[Digest(digest)].locks, after

    assert use(azure, locked) == (Lock.DELETE, Lock.WRITE | Lock.READ, Lock.NONE)


def test_who_may_not_change_anything_is_told_which_right_is_missing(azure: FakeAcr) -> None:
    azure.push("app", content.image(), "v1")
    azure.denied.add("app")
    with pytest.raises(AccessDenied, match="no right to delete"):
        use(azure, lambda connector: connector.delete_tag("app", "v1"))


def test_what_is_not_there_cannot_be_deleted(azure: FakeAcr) -> None:
    azure.push("app", content.image(), "v1")
    with pytest.raises(NotFound):
        use(azure, lambda connector: connector.delete_tag("app", "v2"))


# What kind it is


def test_registries_of_all_clouds_are_known_by_name_or_by_challenge() -> None:
    assert AcrConnector.home("contoso.azurecr.io") == "https://contoso.azurecr.io"
    assert AcrConnector.home("contoso.azurecr.cn") == "https://contoso.azurecr.cn"
    assert AcrConnector.home("azurecr.io.evil.example") is None
    ping = Ping("registry/2.0", "bearer", "AzureContainerRegistry", "", "contoso.azurecr.io")
    assert AcrConnector.recognises("registry.contoso.example", ping)


def test_the_tier_decides_the_budget_unless_an_owner_does() -> None:
    at = "https://contoso.azurecr.io"
    premium, basic = {"tier": "Premium"}, {"tier": "basic "}

    def budget(**given: Any) -> int | None:
        return AcrConnector.prepared(Connection(at, **given)).requests_per_minute

    assert budget() == 5_000
    assert budget(options=premium) == 10_000
    # What Azure told of it holds, unless somebody says otherwise.
    assert budget(vendor_budget=10_000) == 10_000
    assert budget(vendor_budget=10_000, options=basic) == 5_000
    assert budget(vendor_budget=10_000, options=premium, requests_per_minute=60) == 60
