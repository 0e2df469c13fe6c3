"""The bad days of a registry, and what the client makes of each."""

import asyncio
import json
import time
import tracemalloc
from dataclasses import replace
from pathlib import Path

import pytest

from registries.oci.client import RegistryClient
from registries.oci.errors import (
    AccessDenied,
    AddressRefused,
    DigestMismatch,
    ForeignLink,
    InvalidDocument,
    NotARegistry,
    NotFound,
    RegistryError,
    ResponseTooLarge,
    ServerFailed,
    Throttled,
    TlsFailed,
    TooManyPages,
    Unreachable,
)
from tests.fakes import content, doors
from tests.fakes.misbehaviour import (
    always,
    answers,
    counts_links_for_ever,
    hangs,
    hangs_up,
    lists,
    path_has,
    redirects,
    says,
    shows_a_web_page,
    streams,
    throttles,
)
from tests.fakes.registry import FakeRegistry
from tests.registries.oci.asking import IMPATIENT, QUICK, ask, catalog

MISSING = "sha256:" + "0" * 64
FOREIGN = '<https://elsewhere.example/v2/_catalog?last=x>; rel="next"'


def failing(fake: FakeRegistry, question: object, **more: object) -> RegistryError:
    """Return the error a question ends with."""
    with pytest.raises(RegistryError) as caught:
        ask(fake, question, **more)  # type: ignore[arg-type]
    return caught.value


# Throttling and failing


def test_a_storm_of_429_is_waited_out(fake: FakeRegistry) -> None:
    fake.push("a", content.image(), "v1")
    fake.misbehave(path_has("/manifests/"), throttles(times=3))

    async def counted(client: RegistryClient) -> tuple[object, int, int]:
        return await client.head_manifest("a", "v1"), client.stats.throttled, client.stats.retries

    head, throttled, retries = ask(fake, counted)
    assert head is not None
    assert (throttled, retries) == (3, 3)


def test_a_429_halves_what_is_in_flight(fake: FakeRegistry) -> None:
    fake.misbehave(path_has("/manifests/"), throttles(times=1))

    async def after_one(client: RegistryClient) -> int:
        await client.head_manifest("a", "v1")
        return client.concurrency

    assert ask(fake, after_one) == 2


def test_a_retry_after_holds_back_every_other_request(fake: FakeRegistry) -> None:
    fake.misbehave(path_has("/manifests/first"), throttles("1", times=1))

    async def second_after_the_first(client: RegistryClient) -> float:
        first = asyncio.create_task(client.head_manifest("a", "first"))
        await asyncio.to_thread(fake.wait_until_seen, "first")
        await asyncio.sleep(0.05)
        started = time.monotonic()
        await client.head_manifest("a", "second")
        waited = time.monotonic() - started
        await first
        return waited

    assert ask(fake, second_after_the_first) > 0.5


def test_a_wait_too_long_is_left_to_the_caller(fake: FakeRegistry) -> None:
    fake.misbehave(always, throttles("3600"))
    error = failing(fake, lambda client: client.head_manifest("a", "v1"))
    assert isinstance(error, Throttled)
    assert error.retry_after == 3600
    assert not error.permanent
    assert len(fake.requests) == 1


def test_a_storm_without_end_is_given_up(fake: FakeRegistry) -> None:
    fake.misbehave(always, throttles())
    assert isinstance(failing(fake, lambda client: client.get_manifest("a", "v1")), Throttled)
    assert len(fake.requests) == 4


@pytest.mark.parametrize("status", [502, 503, 504])
def test_a_gateway_having_a_moment_is_asked_again(fake: FakeRegistry, status: int) -> None:
    fake.push("a", content.image(), "v1")
    fake.misbehave(always, answers(status, times=2))
    assert ask(fake, lambda client: client.head_manifest("a", "v1")) is not None


def test_a_failing_server_is_reported_with_its_reason(fake: FakeRegistry) -> None:
    fake.misbehave(always, answers(500))
    error = failing(fake, lambda client: client.get_manifest("a", "v1"))
    assert isinstance(error, ServerFailed)
    assert "500" in str(error)
    assert "a bad day" in str(error)
    assert not error.permanent


LONG_PAGE = 300 * 1024


@pytest.mark.parametrize(
    ("status", "expected"), [(500, ServerFailed), (404, NotFound), (403, AccessDenied)]
)
def test_a_long_page_about_an_error_does_not_hide_the_error(
    fake: FakeRegistry, status: int, expected: type[RegistryError]
) -> None:
    fake.misbehave(path_has("/manifests/"), shows_a_web_page(status, size=LONG_PAGE))
    assert type(failing(fake, lambda client: client.get_manifest("a", "v1"))) is expected


def test_a_gateway_with_a_long_page_is_asked_again_too(fake: FakeRegistry) -> None:
    fake.misbehave(always, shows_a_web_page(502, size=LONG_PAGE))
    assert isinstance(failing(fake, lambda client: client.get_manifest("a", "v1")), ServerFailed)
    assert len(fake.requests) == 4


def test_a_long_web_page_is_still_a_web_page(fake: FakeRegistry) -> None:
    fake.misbehave(always, shows_a_web_page(size=LONG_PAGE))
    error = failing(fake, lambda client: client.ping())
    assert isinstance(error, NotARegistry)
    assert "web page" in str(error)


def test_an_error_without_end_is_not_read_to_its_end(fake: FakeRegistry) -> None:
    fake.misbehave(path_has("/manifests/"), streams(100 * 1024**2, declared=False, status=500))
    assert isinstance(failing(fake, lambda client: client.get_manifest("a", "v1")), ServerFailed)


def test_a_dropped_connection_is_tried_again(fake: FakeRegistry) -> None:
    fake.push("a", content.image(), "v1")
    fake.misbehave(always, hangs_up(times=2))
    assert ask(fake, lambda client: client.head_manifest("a", "v1")) is not None


# Documents that lie


@pytest.mark.parametrize(
    "body", [b'{"schemaVersion": 2, "lay', b"[]", b"", b"\xff\xfe", b'{"a": 1}', b"[" * 5000]
)
def test_a_broken_manifest_is_an_invalid_document(fake: FakeRegistry, body: bytes) -> None:
    fake.misbehave(path_has("/manifests/"), says(body))
    error = failing(fake, lambda client: client.get_manifest("a", "v1"))
    assert isinstance(error, InvalidDocument)


def test_other_bytes_than_the_digest_asked_for_are_refused(fake: FakeRegistry) -> None:
    asked, given = content.image("asked"), content.image("given")
    fake.misbehave(path_has("/manifests/"), says(given.raw, given.media_type))
    error = failing(fake, lambda client: client.get_manifest("a", asked.digest))
    assert isinstance(error, DigestMismatch)


def test_other_bytes_than_the_digest_announced_are_refused(fake: FakeRegistry) -> None:
    given = content.image()
    fake.misbehave(
        path_has("/manifests/"),
        says(given.raw, given.media_type, {"Docker-Content-Digest": MISSING}),
    )
    error = failing(fake, lambda client: client.get_manifest("a", "v1"))
    assert isinstance(error, DigestMismatch)


def test_another_blob_than_asked_for_is_refused(fake: FakeRegistry) -> None:
    fake.misbehave(path_has("/blobs/"), says(b"other"))
    error = failing(fake, lambda client: client.get_blob("a", MISSING, 1024))
    assert isinstance(error, DigestMismatch)


@pytest.mark.parametrize("declared", [True, False])
def test_a_manifest_of_100_mb_is_not_read(fake: FakeRegistry, declared: bool) -> None:
    fake.misbehave(path_has("/manifests/"), streams(100 * 1024**2, declared=declared))
    error = failing(fake, lambda client: client.get_manifest("a", "v1"))
    assert isinstance(error, ResponseTooLarge)


@pytest.mark.parametrize("declared", [True, False])
def test_a_manifest_of_100_mb_takes_no_memory(fake: FakeRegistry, declared: bool) -> None:
    fake.misbehave(path_has("/manifests/"), streams(100 * 1024**2, declared=declared))
    tracemalloc.start()
    try:
        failing(fake, lambda client: client.get_manifest("a", "v1"))
        assert tracemalloc.get_traced_memory()[1] < 10 * 1024**2  # of both sides
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("declared", [True, False])
def test_a_listing_larger_than_the_limit_is_not_read(fake: FakeRegistry, declared: bool) -> None:
    fake.misbehave(path_has("/tags/"), streams(1024**2, declared=declared))
    listing = ask(fake, lambda client: client.tags("a"))
    assert not listing.complete
    assert isinstance(listing.problem, ResponseTooLarge)


@pytest.mark.parametrize("nothing", [b"[]", b"{}", b"0"])
def test_a_listing_of_more_things_than_any_holds_is_not_even_parsed(
    fake: FakeRegistry, monkeypatch: pytest.MonkeyPatch, nothing: bytes
) -> None:
    monkeypatch.setattr("registries.oci.untrusted._MOST_VALUES", 1000)
    fake.misbehave(path_has("/tags/"), says(b'{"tags":[' + b",".join([nothing] * 1000) + b"]}"))
    problem = ask(fake, lambda client: client.tags("a")).problem
    assert isinstance(problem, InvalidDocument)
    assert "1,000 things" in str(problem)
    names = ["1"] * 900
    fake.misbehave(path_has("/tags/"), lists("tags", [*names, *names[:98]]))
    assert ask(fake, lambda client: client.tags("a")).names == ("1",)


def test_more_tags_than_fit_into_memory_prove_nothing_about_the_rest(fake: FakeRegistry) -> None:
    fake.page_size = 2
    fake.push("a", content.image(), *map(str, range(6)))
    for most, complete in ((6, True), (5, False)):
        limits = replace(QUICK, tags=most)
        listing = ask(fake, lambda client: client.tags("a"), limits=limits)
        assert (listing.complete, len(listing.names)) == (complete, 6 if complete else 4)
    assert isinstance(listing.problem, ResponseTooLarge)
    assert "more than 5 tags" in str(listing.problem)


def test_more_repositories_than_fit_into_memory_end_a_catalog(fake: FakeRegistry) -> None:
    fake.page_size = 1
    for number in range(3):
        fake.push(f"r{number}", content.image(), "1")
    assert len(ask(fake, catalog, limits=replace(QUICK, repositories=3))) == 3
    error = failing(fake, catalog, limits=replace(QUICK, repositories=2))
    assert isinstance(error, ResponseTooLarge)
    assert "more than 2 repositories" in str(error)


def test_more_referrers_than_fit_into_memory_are_refused(fake: FakeRegistry) -> None:
    image = content.image()
    fake.push("a", image, "1")
    for name in ("one", "two", "three"):
        fake.push("a", content.artifact(f"application/{name}", subject=image))

    async def referrers(client: RegistryClient) -> int:
        return len(await client.referrers("a", image.digest) or ())

    assert ask(fake, referrers, limits=replace(QUICK, referrers=3)) == 3
    error = failing(fake, referrers, limits=replace(QUICK, referrers=2))
    assert isinstance(error, ResponseTooLarge)


# Listings that break off


def test_a_catalog_leading_to_another_host_is_not_followed(fake: FakeRegistry) -> None:
    fake.misbehave(path_has("_catalog"), lists("repositories", ["a"], FOREIGN))
    error = failing(fake, catalog)
    assert isinstance(error, ForeignLink)
    assert "elsewhere.example" in str(error)


def test_tags_leading_to_another_host_prove_only_what_was_seen(fake: FakeRegistry) -> None:
    fake.misbehave(path_has("tags/list"), lists("tags", ["1"], FOREIGN))
    listing = ask(fake, lambda client: client.tags("a"))
    assert not listing.complete
    assert isinstance(listing.problem, ForeignLink)


@pytest.mark.parametrize(("key", "path"), [("repositories", "_catalog"), ("tags", "tags/list")])
def test_a_link_to_the_same_page_is_noticed(fake: FakeRegistry, key: str, path: str) -> None:
    fake.misbehave(path_has(path), lists(key, ["a"], '<?last=a>; rel="next"'))
    problem = (
        ask(fake, lambda client: client.tags("a")).problem
        if key == "tags"
        else failing(fake, catalog)
    )
    assert isinstance(problem, TooManyPages)
    assert len(fake.requests) <= 3


@pytest.mark.parametrize(("key", "path"), [("repositories", "_catalog"), ("tags", "tags/list")])
def test_an_endless_link_is_noticed(fake: FakeRegistry, key: str, path: str) -> None:
    fake.misbehave(path_has(path), counts_links_for_ever(key, "a"))
    problem = (
        ask(fake, lambda client: client.tags("a")).problem
        if key == "tags"
        else failing(fake, catalog)
    )
    assert isinstance(problem, TooManyPages)
    assert "endless" in str(problem)
    assert len(fake.requests) <= 3


def test_more_pages_than_any_listing_has_are_given_up(fake: FakeRegistry) -> None:
    fake.page_size = 1
    for number in range(60):
        fake.push(f"r{number}", content.image(), "latest")
    error = failing(fake, catalog)
    assert isinstance(error, TooManyPages)
    assert len(fake.requests) == 51


def test_a_repository_vanishing_midway_keeps_what_was_seen_and_proves_nothing(
    fake: FakeRegistry,
) -> None:
    fake.page_size = 2
    fake.push("a", content.image(), "1", "2", "3")
    fake.misbehave(
        lambda request: "last" in request.query and "tags/list" in request.path, answers(404)
    )
    listing = ask(fake, lambda client: client.tags("a"))
    assert listing.names == ("1", "2")
    assert not listing.complete
    assert isinstance(listing.problem, NotFound)


def test_a_failing_first_page_of_tags_is_an_incomplete_listing(fake: FakeRegistry) -> None:
    fake.misbehave(path_has("tags/list"), answers(500))
    listing = ask(fake, lambda client: client.tags("a"))
    assert (listing.names, listing.complete) == ((), False)
    assert isinstance(listing.problem, ServerFailed)


@pytest.mark.parametrize("names", ["abc", {"a": 1}, 7])
def test_a_listing_that_is_no_list_is_invalid(fake: FakeRegistry, names: object) -> None:
    fake.misbehave(path_has("_catalog"), says(json.dumps({"repositories": names})))
    assert isinstance(failing(fake, catalog), InvalidDocument)


def test_a_registry_dying_midway_is_unreachable_from_then_on(fake: FakeRegistry) -> None:
    fake.push("a", content.image(), "v1")
    fake.die_after(3)

    async def until_it_dies(client: RegistryClient) -> list[bool]:
        results = []
        for _ in range(6):
            try:
                results.append(await client.head_manifest("a", "v1") is not None)
            except Unreachable:
                results.append(False)
        return results

    assert ask(fake, until_it_dies) == [True, True, True, False, False, False]


# Connections that do not come about


@pytest.mark.parametrize("after_headers", [True, False])
def test_a_hang_ends_in_a_sentence(fake: FakeRegistry, after_headers: bool) -> None:
    fake.misbehave(always, hangs(after_headers=after_headers))
    for question in (lambda client: client.get_manifest("a", "v1"), catalog):
        error = failing(fake, question, limits=IMPATIENT)
        assert isinstance(error, Unreachable)
        assert "silent" in str(error)


def test_a_refused_connection_says_so(fake: FakeRegistry) -> None:
    error = failing(fake, lambda client: client.ping(), url=f"http://{doors.closed()}")
    assert isinstance(error, Unreachable)
    assert "refuses" in str(error)


def test_an_unknown_name_says_so(fake: FakeRegistry) -> None:
    error = failing(fake, lambda client: client.ping(), url="https://no-such-host.invalid")
    assert isinstance(error, Unreachable)
    assert "no-such-host.invalid is unknown" in str(error)


def test_something_that_takes_the_connection_and_says_nothing_is_given_up(
    fake: FakeRegistry,
) -> None:
    with doors.silent() as silent:
        error = failing(
            fake, lambda client: client.ping(), url=f"http://{silent}", limits=IMPATIENT
        )
    assert isinstance(error, Unreachable)


def test_a_private_address_is_refused_unless_allowed(fake: FakeRegistry) -> None:
    url = fake.url.replace("http://", "https://")
    error = failing(fake, lambda client: client.ping(), url=url, allow_private=False)
    assert isinstance(error, AddressRefused)
    assert "127.0.0.1" in str(error)
    assert fake.requests == []


def test_a_blob_redirected_to_a_metadata_service_is_not_fetched(fake: FakeRegistry) -> None:
    fake.misbehave(path_has("/blobs/"), redirects("http://169.254.169.254/latest/meta-data"))
    error = failing(fake, lambda client: client.get_blob("a", MISSING, 1024))
    assert isinstance(error, AddressRefused)


@pytest.mark.parametrize("host", ["storage.invalid", "two..dots.example", "a" * 70 + ".example"])
def test_a_blob_on_storage_nobody_can_find_names_the_storage(fake: FakeRegistry, host: str) -> None:
    fake.misbehave(path_has("/blobs/"), redirects(f"http://{host}/bucket"))
    error = failing(fake, lambda client: client.get_blob("a", MISSING, 1024))
    assert isinstance(error, Unreachable)
    assert f"The name {host} is unknown" in str(error)


# Certificates


def test_an_expired_certificate_says_so(tmp_path: Path) -> None:
    context, pem = doors.certificate(tmp_path, days=-1)
    with FakeRegistry(tls=context) as fake:
        error = failing(fake, lambda client: client.ping(), ca_certificate=pem)
    assert isinstance(error, TlsFailed)
    assert "expired" in str(error)


def test_a_self_signed_certificate_says_so_until_it_is_trusted(tmp_path: Path) -> None:
    context, pem = doors.certificate(tmp_path, days=30)
    with FakeRegistry(tls=context) as fake:
        error = failing(fake, lambda client: client.ping())
        assert isinstance(error, TlsFailed)
        assert "self-signed" in str(error)
        assert ask(fake, lambda client: client.ping(), ca_certificate=pem).auth == "anonymous"


def test_a_certificate_for_another_name_says_so(tmp_path: Path) -> None:
    context, pem = doors.certificate(tmp_path, days=30)
    with FakeRegistry(tls=context) as fake:
        url = fake.url.replace("127.0.0.1", "localhost")
        error = failing(fake, lambda client: client.ping(), url=url, ca_certificate=pem)
    assert isinstance(error, TlsFailed)
    assert "not for localhost" in str(error)


def test_a_blob_redirected_from_https_to_plain_http_is_not_fetched(tmp_path: Path) -> None:
    context, pem = doors.certificate(tmp_path, days=30)
    with FakeRegistry(tls=context) as fake, FakeRegistry() as storage:
        fake.misbehave(path_has("/blobs/"), redirects(f"{storage.url}/storage/{MISSING}"))
        error = failing(fake, lambda client: client.get_blob("a", MISSING, 9), ca_certificate=pem)
        assert "plain http" in str(error)
        assert storage.requests == []


def test_https_to_a_plain_port_says_so(fake: FakeRegistry) -> None:
    url = fake.url.replace("http://", "https://")
    error = failing(fake, lambda client: client.ping(), url=url)
    assert isinstance(error, TlsFailed)
    assert "does not speak TLS" in str(error)
