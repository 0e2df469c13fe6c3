"""One request to receivers of all manners, and addresses that are never dialled."""

from __future__ import annotations

import asyncio
import socket
import ssl
import subprocess
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from registries.network import AddressPolicy, AddressRefused
from tests.fakes.receiver import FakeReceiver
from webhooks.outbound.allowed import Allowed
from webhooks.outbound.send import BODY_LIMIT, Outcome, Outgoing, Sender

HERE = Allowed.parse(["127.0.0.0/8"])
NOWHERE = Allowed()


@pytest.fixture(scope="module")
def receiver() -> Iterator[FakeReceiver]:
    with FakeReceiver() as receiver:
        yield receiver


def send(url: str, allowed: Allowed = HERE, *, timeout: float = 5.0) -> Outcome:
    async def once() -> Outcome:
        async with Sender(allowed, timeout=timeout, limit=10) as sender:
            return await sender.send(Outgoing(url, {"X-Custom": "1"}, b"{}"))

    return asyncio.run(once())


# What comes back -----------------------------------------------------------------------------------


def test_an_answer_is_kept_with_its_status_time_and_address(receiver: FakeReceiver) -> None:
    outcome = send(receiver.url("/ok"))
    assert (outcome.status, outcome.error, outcome.body) == (200, "", "said 200")
    assert outcome.address == "127.0.0.1"
    assert 0 < outcome.seconds < 5
    assert outcome.headers["Content-Type"] == "text/plain"
    assert receiver.received[-1].headers["x-custom"] == "1"
    assert receiver.received[-1].headers["user-agent"].startswith("Portolan")


@pytest.mark.parametrize(
    "status", [200, 201, 204, 299, 304, 400, 401, 404, 410, 429, 500, 502, 599]
)
def test_every_status_is_kept(receiver: FakeReceiver, status: int) -> None:
    outcome = send(receiver.url(f"/status/{status}"))
    assert outcome.status == status
    assert outcome.succeeded is (200 <= status < 300)
    assert bool(outcome.error) is not outcome.succeeded


def test_retry_after_is_read(receiver: FakeReceiver) -> None:
    assert send(receiver.url("/status/503?after=7")).retry_after == timedelta(seconds=7)
    assert send(receiver.url("/status/503")).retry_after is None


def test_a_redirect_is_not_followed(receiver: FakeReceiver) -> None:
    before = len(receiver.received)
    outcome = send(receiver.url("/redirect"))
    assert outcome.status == 302
    assert "not followed" in outcome.error
    assert [one.path for one in receiver.received[before:]] == ["/redirect"]


def test_a_gigabyte_is_cut_by_hanging_up(receiver: FakeReceiver) -> None:
    outcome = send(receiver.url("/giant"))
    assert outcome.succeeded
    assert outcome.cut
    assert len(outcome.body) == BODY_LIMIT
    assert receiver.bytes_sent < 50 << 20


def test_who_hangs_is_given_up_in_time_and_his_address_is_known(receiver: FakeReceiver) -> None:
    outcome = send(receiver.url("/hang"), timeout=0.3)
    assert outcome.status is None
    assert "did not answer within" in outcome.error
    assert outcome.address == "127.0.0.1"
    assert outcome.seconds < 2


def test_a_body_that_stalls_does_not_undo_the_status(
    receiver: FakeReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("webhooks.outbound.send.BODY_SECONDS", 0.2)
    outcome = send(receiver.url("/stall"))
    assert (outcome.status, outcome.body, outcome.cut) == (200, "beginning", True)


@pytest.mark.parametrize(
    ("path", "sentence"), [("/close", "closed the connection"), ("/garbage", "not answer in HTTP")]
)
def test_who_does_not_speak_http_is_told_apart(
    receiver: FakeReceiver, path: str, sentence: str
) -> None:
    outcome = send(receiver.url(path))
    assert outcome.status is None
    assert sentence in outcome.error


def test_nobody_listening_and_an_unknown_name_are_told_apart(
    receiver: FakeReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        outcome = send(f"http://127.0.0.1:{closed.getsockname()[1]}/")
    assert "nothing listens" in outcome.error
    assert "is unknown" in send("https://nobody.invalid/").error


def test_an_address_that_cannot_be_read_is_an_error_like_any_other() -> None:
    for url in ("https://xn--a/", "https://[]@", "https://[::1"):
        assert send(url).error == "The address cannot be read."


def test_a_certificate_that_nobody_vouches_for_is_an_error(tmp_path: Path) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
         "-nodes", "-days", "1", "-subj", "/CN=localhost", "-addext",
         "subjectAltName=DNS:localhost", "-keyout", str(key), "-out", str(certificate)],
        check=True, capture_output=True,
    )  # fmt: skip
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate, key)
    with FakeReceiver(tls=tls) as strange:
        outcome = send(strange.url("/ok", host="localhost"))
        assert "certificate" in outcome.error
        assert strange.received == []


# What is never dialled -----------------------------------------------------------------------------

PRIVATE = [
    "127.0.0.1",
    "10.0.0.1",
    "172.16.0.1",
    "192.168.1.1",
    "100.64.0.1",
    "169.254.169.254",
    "169.254.1.1",
    "0.0.0.0",
    "192.0.0.192",
    "224.0.0.1",
    "[::1]",
    "[::]",
    "[fe80::1]",
    "[fd00:ec2::254]",
    "[fc00::1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:169.254.169.254]",
    "[64:ff9b::7f00:1]",
    "[64:ff9b::a9fe:a9fe]",
    "[2002:7f00:1::]",
    # 127.0.0.1 as inet_aton reads it.
    "2130706433",
    "0x7f000001",
    "0x7f.1",
    "0177.0.0.1",
    "017700000001",
    "127.1",
    # Names that lead there.
    "localhost",
    "LOCALHOST.",
    "localhost.localdomain",
    "ip6-localhost",
]


@pytest.mark.parametrize("host", PRIVATE)
def test_no_spelling_leads_into_a_private_network(receiver: FakeReceiver, host: str) -> None:
    before = receiver.connections
    for scheme in ("https", "http"):
        outcome = send(f"{scheme}://{host}:{receiver.port}/ok", NOWHERE)
        assert outcome.status is None
        assert outcome.error
        assert outcome.address == ""
    assert receiver.connections == before


def test_the_refusal_is_clear_and_draws_no_map(receiver: FakeReceiver) -> None:
    outcome = send(f"https://localhost:{receiver.port}/ok", NOWHERE)
    assert outcome.error == (
        "localhost leads to an address that is not of the public internet, and that no operator"
        " opened for webhooks."
    )


def test_a_name_that_changes_between_check_and_connect_is_judged_when_it_is_dialled(
    receiver: FakeReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = iter(["93.184.216.34", "127.0.0.1", "127.0.0.1", "127.0.0.1"])
    real = socket.getaddrinfo

    def rebinding(host: Any, *args: Any, **kwargs: Any) -> Any:
        if host != "rebinding.example.com":
            return real(host, *args, **kwargs)
        address = (next(answers), receiver.port)
        return [(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", address)]

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    before = receiver.connections
    socket.getaddrinfo("rebinding.example.com", 443)  # whoever checks beforehand sees this
    outcome = send(f"https://rebinding.example.com:{receiver.port}/ok", NOWHERE)
    assert "not of the public internet" in outcome.error
    assert receiver.connections == before


# What an operator opens ----------------------------------------------------------------------------


def test_an_operator_opens_networks_and_names(receiver: FakeReceiver) -> None:
    by_network = Allowed.parse(["127.0.0.1"])
    assert send(receiver.url(), by_network).succeeded
    assert send(receiver.url(host="localhost"), by_network).succeeded
    by_name = Allowed.parse(["localhost"])
    assert send(receiver.url(host="localhost"), by_name).succeeded
    assert not send(receiver.url(), by_name).succeeded


def test_plain_http_goes_to_opened_networks_alone() -> None:
    allowed = Allowed.parse(["10.0.0.0/8", "hooks.corp"])
    with pytest.raises(AddressRefused, match="opened"):
        allowed.policy("http", "receiver.example.com").judge("93.184.216.34")
    allowed.policy("http", "receiver.example.com").judge("10.1.2.3")
    allowed.policy("https", "receiver.example.com").judge("93.184.216.34")
    allowed.policy("http", "HOOKS.corp.").judge("192.168.1.1")


@pytest.mark.parametrize("address", ["169.254.169.254", "::ffff:169.254.169.254", "fd00:ec2::254"])
def test_no_operator_opens_a_metadata_service(address: str) -> None:
    wide = Allowed.parse(["0.0.0.0/0", "::/0", "metadata.google.internal"])
    for policy in (
        wide.policy("https", "receiver.example.com"),
        wide.policy("https", "metadata.google.internal"),
        AddressPolicy(networks=wide.networks, only_networks=True),
    ):
        with pytest.raises(AddressRefused, match=r"metadata|never"):
            policy.judge(address)


def test_a_network_written_wrong_is_an_error_and_no_name() -> None:
    for wrong in ("10.0.0.1/8", "10.0.0.0/33", "300.1.1.1"):
        with pytest.raises(ValueError, match=r"10|300"):
            Allowed.parse([wrong])
