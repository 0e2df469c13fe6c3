"""Google Artifact Registry: what is its own."""

import base64
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registries.connectors import CONNECTORS, Connector, connect
from registries.connectors.gar import removal
from registries.connectors.gar.connector import GarConnector
from registries.connectors.gar.images import GoogleListing, read_docker_image, read_manifest
from registries.connectors.gar.places import place_of
from registries.connectors.gar.sign_in import parse_key, read_token
from registries.oci import mediatypes
from registries.oci.client import Ping
from registries.oci.connection import Connection, InvalidConnection
from registries.oci.errors import (
    AuthenticationFailed,
    InvalidDocument,
    NotFound,
    ServerFailed,
    TooManyPages,
    Unsupported,
)
from registries.oci.kinds import Kind
from registries.oci.listings import TagListing
from registries.oci.reference import Digest
from registries.oci.transport import Stats
from tests.fakes import content
from tests.fakes.content import Pushed
from tests.fakes.google import EMAIL, FakeGar, account, key_file
from tests.fakes.misbehaviour import answers, answers_with, path_has, says
from tests.registries.connectors.odd import ODD_VALUES, odd, unhurried
from tests.registries.connectors.running import paths, use
from tests.registries.connectors.samples import sample

DIGEST = "sha256:" + "a" * 64


@pytest.fixture
def fake() -> Iterator[FakeGar]:
    with FakeGar() as fake:
        yield fake


async def everything(connector: Connector) -> dict[str, TagListing]:
    return {path: await connector.tags(path) for path in await paths(connector)}


# Reading


def test_listing_everything_costs_one_request_for_a_thousand_images(fake: FakeGar) -> None:
    fake.page_size = 50
    for image in ("api", "web", "deep/er/job"):
        for tag in range(30):
            fake.push(f"acme/images/{image}", content.image(f"{image}.{tag}"), f"1.{tag}")
    fake.push("acme/tools/lint", content.image(), "v1")
    listings = use("gar", account(fake), everything)
    assert {path: len(listing.digests) for path, listing in listings.items()} == {
        "acme/images/api": 30,
        "acme/images/deep/er/job": 30,
        "acme/images/web": 30,
        "acme/tools/lint": 1,
    }
    assert all(listing.manifests.complete for listing in listings.values())
    # Nobody shares the run out among processes, of which only one has the listing.
    assert connect("gar", account(fake)).has_budget
    # A token, the two repositories, two pages of images in one of them and one in the other.
    assert len(fake.requests) == 1 + 1 + 2 + 1


def test_an_image_alone_is_listed_without_those_beside_it(fake: FakeGar) -> None:
    for image in ("api", "web"):
        fake.push(f"acme/images/{image}", content.image(image), "v1")
    untagged = fake.push("acme/images/api", content.image("old"))
    listing = use("gar", account(fake), lambda connector: connector.tags("acme/images/api"))
    assert fake.seen(part="dockerImages") == []
    assert untagged in listing.manifests.outlines
    assert listing.manifests.complete
    assert listing.facts["v1"].pushed_at == datetime(2026, 3, 2, 12, 0, 0, 123000, tzinfo=UTC)


def test_both_listings_say_the_same(fake: FakeGar) -> None:
    path = "acme/images/api"
    index = fake.push_index(path, [(content.image(), "linux", "amd64")], "v1")
    (whole,) = use("gar", account(fake), everything).values()
    alone = use("gar", account(fake), lambda connector: connector.tags(path))
    assert alone.digests == whole.digests == {"v1": index}
    assert set(alone.manifests.outlines) == set(whole.manifests.outlines)
    for listing in (alone, whole):
        outline = listing.manifests.outlines[Digest(index)]
        assert (outline.kind, outline.own_size, outline.created) == (Kind.INDEX, 0, None)


def test_a_second_look_asks_again(fake: FakeGar) -> None:
    fake.push("acme/images/api", content.image(), "v1")

    async def twice(connector: Connector) -> list[tuple[str, ...]]:
        (path,) = await paths(connector)
        first = await connector.tags(path)
        fake.push(path, content.image("new"), "v2")
        return [first.names, (await connector.tags(path)).names]

    assert use("gar", account(fake), twice) == [("v1",), ("v1", "v2")]


def test_what_was_listed_with_all_says_when_it_was_and_what_is_asked_alone_does_not(
    fake: FakeGar,
) -> None:
    fake.push("acme/images/api", content.image(), "v1")

    async def ask(connector: Connector) -> tuple[Any, ...]:
        before = datetime.now(UTC)
        (path,) = await paths(connector)
        after = datetime.now(UTC)
        return before, (await connector.tags(path)).at, after, (await connector.tags(path)).at

    before, at, after, alone = use("gar", account(fake), ask)
    assert before <= at <= after
    assert alone is None


def test_a_registry_without_the_map_of_manifests_gives_names_only(fake: FakeGar) -> None:
    fake.tells_manifests = False
    fake.push("acme/images/api", content.image(), "v1")
    listing = use("gar", account(fake), lambda connector: connector.tags("acme/images/api"))
    assert (listing.names, listing.complete, listing.digests) == (("v1",), True, {})
    assert not listing.manifests.complete


def test_one_repository_that_fails_hides_no_other_and_proves_nothing(fake: FakeGar) -> None:
    for place in ("bad", "good"):
        fake.push(f"acme/{place}/api", content.image(), "v1")
    fake.misbehave(path_has("/bad/dockerImages"), answers(500))
    seen: list[str] = []

    async def ask(connector: Connector) -> None:
        async for page in connector.repositories():
            seen.extend(page.paths)

    with pytest.raises(ServerFailed):
        use("gar", account(fake), ask)
    assert seen == ["acme/good/api"]


def test_images_of_a_listing_cut_short_are_not_taken_for_all(fake: FakeGar) -> None:
    fake.page_size = 3
    for tag in range(5):
        fake.push("acme/images/api", content.image(str(tag)), f"1.{tag}")
    fake.misbehave(lambda request: "pageToken" in request.query, answers(500))

    async def ask(connector: Connector) -> TagListing:
        with pytest.raises(ServerFailed):
            await paths(connector)
        return await connector.tags("acme/images/api")

    listing = use("gar", account(fake), ask)
    assert (len(listing.names), listing.complete, listing.manifests.complete) == (3, False, False)


def test_a_listing_without_end_is_left(fake: FakeGar) -> None:
    fake.misbehave(path_has("/repositories"), says('{"nextPageToken": "again"}'))
    with pytest.raises(TooManyPages):
        use("gar", account(fake), paths)


def test_other_formats_and_virtual_repositories_hold_no_images(fake: FakeGar) -> None:
    fake.push("acme/images/api", content.image(), "v1")
    fake.others = [
        {"name": "projects/acme/locations/x/repositories/debs", "format": "APT"},
        {"name": "x/all", "format": "DOCKER", "mode": "VIRTUAL_REPOSITORY"},
        {"name": None, "format": "DOCKER"},
    ]
    assert use("gar", account(fake), paths) == ["acme/images/api"]
    assert len(fake.seen(part="dockerImages")) == 1


def test_patterns_choose_and_projects_can_be_named(fake: FakeGar) -> None:
    for path in ("acme/images/api", "acme/images/web", "other/images/api"):
        fake.push(path, content.image(), "v1")
    assert use("gar", account(fake), paths, "*/api") == ["acme/images/api"]
    named = account(fake, options={"projects": "other, acme"})
    assert use("gar", named, paths, "*/api") == ["other/images/api", "acme/images/api"]


# Signing in


def test_a_token_that_somebody_got_is_used_as_it_is(fake: FakeGar) -> None:
    fake.push("acme/images/api", content.image(), "v1")
    fake.google.access_tokens.add("ya29.mine")
    given = {"username": "oauth2accesstoken", "password": "ya29.mine"}
    there = account(fake, options={"projects": "acme"}, **given)
    assert use("gar", there, paths) == ["acme/images/api"]
    assert use("gar", there, lambda it: it.manifest("acme/images/api", "v1"))
    assert fake.seen(part="/oauth/") == []
    with pytest.raises(Unsupported, match="which projects"):
        use("gar", account(fake, **given), paths)


def test_a_key_may_be_given_in_base64(fake: FakeGar) -> None:
    fake.push("acme/images/api", content.image(), "v1")
    key = base64.b64encode(key_file().encode()).decode()
    there = account(fake, username="_json_key_base64", password=key)
    assert use("gar", there, paths) == ["acme/images/api"]


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("not json", "not the JSON key"),
        ('{"client_email": "x", "private_key": 5}', "not the JSON key"),
        (key_file(private_key="-----BEGIN NOTHING"), "cannot be read"),
        (key_file(client_email="somebody@else"), "does not accept the key of somebody@else"),
    ],
)
def test_a_key_that_is_none_is_said_so_and_never_shown(fake: FakeGar, key: str, said: str) -> None:
    with pytest.raises(AuthenticationFailed, match=said) as caught:
        use("gar", account(fake, password=key), paths)
    assert "PRIVATE" not in str(caught.value) + caught.value.advice


def test_the_signed_claim_goes_to_no_server_but_googles(fake: FakeGar) -> None:
    evil = account(fake, options={"token_url": ""}, password=key_file(f"{fake.url}/oauth/token"))
    with pytest.raises(AuthenticationFailed, match="not Google's"):
        use("gar", evil, paths)
    assert fake.requests == []


def test_one_token_serves_the_whole_listing(fake: FakeGar) -> None:
    for number in range(5):
        fake.push(f"acme/place-{number}/api", content.image(), "v1")
    use("gar", account(fake), everything)
    assert len(fake.seen("POST", "/oauth/token")) == 1


def test_the_key_is_not_in_what_is_shown_of_it() -> None:
    assert parse_key(key_file()).email == EMAIL
    assert "PRIVATE" not in repr(parse_key(key_file()))


# Deleting


def test_tags_go_before_the_manifest_they_point_at(fake: FakeGar) -> None:
    path = "acme/images/api"
    digest = fake.push(path, content.image(), "v1", "latest")
    kept = fake.push(path, content.image("other"), "v2")
    use("gar", account(fake), lambda connector: connector.delete_manifest(path, digest))
    assert list(fake.repositories[path].manifests) == [kept]
    deleted = [it.rpartition("/")[2] for it in fake.seen("DELETE")]
    # The first is how Google is asked whether anything but its tags keeps it.
    assert [it for it, after in pairwise([*deleted, ""]) if it != after] == [
        digest,
        "v1",
        "latest",
        digest,
    ]


def test_a_platform_that_an_index_lists_is_kept_in_words(fake: FakeGar) -> None:
    image = content.image()
    fake.push_index("acme/images/api", [(image, "linux", "amd64")], "v1")
    with pytest.raises(Unsupported, match="an index still names it"):
        use("gar", account(fake), lambda it: it.delete_manifest("acme/images/api", image.digest))


@pytest.fixture
def held(fake: FakeGar) -> Pushed:
    """A platform with tags of its own, in an index that another tag names."""
    image = content.image()
    fake.push("acme/images/api", image, "arm", "production-arm")
    fake.push_index("acme/images/api", [(image, "linux", "arm64")], "multi")
    fake.requests.clear()
    return image


def test_an_index_that_holds_it_is_found_before_a_tag_is_touched(
    fake: FakeGar, held: Pushed
) -> None:
    with pytest.raises(Unsupported, match="an index still names it"):
        use("gar", account(fake), lambda it: it.delete_manifest("acme/images/api", held.digest))
    assert not [path for path in fake.seen("DELETE") if held.digest not in path]


def test_a_refused_deletion_puts_the_tags_back(
    fake: FakeGar, held: Pushed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(removal, "_MOST_READ", 0)
    before = dict(fake.repositories["acme/images/api"].tags)
    with pytest.raises(Unsupported, match="an index still names it") as caught:
        use("gar", account(fake), lambda it: it.delete_manifest("acme/images/api", held.digest))
    assert fake.repositories["acme/images/api"].tags == before
    assert caught.value.tags_taken == ()
    assert fake.seen("DELETE", "production-arm")


def test_where_google_tells_of_the_index_at_once_no_tag_is_touched(
    fake: FakeGar, held: Pushed
) -> None:
    codes = ("GOOGLE_MANIFEST_DANGLING_TAG", "GOOGLE_MANIFEST_DANGLING_PARENT_IMAGE")
    said = json.dumps({"errors": [{"code": code, "message": ""} for code in codes]})
    fake.misbehave(path_has(held.digest, method="DELETE"), answers_with(400, said))
    with pytest.raises(Unsupported, match="an index still names it"):
        use("gar", account(fake), lambda it: it.delete_manifest("acme/images/api", held.digest))
    assert not [path for path in fake.seen("DELETE") if held.digest not in path]
    assert not fake.seen("PUT")


def test_tags_that_cannot_be_put_back_are_named(
    fake: FakeGar, held: Pushed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(removal, "_MOST_READ", 0)
    fake.misbehave(path_has("/manifests/production-arm", method="PUT"), answers(403))
    with pytest.raises(Unsupported) as caught:
        use("gar", account(fake), lambda it: it.delete_manifest("acme/images/api", held.digest))
    assert caught.value.tags_taken == ("production-arm",)
    assert "arm" in fake.repositories["acme/images/api"].tags


def test_a_tag_that_somebody_sets_meanwhile_stays_where_it_was_set(
    fake: FakeGar, held: Pushed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(removal, "_MOST_READ", 0)
    newer = content.image("newer")

    async def push_meanwhile(request: Any) -> None:
        if not {"arm", "production-arm"} & fake.repositories["acme/images/api"].tags.keys():
            fake.push("acme/images/api", newer, "arm")

    fake.misbehave(path_has(held.digest, method="DELETE"), push_meanwhile)
    with pytest.raises(Unsupported):
        use("gar", account(fake), lambda it: it.delete_manifest("acme/images/api", held.digest))
    tags = fake.repositories["acme/images/api"].tags
    assert (tags["arm"], tags["production-arm"]) == (newer.digest, held.digest)


def test_what_somebody_else_deletes_meanwhile_is_not_brought_back(fake: FakeGar) -> None:
    image = content.image()
    fake.push("acme/images/api", image, "v1")
    holdings = fake.repositories["acme/images/api"]

    async def delete_meanwhile(request: Any) -> None:
        if not holdings.tags:
            holdings.manifests.clear()

    fake.misbehave(path_has(image.digest, method="DELETE"), delete_meanwhile)
    with pytest.raises(NotFound):
        use("gar", account(fake), lambda it: it.delete_manifest("acme/images/api", image.digest))
    assert not fake.seen("PUT")
    assert not holdings.manifests


def test_a_deletion_that_google_gives_up_is_told(fake: FakeGar) -> None:
    fake.push("acme/images/deep/api", content.image(), "v1")
    said = '{"name": "operations/1", "done": true, "error": {"code": 9, "message": "in use"}}'
    fake.misbehave(path_has("/packages/"), says(said))
    with pytest.raises(Unsupported, match="in use"):
        use("gar", account(fake), lambda it: it.delete_repository("acme/images/deep/api"))
    assert fake.seen("DELETE", "packages/deep%2Fapi")


# Names and addresses


@pytest.mark.parametrize("host", ["europe-west1-docker.pkg.dev", "us-docker.pkg.dev", "eu.gcr.io"])
def test_googles_hosts_are_known(host: str) -> None:
    assert GarConnector.home(host) == f"https://{host}"
    assert GarConnector.recognises("proxy.acme.test", Ping(None, "bearer", None, service=host))


@pytest.mark.parametrize("host", ["docker.pkg.dev.evil.com", "evil.gcr.io.com", "localhost"])
def test_other_hosts_are_not_googles(host: str) -> None:
    assert GarConnector.home(host) is None
    with pytest.raises(InvalidConnection, match="location"):
        connect("gar", Connection(f"https://{host}"))


def test_gcr_is_a_repository_of_its_hosts_name() -> None:
    found = place_of("acme/deep/api", "eu.gcr.io", "europe")
    assert found is not None
    assert found[0].address == "/v1/projects/acme/locations/europe/repositories/eu.gcr.io"
    assert (found[0].prefix, found[1]) == ("acme/", "deep/api")
    assert place_of("acme/images", "us-docker.pkg.dev", "us") is None


def test_pages_of_the_console_are_linked() -> None:
    there = Connection("https://us-docker.pkg.dev")
    page = CONNECTORS["gar"].web_page(there, "acme/images/deep/api")
    assert page == "https://console.cloud.google.com/artifacts/docker/acme/us/images/deep%2Fapi"


# Parsing


def test_the_registrys_own_map_is_read_from_a_real_answer() -> None:
    document = sample("vendors/google_tags_list_extension_sample.json")
    listing, stats = GoogleListing(), Stats()
    listing.add_tag_page(document)
    assert set(listing.result(stats).names) == {"foo", "bar"}
    assert stats.invalid_names == 1  # the sample's digest is cut short
    (told,) = document["manifest"].values()
    outline = read_manifest(Digest(DIGEST), told)
    assert outline.total_size == 32
    assert outline.pushed_at == datetime(2022, 6, 16, 13, 56, 50, tzinfo=UTC)
    assert outline.created == datetime(2022, 6, 16, 13, 55, 50, tzinfo=UTC)


def test_platforms_and_types_are_read() -> None:
    manifests = [
        {"os": "linux", "architecture": "arm64", "variant": "v8"},
        {"os": "linux", "architecture": "amd64"},
        {"os": None},
    ]
    read = read_docker_image(
        {
            "name": f"projects/p/locations/l/repositories/r/dockerImages/a%2Fb@{DIGEST}",
            "mediaType": mediatypes.OCI_INDEX,
            "imageManifests": manifests,
        }
    )
    assert read is not None
    assert read[0] == "a/b"
    assert read[1].platforms == ("linux/arm64/v8", "linux/amd64")
    chart = {"mediaType": mediatypes.OCI_MANIFEST, "artifactType": mediatypes.HELM_CONFIG}
    assert read_manifest(Digest(DIGEST), chart).kind == Kind.CHART
    plain = {"mediaType": mediatypes.OCI_MANIFEST, "artifactType": mediatypes.OCI_MANIFEST}
    assert read_manifest(Digest(DIGEST), plain).kind == Kind.IMAGE


FIELDS = (
    "tag",
    "tags",
    "mediaType",
    "artifactType",
    "imageSizeBytes",
    "imageManifests",
    "timeCreatedMs",
    "timeUploadedMs",
    "uploadTime",
    "buildTime",
)


@unhurried
@given(st.fixed_dictionaries({"name": odd}, optional=dict.fromkeys(FIELDS, odd)))
def test_no_field_that_google_may_send_breaks_reading(fields: dict[str, Any]) -> None:
    assert read_docker_image(fields) is None
    named = {**fields, "name": f"/dockerImages/api@{DIGEST}"}
    assert read_docker_image(named) is not None
    listing = GoogleListing()
    listing.add_tag_page({"tags": fields["name"], "manifest": {DIGEST: fields, "x": fields}})
    listing.add_tag_page({"tags": ["v1"], "manifest": fields["name"]})
    assert "v1" in listing.result(Stats()).names


def test_no_answer_of_the_token_server_breaks_reading() -> None:
    for value in ODD_VALUES:
        with pytest.raises(InvalidDocument):
            read_token(value)
        token, seconds = read_token({"access_token": "ya29", "expires_in": value})
        assert token == "ya29"
        assert seconds > 0
