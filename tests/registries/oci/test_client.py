"""The ordinary days: what the client makes of a registry that keeps to the specification."""

import asyncio
from functools import partial

import pytest

from registries.oci import mediatypes
from registries.oci.client import RegistryClient
from registries.oci.configs import parse_image_config
from registries.oci.connection import Connection
from registries.oci.errors import NotARegistry, NotFound, RegistryError, ServerFailed
from registries.oci.kinds import Kind
from registries.oci.reference import InvalidReference, parse_digest, referrers_tag
from registries.oci.transport import USER_AGENT
from tests.fakes import content, doors
from tests.fakes.misbehaviour import (
    always,
    answers,
    lists,
    path_has,
    redirects,
    shows_a_web_page,
)
from tests.fakes.registry import FakeRegistry
from tests.fakes.sign_in import PASSWORD, USERNAME
from tests.registries.oci.asking import ask, catalog

MISSING = "sha256:" + "0" * 64


def test_a_catalog_is_read_page_by_page(fake: FakeRegistry) -> None:
    fake.page_size = 2
    for name in ("a", "b", "c", "team/d", "team/e"):
        fake.push(name, content.image(), "latest")
    assert ask(fake, catalog) == ["a", "b", "c", "team/d", "team/e"]
    assert len(fake.seen(part="_catalog")) == 3


def test_a_catalog_is_asked_for_smaller_pages_when_the_server_wants_them(
    fake: FakeRegistry,
) -> None:
    fake.largest_n = 100
    fake.push("a", content.image(), "latest")
    assert ask(fake, catalog) == ["a"]
    assert fake.seen() == ["/v2/_catalog?n=1000", "/v2/_catalog?n=100"]


def test_names_no_repository_can_have_are_dropped_and_counted(fake: FakeRegistry) -> None:
    fake.misbehave(
        path_has("_catalog"), lists("repositories", ["a", "../etc", "A", "", None, 7, "b//c"])
    )

    async def names_and_count(client: RegistryClient) -> tuple[list[str], int]:
        return await catalog(client), client.stats.invalid_names

    assert ask(fake, names_and_count) == (["a"], 6)


def test_tags_are_read_page_by_page(fake: FakeRegistry) -> None:
    fake.page_size = 2
    fake.push("a", content.image(), "1", "2", "3", "latest", "x")
    listing = ask(fake, lambda client: client.tags("a"))
    assert listing.names == ("1", "2", "3", "latest", "x")
    assert listing.complete
    assert listing.problem is None


def test_tags_null_is_an_empty_repository(fake: FakeRegistry) -> None:
    fake.misbehave(path_has("tags/list"), lists("tags", None))
    listing = ask(fake, lambda client: client.tags("a"))
    assert listing.names == ()
    assert listing.complete


def test_tags_of_an_unknown_repository_are_not_found(fake: FakeRegistry) -> None:
    with pytest.raises(NotFound, match="a/b"):
        ask(fake, lambda client: client.tags("a/b"))


def test_a_head_tells_digest_type_and_size_without_the_body(fake: FakeRegistry) -> None:
    image = content.image(docker=True)
    fake.push("a", image, "v1")
    head = ask(fake, lambda client: client.head_manifest("a", "v1"))
    assert head is not None
    assert (head.digest, head.media_type) == (image.digest, mediatypes.DOCKER_MANIFEST)
    assert head.size == len(image.raw)
    assert [it.method for it in fake.requests] == ["HEAD"]


def test_a_head_of_nothing_is_none(fake: FakeRegistry) -> None:
    assert ask(fake, lambda client: client.head_manifest("a", "v1")) is None


@pytest.mark.parametrize("schema1", [False, True])
def test_a_head_without_digest_header_falls_back_to_hashing_the_body(
    fake: FakeRegistry, schema1: bool
) -> None:
    pushed = content.schema1() if schema1 else content.image()
    fake.digest_header = False
    fake.push("a", pushed, "v1")
    head = ask(fake, lambda client: client.head_manifest("a", "v1"))
    assert head is not None
    assert head.digest == pushed.digest
    assert [it.method for it in fake.requests] == ["HEAD", "GET"]


@pytest.mark.parametrize(
    "pushed",
    [
        content.image(),
        content.image(docker=True),
        content.index([])[0],
        content.index([], docker=True)[0],
        content.schema1(),
        content.schema1(signed=False),
    ],
)
def test_every_type_of_manifest_is_accepted_by_tag_and_by_digest(
    fake: FakeRegistry, pushed: content.Pushed
) -> None:
    digest = fake.push("a", pushed, "v1")
    for reference in ("v1", digest):
        manifest = ask(
            fake, partial(RegistryClient.get_manifest, repository="a", reference=reference)
        )
        assert manifest.digest == digest
        assert manifest.media_type == pushed.media_type
        assert manifest.raw == pushed.raw


def test_a_manifest_that_is_not_there_is_not_found(fake: FakeRegistry) -> None:
    with pytest.raises(NotFound):
        ask(fake, lambda client: client.get_manifest("a", MISSING))


def test_a_config_is_fetched_as_a_verified_blob(fake: FakeRegistry) -> None:
    fake.push("a", content.image("one", labels={"k": "v"}), "v1")

    async def config(client: RegistryClient) -> bytes:
        manifest = await client.get_manifest("a", "v1")
        assert manifest.config is not None
        return await client.get_blob("a", manifest.config.digest, 1024)

    assert parse_image_config(ask(fake, config)).labels == {"name": "one", "k": "v"}


def test_a_blob_on_other_storage_is_fetched_without_our_credentials(fake: FakeRegistry) -> None:
    fake.sign_in.method = "basic"
    image = content.image()
    fake.push("a", image, "v1")
    blob = next(iter(image.blobs))
    with FakeRegistry() as storage:
        storage.push("a", image, "v1")
        fake.misbehave(path_has("/blobs/"), redirects(f"{storage.url}/storage/{blob}?signed=yes"))

        async def after_signing_in(client: RegistryClient) -> bytes:
            await client.head_manifest("a", "v1")
            return await client.get_blob("a", blob, 1024)

        raw = ask(fake, after_signing_in, username=USERNAME, password=PASSWORD)
    assert [bool(it.authorization) for it in fake.requests] == [False, True, True]
    assert raw == image.blobs[blob]
    assert storage.seen() == [f"/storage/{blob}?signed=yes"]
    assert storage.requests[0].authorization is None


def test_a_blob_redirected_on_the_same_host_keeps_the_credentials(fake: FakeRegistry) -> None:
    image = content.image()
    fake.push("a", image, "v1")
    blob = next(iter(image.blobs))
    fake.sign_in.method = "bearer"
    fake.misbehave(path_has("/blobs/"), redirects(f"/storage/{blob}"))
    fake.sign_in.anonymous = True

    async def after_signing_in(client: RegistryClient) -> bytes:
        await client.head_manifest("a", "v1")
        return await client.get_blob("a", blob, 1024)

    assert ask(fake, after_signing_in) == image.blobs[blob]
    stored = [it for it in fake.requests if it.path.startswith("/storage/")]
    assert [(it.authorization or "").split()[0] for it in stored] == ["Bearer"]


def test_a_storage_that_asks_for_a_sign_in_gets_none_and_changes_nothing(
    fake: FakeRegistry,
) -> None:
    fake.sign_in.method = "bearer"
    fake.push("a", content.image(), "v1")
    with FakeRegistry() as storage:
        storage.misbehave(always, answers(401, headers={"WWW-Authenticate": 'Basic realm="s"'}))
        fake.misbehave(path_has("/blobs/"), redirects(f"{storage.url}/storage/{MISSING}"))

        async def before_and_after(client: RegistryClient) -> None:
            await client.head_manifest("a", "v1")
            with pytest.raises(ServerFailed, match="storage"):
                await client.get_blob("a", MISSING, 1024)
            await client.head_manifest("a", "v1")

        ask(fake, before_and_after, username=USERNAME, password=PASSWORD)
        assert [it.authorization for it in storage.requests] == [None]
    sent = [it.authorization for it in fake.requests if it.path.startswith("/v2/")]
    assert not any(it and it.startswith("Basic") for it in sent)


def test_a_password_in_a_redirect_is_not_mixed_with_ours(fake: FakeRegistry) -> None:
    fake.sign_in.method = "basic"
    image = content.image()
    fake.push("a", image, "v1")
    blob = next(iter(image.blobs))
    with_password = fake.url.replace("http://", "http://storage:secret@")
    fake.misbehave(path_has("/blobs/"), redirects(f"{with_password}/storage/{blob}"))

    async def after_signing_in(client: RegistryClient) -> bytes:
        await client.head_manifest("a", "v1")
        return await client.get_blob("a", blob, 1024)

    with pytest.raises(NotARegistry, match="redirects to nowhere"):
        ask(fake, after_signing_in, username=USERNAME, password=PASSWORD)
    assert not fake.seen(part="/storage/")


@pytest.mark.parametrize("character", ["\x01", "\x7f", "\t", " "])
def test_a_redirect_to_what_no_request_can_name_is_refused(character: str) -> None:
    class Redirecting(doors.Redirecting):
        target, asked = f"/storage/a{character}b", []

    async def read(address: str) -> bytes:
        connection = Connection(f"http://{address}", allow_private=True)
        async with RegistryClient(connection) as client:
            return await client.get_blob("a", MISSING, 1024)

    with (
        doors.served(Redirecting) as address,
        pytest.raises(NotARegistry, match="redirects to nowhere"),
    ):
        asyncio.run(read(address))
    assert Redirecting.asked == [f"/v2/a/blobs/{MISSING}"]


def test_redirects_without_end_are_not_followed(fake: FakeRegistry) -> None:
    fake.misbehave(path_has("/blobs/"), redirects(f"/v2/a/blobs/{MISSING}"))
    with pytest.raises(NotARegistry, match="without end"):
        ask(fake, lambda client: client.get_blob("a", MISSING, 1024))
    assert len(fake.requests) == 4


def test_only_blobs_are_redirected(fake: FakeRegistry) -> None:
    fake.misbehave(path_has("/manifests/"), redirects("/elsewhere"))
    with pytest.raises(NotARegistry, match="another address"):
        ask(fake, lambda client: client.get_manifest("a", "v1"))
    assert len(fake.requests) == 1


def test_referrers_come_from_the_api(fake: FakeRegistry) -> None:
    image = content.image()
    fake.push("a", image, "v1")
    sbom = content.artifact("application/spdx+json", subject=image, annotations={"by": "us"})
    fake.push("a", sbom)
    found = ask(fake, lambda client: client.referrers("a", image.digest))
    assert found is not None
    assert [(it.digest, it.artifact_type) for it in found] == [
        (sbom.digest, "application/spdx+json")
    ]
    assert found[0].annotations == {"by": "us"}
    assert ask(fake, lambda client: client.supports_referrers("a", image.digest))


def test_referrers_come_from_the_fallback_tag_where_there_is_no_api(fake: FakeRegistry) -> None:
    fake.referrers = False
    image, other = content.image(), content.image("other")
    fake.push_index("a", [(other, "linux", "amd64")], referrers_tag(parse_digest(image.digest)))
    fake.push("a", image, "v1")
    found = ask(fake, lambda client: client.referrers("a", image.digest))
    assert found is not None
    assert [it.digest for it in found] == [other.digest]
    assert not ask(fake, lambda client: client.supports_referrers("a", image.digest))


def test_referrers_are_unknown_with_neither_and_the_api_is_not_asked_again(
    fake: FakeRegistry,
) -> None:
    fake.referrers = False

    async def twice(client: RegistryClient) -> list[object]:
        return [await client.referrers("a", MISSING), await client.referrers("a", MISSING)]

    assert ask(fake, twice) == [None, None]
    assert len(fake.seen(part="/referrers/")) == 1


def test_no_referrers_is_different_from_not_knowing(fake: FakeRegistry) -> None:
    assert ask(fake, lambda client: client.referrers("a", MISSING)) == ()


def test_a_ping_tells_version_and_kind_of_sign_in(fake: FakeRegistry) -> None:
    ping = ask(fake, lambda client: client.ping())
    assert (ping.api_version, ping.auth) == ("registry/2.0", "anonymous")


def test_a_web_page_is_not_a_registry(fake: FakeRegistry) -> None:
    fake.misbehave(always, shows_a_web_page())
    with pytest.raises(NotARegistry, match="web page") as caught:
        ask(fake, lambda client: client.ping())
    assert "docker login" in caught.value.advice
    for question in (
        catalog,
        lambda client: client.get_manifest("a", "v1"),
        lambda client: client.head_manifest("a", "v1"),
    ):
        with pytest.raises(NotARegistry):
            ask(fake, question)


def test_every_request_names_portolan_and_its_version(fake: FakeRegistry) -> None:
    ask(fake, lambda client: client.ping())
    assert {it.user_agent for it in fake.requests} == {USER_AGENT}


@pytest.mark.parametrize("name", ["../../admin", "a/../b", "a b", "", "a/", "a?n=1", "x" * 256])
def test_no_name_outside_the_grammar_reaches_an_address(fake: FakeRegistry, name: str) -> None:
    for question in (
        lambda client: client.tags(name),
        lambda client: client.head_manifest("a", name),
        lambda client: client.get_blob("a", name, 1),
        lambda client: client.referrers("a", name),
    ):
        with pytest.raises(InvalidReference):
            ask(fake, question)
    assert fake.requests == []


def test_an_index_lists_its_platforms_and_tells_attestations_apart(fake: FakeRegistry) -> None:
    amd, arm = content.image("amd"), content.image("arm", architecture="arm64")
    fake.push_index("a", [(amd, "linux", "amd64"), (arm, "linux", "arm64")], "v1", attested=True)

    async def kinds(client: RegistryClient) -> list[tuple[str | None, str | None, Kind]]:
        listed = await client.get_manifest("a", "v1")
        assert listed.kind is Kind.INDEX
        return [
            (it.platform, it.attests, (await client.get_manifest("a", it.digest)).kind)
            for it in listed.children
        ]

    assert ask(fake, kinds) == [
        ("linux/amd64", None, Kind.IMAGE),
        ("linux/arm64", None, Kind.IMAGE),
        (None, amd.digest, Kind.ATTESTATION),
        (None, arm.digest, Kind.ATTESTATION),
    ]


def test_requests_at_once_start_few_and_never_exceed_the_ceiling(fake: FakeRegistry) -> None:
    fake.push("a", content.image(), "v1")

    async def many(client: RegistryClient) -> int:
        await asyncio.gather(*(client.head_manifest("a", "v1") for _ in range(200)))
        return client.concurrency

    assert 4 < ask(fake, many, max_concurrency=6) <= 6
    assert fake.most_at_once <= 6


def test_an_error_says_what_to_do_and_whether_asking_again_helps(fake: FakeRegistry) -> None:
    with pytest.raises(RegistryError) as caught:
        ask(fake, lambda client: client.get_manifest("a", "v1"))
    assert caught.value.permanent
    assert caught.value.code == "not-found"
    assert caught.value.advice
