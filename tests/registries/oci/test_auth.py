"""Signing in: what is sent, to whom, and how often."""

import asyncio
import logging
from pathlib import Path

import pytest

from registries.oci.auth import same_domain
from registries.oci.client import RegistryClient
from registries.oci.errors import AccessDenied, AuthenticationFailed, ForeignRealm, RegistryError
from tests.fakes import content, doors
from tests.fakes.misbehaviour import hesitates, path_has
from tests.fakes.registry import FakeRegistry
from tests.fakes.sign_in import PASSWORD, USERNAME, SignIn
from tests.registries.oci.asking import ask, catalog, connection

ROBOT = {"username": USERNAME, "password": PASSWORD}


async def head(client: RegistryClient) -> object:
    return await client.head_manifest("a", "v1")


@pytest.fixture
def guarded(fake: FakeRegistry) -> FakeRegistry:
    fake.sign_in.method = "bearer"
    fake.push("a", content.image(), "v1")
    fake.push("b", content.image(), "v1")
    return fake


def test_basic_is_sent_once_asked_for_and_then_at_once(fake: FakeRegistry) -> None:
    fake.sign_in.method = "basic"
    fake.push("a", content.image(), "v1")

    async def twice(client: RegistryClient) -> None:
        assert await client.head_manifest("a", "v1")
        assert await client.head_manifest("a", "v1")

    ask(fake, twice, **ROBOT)
    assert [bool(it.authorization) for it in fake.requests] == [False, True, True]


@pytest.mark.parametrize("method", ["basic", "bearer"])
def test_a_wrong_password_is_an_authentication_failure(guarded: FakeRegistry, method: str) -> None:
    guarded.sign_in.method = method  # type: ignore[assignment]
    for question in (head, lambda client: client.ping()):
        with pytest.raises(AuthenticationFailed, match="does not accept") as caught:
            ask(guarded, question, username=USERNAME, password="wrong")
        assert "wrong" not in f"{caught.value} {caught.value!r} {caught.value.advice}"


@pytest.mark.parametrize("method", ["basic", "bearer"])
def test_no_password_where_one_is_wanted_asks_for_it(guarded: FakeRegistry, method: str) -> None:
    guarded.sign_in.method = method  # type: ignore[assignment]
    with pytest.raises(AuthenticationFailed) as caught:
        ask(guarded, head)
    assert "Give a user name" in caught.value.advice


def test_a_token_is_fetched_for_the_scope_and_used_again(guarded: FakeRegistry) -> None:
    async def three(client: RegistryClient) -> None:
        for _ in range(3):
            assert await client.head_manifest("a", "v1")

    ask(guarded, three, **ROBOT)
    assert guarded.sign_in.token_requests == [
        "/token?service=fake&account=robot&scope=repository:a:pull"
    ]


def test_the_second_scope_gets_its_token_without_being_sent_back(guarded: FakeRegistry) -> None:
    async def both(client: RegistryClient) -> None:
        assert await client.head_manifest("a", "v1")
        assert await client.head_manifest("b", "v1")

    ask(guarded, both, **ROBOT)
    assert [it.method for it in guarded.requests] == ["HEAD", "GET", "HEAD", "GET", "HEAD"]


def test_the_catalog_has_a_scope_of_its_own(guarded: FakeRegistry) -> None:
    assert ask(guarded, catalog, **ROBOT) == ["a", "b"]
    assert "scope=registry:catalog:*" in guarded.sign_in.token_requests[0]


def test_many_waiting_for_one_scope_ask_the_token_server_once(guarded: FakeRegistry) -> None:
    async def many(client: RegistryClient) -> None:
        assert all(await asyncio.gather(*(client.head_manifest("a", "v1") for _ in range(40))))

    ask(guarded, many, **ROBOT)
    assert len(guarded.sign_in.token_requests) == 1


def test_one_waiting_may_give_up_without_taking_the_token_from_the_others(
    guarded: FakeRegistry,
) -> None:
    guarded.misbehave(path_has("/token"), hesitates(0.2))

    async def one_gives_up(client: RegistryClient) -> bool:
        impatient = asyncio.create_task(client.head_manifest("a", "v1"))
        patient = asyncio.create_task(client.head_manifest("a", "v1"))
        await asyncio.to_thread(guarded.wait_until_seen, "/token")
        impatient.cancel()
        return await patient is not None

    assert ask(guarded, one_gives_up, **ROBOT)


@pytest.mark.parametrize(("lifetime", "tokens"), [(300, 1), (None, 1), (0.001, 2)])
def test_a_token_is_used_as_long_as_it_lives(
    guarded: FakeRegistry, lifetime: float | None, tokens: int
) -> None:
    guarded.sign_in.lifetime = lifetime  # type: ignore[assignment]

    async def twice(client: RegistryClient) -> None:
        await client.head_manifest("a", "v1")
        await asyncio.sleep(0.002)
        await client.head_manifest("a", "v1")

    ask(guarded, twice, **ROBOT)
    assert len(guarded.sign_in.token_requests) == tokens


def test_a_withdrawn_token_is_replaced(guarded: FakeRegistry) -> None:
    async def withdrawn_between(client: RegistryClient) -> object:
        await client.head_manifest("a", "v1")
        guarded.sign_in.forget_tokens()
        return await client.head_manifest("a", "v1")

    assert ask(guarded, withdrawn_between, **ROBOT)
    assert len(guarded.sign_in.token_requests) == 2


def test_a_repository_without_rights_is_denied_after_one_token(guarded: FakeRegistry) -> None:
    guarded.sign_in.closed = {"a"}
    with pytest.raises(AccessDenied):
        ask(guarded, head, **ROBOT)
    assert len(guarded.sign_in.token_requests) == 1


def test_an_anonymous_token_is_enough_for_a_public_registry(guarded: FakeRegistry) -> None:
    guarded.sign_in.anonymous = True
    assert ask(guarded, head)
    assert all(it.authorization is None for it in guarded.requests if it.path.startswith("/token"))


def test_a_password_never_goes_to_a_foreign_token_server(guarded: FakeRegistry) -> None:
    with FakeRegistry() as elsewhere:
        guarded.sign_in.realm = elsewhere.url.replace("127.0.0.1", "localhost") + "/token"
        with pytest.raises(ForeignRealm, match="localhost"):
            ask(guarded, head, **ROBOT)
        assert elsewhere.requests == []


def test_a_trusted_realm_may_have_the_password(guarded: FakeRegistry) -> None:
    guarded.sign_in.realm = guarded.url.replace("127.0.0.1", "localhost") + "/token"
    assert ask(guarded, head, trusted_realms=["localhost"], **ROBOT)


def test_a_password_is_not_sent_without_tls_for_a_registry_with_it(tmp_path: Path) -> None:
    context, pem = doors.certificate(tmp_path, days=30)
    with FakeRegistry(tls=context, sign_in=SignIn("bearer")) as fake:
        fake.sign_in.realm = fake.url.replace("https:", "http:") + "/token"
        with pytest.raises(ForeignRealm, match="without TLS"):
            ask(fake, head, ca_certificate=pem, **ROBOT)
        assert fake.seen(part="/token") == []


@pytest.mark.parametrize(
    "realm", ["file:///etc/passwd", "ftp://127.0.0.1/", "/token", "", "http://u:p@127.0.0.1/t"]
)
def test_a_realm_that_is_no_address_is_refused(guarded: FakeRegistry, realm: str) -> None:
    guarded.sign_in.realm = realm or " "
    with pytest.raises(RegistryError, match="no usable token server"):
        ask(guarded, head, **ROBOT)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("auth.docker.io", "registry-1.docker.io", True),
        ("gitlab.com", "registry.gitlab.com", True),
        ("reg.example.com", "REG.example.com.", True),
        ("evil.example", "registry.example.com", False),
        ("evilexample.com", "example.com", False),
        ("evil.co.uk", "registry.company.co.uk", False),
        ("auth.company.co.uk", "registry.company.co.uk", True),
        ("1.2.3.4", "9.9.3.4", False),
        ("1.2.3.4", "1.2.3.4", True),
        ("::1", "::2", False),
        ("registry", "auth", False),
    ],
)
def test_a_domain_is_the_registered_one(one: str, other: str, same: bool) -> None:
    assert same_domain(one, other) is same
    assert same_domain(other, one) is same


def test_no_secret_is_logged_or_shown(
    guarded: FakeRegistry, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    guarded.sign_in.closed = {"a"}
    with pytest.raises(AccessDenied) as caught:
        ask(guarded, head, **ROBOT)
    shown = f"{caught.value!r} {connection(guarded, **ROBOT)!r} {caplog.text}"
    assert PASSWORD not in shown
    assert "token-0" not in shown
