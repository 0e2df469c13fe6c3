"""Amazon ECR: what is its own, against a fake that pages and against moto that knows the API."""

import asyncio
import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from hypothesis import given
from hypothesis import strategies as st
from moto.server import ThreadedMotoServer

from registries.connectors import CONNECTORS, Connector, connect
from registries.connectors.base import RepositoryPage
from registries.connectors.ecr.connector import EcrConnector, service_of
from registries.connectors.ecr.images import ImageListing, read_image, read_repositories
from registries.connectors.ecr.sign_in import read_password
from registries.oci import mediatypes
from registries.oci.connection import Connection, InvalidConnection
from registries.oci.errors import (
    AccessDenied,
    AddressRefused,
    AuthenticationFailed,
    InvalidDocument,
    NotFound,
    Throttled,
    TooManyPages,
    Unsupported,
)
from registries.oci.kinds import Kind
from registries.oci.listings import TagListing
from registries.oci.outlines import Lock
from registries.oci.reference import Digest
from registries.oci.transport import Stats
from tests.fakes import amazon, content
from tests.fakes.amazon import KEY_ID, REGION, SECRET, FakeEcr
from tests.fakes.misbehaviour import answers_with, path_has, says
from tests.registries.connectors.odd import ODD_VALUES, odd, unhurried
from tests.registries.connectors.running import paths, use
from tests.registries.connectors.samples import sample
from tests.registries.oci.asking import connection

HOST = "123456789012.dkr.ecr.eu-central-1.amazonaws.com"
AN_API_CALL = path_has("/", method="POST")


@pytest.fixture
def fake() -> Iterator[FakeEcr]:
    with FakeEcr() as fake:
        yield fake


def account(fake: FakeEcr, **more: Any) -> Connection:
    options = {"endpoint": fake.url, "region": REGION, **more.pop("options", {})}
    key = {"username": KEY_ID, "password": SECRET}
    return connection(fake, **{**key, "options": options, **more})


async def pages(connector: Connector) -> list[RepositoryPage]:
    return [page async for page in connector.repositories()]


async def all_tags(connector: Connector) -> dict[str, TagListing]:
    return {path: await connector.tags(path) for path in await paths(connector)}


# Reading


def test_a_whole_account_costs_one_call_for_every_thousand(fake: FakeEcr) -> None:
    for number in range(1, 4):
        for tag in range(40):
            fake.push(f"team/app-{number}", content.image(f"{number}.{tag}"), f"1.{tag}")
    fake.largest_page = 25
    listings = use("ecr", account(fake), all_tags)
    assert [len(listing.digests) for listing in listings.values()] == [40] * 3
    # One page of repositories, and two of images in each.
    assert len(fake.requests) == fake.operations() == 1 + 3 * 2


def test_the_listing_holds_what_a_sync_needs_of_tagged_and_untagged_images(fake: FakeEcr) -> None:
    image = content.image()
    old = fake.push("app", content.image("old"))
    index = fake.push_index("app", [(image, "linux", "amd64")], "v1")
    fake.pulled[index] = 1_780_000_000.5
    listing = use("ecr", account(fake), lambda connector: connector.tags("app"))
    assert listing.names == ("v1",)
    assert listing.manifests.complete
    assert set(listing.manifests.outlines) == {old, index, image.digest}
    outline = listing.manifests.outlines[Digest(index)]
    assert (outline.kind, outline.own_size) == (Kind.INDEX, 0)
    assert listing.facts["v1"].pulled_at == datetime(2026, 5, 28, 20, 26, 40, 500000, tzinfo=UTC)
    plain = listing.manifests.outlines[Digest(image.digest)]
    assert plain.total_size == len(b"base") + len(b"app")
    assert (plain.kind, plain.own_size, plain.artifact_type) == (Kind.IMAGE, None, "")


def test_immutable_tags_are_a_lock_on_writing(fake: FakeEcr) -> None:
    for name in ("fixed", "loose"):
        fake.push(name, content.image(), "v1")
    fake.immutable.add("fixed")
    (page,) = use("ecr", account(fake), pages)
    assert {path: facts.locks for path, facts in page.facts.items()} == {
        "fixed": Lock.WRITE,
        "loose": Lock.NONE,
    }


def test_a_listing_that_breaks_off_keeps_what_came(fake: FakeEcr) -> None:
    for tag in range(30):
        fake.push("app", content.image(str(tag)), f"1.{tag}")
    fake.largest_page = 20
    count = iter(range(9))
    fail = answers_with(400, '{"__type": "ServerException"}')

    async def second(request: Any) -> Any:
        return await fail(request) if next(count) else None

    fake.misbehave(AN_API_CALL, second)
    listing = use("ecr", account(fake), lambda connector: connector.tags("app"))
    assert (len(listing.names), listing.complete, listing.manifests.complete) == (20, False, False)
    assert listing.problem is not None


def test_a_listing_without_end_is_left(fake: FakeEcr) -> None:
    fake.push("app", content.image(), "v1")
    fake.misbehave(AN_API_CALL, says('{"imageDetails": [], "nextToken": "again"}'))
    listing = use("ecr", account(fake), lambda connector: connector.tags("app"))
    assert isinstance(listing.problem, TooManyPages)


def test_an_unknown_repository_is_proof_that_there_is_none(fake: FakeEcr) -> None:
    with pytest.raises(NotFound) as caught:
        use("ecr", account(fake), lambda connector: connector.tags("absent"))
    assert caught.value.is_proof


# Signing in


def test_the_access_key_never_leaves_in_clear_nor_reaches_the_registry(fake: FakeEcr) -> None:
    fake.push("app", content.image(), "v1")
    use("ecr", account(fake), lambda connector: connector.manifest("app", "v1"))
    sent = [request.authorization or "" for request in fake.requests]
    assert not any(SECRET in header for header in sent)
    registry = [it.authorization or "" for it in fake.requests if it.path.startswith("/v2/")]
    assert not any(KEY_ID in header for header in registry)


def test_one_password_is_enough_for_all_repositories(fake: FakeEcr) -> None:
    names = [f"app-{number}" for number in range(4)]
    for name in names:
        fake.push(name, content.image(name), "v1")

    async def read(connector: Connector) -> None:
        await asyncio.gather(*(connector.manifest(name, "v1") for name in names))

    use("ecr", account(fake), read)
    assert fake.operations() == 1


def test_a_wrong_key_fails_with_advice_in_the_check(fake: FakeEcr) -> None:
    steps = use("ecr", account(fake, username="AKIAWRONG"), lambda connector: connector.check())
    failed = next(step for step in steps if step.ok is False)
    assert failed.name == "sign-in"
    assert "access key" in failed.detail


def test_without_a_key_the_machines_own_is_not_used(
    fake: FakeEcr, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEY_ID)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    with pytest.raises(AuthenticationFailed) as caught:
        use("ecr", account(fake, username=None, password=None), paths)
    assert "of the machine" in caught.value.advice
    assert fake.requests == []


def test_profiles_and_endpoints_of_the_machine_change_nothing(
    fake: FakeEcr, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake.push("app", content.image(), "v1")
    monkeypatch.setenv("AWS_PROFILE", "nobody-has-this")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    assert use("ecr", account(fake), paths) == ["app"]


def test_an_endpoint_on_a_private_network_is_not_dialled_unless_that_is_allowed(
    fake: FakeEcr,
) -> None:
    strict = Connection(
        f"https://{HOST}",
        username=KEY_ID,
        password=SECRET,
        options={"endpoint": fake.url.replace("http:", "https:")},
    )
    with pytest.raises(AddressRefused):
        use("ecr", strict, paths)
    assert fake.requests == []


def test_slowing_down_is_counted_and_after_enough_of_it_told(fake: FakeEcr) -> None:
    fake.push("app", content.image(), "v1")
    fake.misbehave(AN_API_CALL, amazon.slows_down(times=99))

    async def ask(connector: Connector) -> Stats:
        listing = await connector.tags("app")
        assert isinstance(listing.problem, Throttled)
        return connector.stats

    stats = use("ecr", account(fake), ask)
    assert stats.requests == fake.operations() == 4
    assert stats.throttled == 3


# Deleting


def test_with_its_last_tag_an_image_goes(fake: FakeEcr) -> None:
    digest = fake.push("app", content.image(), "only")
    use("ecr", account(fake), lambda connector: connector.delete_tag("app", "only"))
    assert CONNECTORS["ecr"].last_tag_holds
    assert digest not in fake.repositories["app"].manifests


def test_a_platform_that_an_index_lists_is_kept_in_words(fake: FakeEcr) -> None:
    image = content.image()
    fake.push_index("app", [(image, "linux", "amd64")], "v1")
    with pytest.raises(Unsupported, match="an index lists it"):
        use("ecr", account(fake), lambda connector: connector.delete_manifest("app", image.digest))


def test_what_is_already_gone_is_not_found(fake: FakeEcr) -> None:
    fake.push("app", content.image(), "v1")
    gone = "sha256:" + "0" * 64
    with pytest.raises(NotFound):
        use("ecr", account(fake), lambda connector: connector.delete_manifest("app", gone))
    with pytest.raises(NotFound):
        use("ecr", account(fake), lambda connector: connector.delete_tag("app", "gone"))


# Names and addresses


@pytest.mark.parametrize(
    ("host", "api"),
    [
        (HOST, "https://api.ecr.eu-central-1.amazonaws.com"),
        (
            "123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn",
            "https://api.ecr.cn-north-1.amazonaws.com.cn",
        ),
        (
            "123456789012.dkr.ecr-fips.us-gov-west-1.amazonaws.com",
            "https://ecr-fips.us-gov-west-1.amazonaws.com",
        ),
    ],
)
def test_the_api_is_found_by_the_registrys_name(host: str, api: str) -> None:
    assert service_of(Connection(f"https://{host}")).endpoint == api
    assert EcrConnector.home(host) == f"https://{host}"


@pytest.mark.parametrize("host", ["public.ecr.aws", "evil-amazonaws.com", HOST + ".evil.com"])
def test_other_hosts_are_not_amazons(host: str) -> None:
    assert EcrConnector.home(host) is None
    with pytest.raises(InvalidConnection, match="region"):
        connect("ecr", Connection(f"https://{host}"))


@pytest.mark.parametrize("name", ["region", "role_arn"])
def test_settings_that_cannot_be_are_refused(name: str) -> None:
    with pytest.raises(InvalidConnection):
        service_of(Connection(f"https://{HOST}", options={name: "evil.com/"}))


def test_pages_of_the_console_are_linked() -> None:
    page = CONNECTORS["ecr"].web_page(Connection(f"https://{HOST}"), "team/app")
    assert page == (
        "https://eu-central-1.console.aws.amazon.com/ecr/repositories/private/123456789012/"
        "team/app?region=eu-central-1"
    )


# Parsing


def test_real_answers_are_read() -> None:
    listing = ImageListing()
    listing.add(sample("vendors/ecr_describe_images_real.json"))
    tags = listing.result(Stats())
    assert set(tags.names) == {"latest", "2.0.0", "6a7be12a"}
    outline = tags.manifests.outlines[tags.digests["latest"]]
    assert (outline.total_size, outline.media_type) == (449931928, mediatypes.DOCKER_MANIFEST)
    assert outline.pushed_at == datetime(2024, 2, 28, 1, 22, 13, tzinfo=UTC)
    assert tags.facts["latest"].pulled_at is None
    assert tags.facts["6a7be12a"].pulled_at == datetime(2023, 9, 26, 16, 6, 14, 575000, tzinfo=UTC)


def test_findings_are_counted_by_severity() -> None:
    def scanned(summary: Any) -> Any:
        outline = read_image(
            {"imageDigest": "sha256:" + "a" * 64, "imageScanFindingsSummary": summary}
        )
        return outline and outline.scan

    assert scanned({"findingSeverityCounts": {"HIGH": 3, "LOW": None}}) == {"High": 3}
    assert scanned({}) == {}
    assert scanned(None) is None


def test_names_that_cannot_be_are_dropped_and_counted() -> None:
    page = {"repositories": [{"repositoryName": "UPPER"}, {"repositoryName": None}, "x", {}]}
    assert read_repositories(page) == ([], {}, 3)
    listing, stats = ImageListing(), Stats()
    listing.add({"imageDetails": [{"imageDigest": "sha256:" + "a" * 64, "imageTags": ["-no"]}]})
    assert listing.result(stats).names == ()
    assert stats.invalid_names == 1


FIELDS = (
    "imageTags",
    "imageSizeInBytes",
    "imagePushedAt",
    "imageManifestMediaType",
    "artifactMediaType",
    "lastRecordedPullTime",
    "imageScanFindingsSummary",
    "subjectManifestDigest",
)


@unhurried
@given(st.fixed_dictionaries({}, optional=dict.fromkeys(FIELDS, odd)))
def test_no_field_that_amazon_may_send_breaks_reading(fields: dict[str, Any]) -> None:
    outline = read_image({"imageDigest": "sha256:" + "a" * 64, **fields})
    assert outline is not None
    assert outline.total_size >= 0
    ImageListing().add({"imageDetails": [fields, {"imageDigest": fields}]})


@unhurried
@given(odd)
def test_a_password_is_read_or_refused(value: Any) -> None:
    for answer in (
        {"authorizationData": value},
        {"authorizationData": [{"authorizationToken": value}]},
    ):
        with pytest.raises(InvalidDocument):
            read_password(answer, datetime.now(UTC))


def test_nothing_that_is_answered_gets_past_boto3_as_another_error(fake: FakeEcr) -> None:
    async def ask(connector: Connector) -> None:
        for value in ODD_VALUES:
            for body in ({"imageDetails": value}, {"imageDetails": [{"imagePushedAt": value}]}):
                fake.behave()
                fake.misbehave(AN_API_CALL, says(json.dumps(body)))
                listing = await connector.tags("app")
                assert listing.names == ()
        for text in ("", "{", "[]", "null", '"text"'):
            fake.misbehave(AN_API_CALL, says(text))
            assert (await connector.tags("app")).names == ()

    use("ecr", account(fake), ask)


# moto, an independent reading of Amazon's API. Not tried on it: paging, throttling and signing in,
# which it has not, and all that the registry itself answers.


@pytest.fixture(scope="module")
def moto() -> Iterator[str]:
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def ecr(moto: str) -> Iterator[Any]:
    client = boto3.client(
        "ecr",
        region_name=REGION,
        endpoint_url=moto,
        aws_access_key_id=KEY_ID,
        aws_secret_access_key=SECRET,
    )
    client.create_repository(repositoryName="team/app", imageTagMutability="MUTABLE")
    yield client
    for each in client.describe_repositories()["repositories"]:
        client.delete_repository(repositoryName=each["repositoryName"], force=True)


def put(ecr: Any, manifest: content.Pushed, *tags: str) -> str:
    for tag in tags:
        ecr.put_image(
            repositoryName="team/app",
            imageManifest=manifest.raw.decode(),
            imageTag=tag,
            imageDigest=manifest.digest,
        )
    return manifest.digest


def at_moto(moto: str, **options: str) -> Connection:
    given = {"endpoint": moto, "sts_endpoint": moto, **options}
    return Connection(
        f"https://{HOST}", username=KEY_ID, password=SECRET, allow_private=True, options=given
    )


def test_moto_lists_and_deletes_as_the_fake_does(ecr: Any, moto: str) -> None:
    one = put(ecr, content.image("one"), "v1", "latest")
    two = put(ecr, content.image("two"), "v2")
    there = at_moto(moto)
    assert use("ecr", there, paths) == ["team/app"]
    listing = use("ecr", there, lambda connector: connector.tags("team/app"))
    assert listing.digests == {"v1": one, "latest": one, "v2": two}
    assert listing.facts["v1"].pushed_at is not None
    assert listing.manifests.outlines[Digest(one)].media_type == mediatypes.OCI_MANIFEST

    async def change(connector: Connector) -> TagListing:
        await connector.delete_tag("team/app", "latest")
        await connector.delete_manifest("team/app", two)
        with pytest.raises(NotFound):
            await connector.delete_manifest("team/app", two)
        return await connector.tags("team/app")

    assert use("ecr", there, change).digests == {"v1": one}
    use("ecr", there, lambda connector: connector.delete_repository("team/app"))
    with pytest.raises(NotFound):
        use("ecr", there, lambda connector: connector.tags("team/app"))


def test_moto_lets_a_role_be_assumed(ecr: Any, moto: str) -> None:
    there = at_moto(moto, role_arn="arn:aws:iam::123456789012:role/reader")
    assert use("ecr", there, paths) == ["team/app"]


def test_denied_calls_name_the_right_that_is_missing(fake: FakeEcr) -> None:
    denied = '{"__type": "AccessDeniedException", "message": "not authorized to perform: ecr:X"}'
    fake.misbehave(AN_API_CALL, answers_with(400, denied))
    with pytest.raises(AccessDenied, match="ecr:X"):
        use("ecr", account(fake), paths)
