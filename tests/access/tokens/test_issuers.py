"""Reading an issuer's keys: over real sockets, never where it was not told to, never too often."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import given

from access.tokens import issuers
from access.tokens.assertions import Key
from access.tokens.issuers import Issuer, IssuerFailed, KeyStore, read_keys, require_address
from tests import addresses
from tests.fakes import doors
from tests.fakes.oidc_issuer import OidcIssuer, serving


@pytest.fixture
def issuer() -> Iterator[OidcIssuer]:
    with serving() as running:
        yield running


def private(url: str, ca_certificate: str = "") -> Issuer:
    return Issuer(url, allow_private=True, ca_certificate=ca_certificate)


def why_failed(issuer: Issuer) -> str:
    with pytest.raises(IssuerFailed) as caught:
        read_keys(issuer)
    return str(caught.value)


def test_keys_are_found_through_discovery(issuer: OidcIssuer) -> None:
    assert list(read_keys(private(issuer.url))) == issuer.keys
    assert issuer.requests == ["/.well-known/openid-configuration", "/keys"]


def test_an_own_authority_is_believed_for_its_rule_only(tmp_path: Path) -> None:
    context, pem = doors.certificate(tmp_path, days=5)
    with serving(context) as issuer:
        assert list(read_keys(private(issuer.url, pem))) == issuer.keys
        assert "certificate is not trusted" in why_failed(private(issuer.url))


def test_a_private_address_is_dialled_only_where_the_rule_says_so(
    tmp_path: Path, issuer: OidcIssuer
) -> None:
    context, pem = doors.certificate(tmp_path, days=5)
    with serving(context) as secured:
        assert "private network" in why_failed(Issuer(secured.url, ca_certificate=pem))
        assert secured.requests == []
    assert "where its keys are" in why_failed(Issuer(issuer.url))  # and plain http never
    assert issuer.requests == []


def test_no_rule_opens_a_metadata_service(issuer: OidcIssuer) -> None:
    issuer.keys_at = "http://169.254.169.254/latest"
    assert "metadata" in why_failed(private(issuer.url))


def test_an_issuer_that_calls_itself_otherwise_is_not_read(issuer: OidcIssuer) -> None:
    for name in ("https://evil.example.com", f"{issuer.url}/", issuer.url.upper()):
        issuer.calls_itself = name
        assert "another name" in why_failed(private(issuer.url))
    assert "/keys" not in issuer.requests


def test_no_redirect_is_followed(issuer: OidcIssuer) -> None:
    with serving() as elsewhere:
        issuer.redirects = f"{elsewhere.url}/.well-known/openid-configuration"
        assert "status 302" in why_failed(private(issuer.url))
        assert elsewhere.requests == []


@pytest.mark.parametrize("where", ["file:///etc/passwd", "ftp://127.0.0.1/keys", "", "keys"])
def test_keys_are_read_from_the_web_only(issuer: OidcIssuer, where: str) -> None:
    issuer.keys_at = where or "x"
    assert "where its keys are" in why_failed(private(issuer.url))


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b" " * (issuers.LONGEST_BODY + 1), "too large"),
        (b"<html>", "no JSON object"),
        (b"[]", "no JSON object"),
        (b'{"issuer": 5}', "another name"),
        (b"[" * 100_000, "no JSON object"),
    ],
)
def test_answers_that_are_none_are_told_apart(issuer: OidcIssuer, body: bytes, said: str) -> None:
    issuer.body = body
    assert said in why_failed(private(issuer.url))


def test_a_failing_issuer_is_told_by_its_status(issuer: OidcIssuer) -> None:
    issuer.status = 500
    assert "status 500" in why_failed(private(issuer.url))


def test_a_slow_issuer_is_not_waited_for(
    issuer: OidcIssuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    issuer.delay = 2
    monkeypatch.setattr(issuers, "TOTAL_SECONDS", 0.1)
    assert "in time" in why_failed(private(issuer.url))


def test_nobody_listening_is_a_failure_with_a_reason() -> None:
    assert "no connection" in why_failed(private(f"http://{doors.closed()}"))


@pytest.mark.parametrize(
    "address",
    [
        "gitlab.example.com",
        "ftp://gitlab.example.com",
        "https://",
        "https://user:word@gitlab.example.com",
        "https://gitlab.example.com/?a=b",
        "https://gitlab.example.com/#a",
        "http://gitlab.example.com",
        "https://gitlab.example.com:0",
        "javascript:alert(1)",
        "https://[::1",
        "https://[]@",
    ],
)
def test_what_cannot_be_an_issuer_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match="issuer"):
        require_address(address, allow_private=False)


@given(addresses.nearly)
def test_whatever_text_comes_it_is_an_issuer_or_refused_with_a_sentence(text: str) -> None:
    def refusal() -> str:
        try:
            require_address(text, allow_private=True)
        except ValueError as error:
            return str(error)
        return "An issuer"

    assert refusal().startswith("An issuer")


# Remembering -------------------------------------------------------------------------------------


class Counted:
    """An issuer's keys, a clock that is moved by hand, and how often they were read."""

    def __init__(self) -> None:
        self.now = 0.0
        self.reads = 0
        self.names = ["one"]
        self.failure = ""
        self.store = KeyStore(self.read, lambda: self.now)

    def read(self, _issuer: Issuer) -> Sequence[Key]:
        self.reads += 1
        if self.failure:
            raise IssuerFailed(self.failure)
        return [{"kid": name} for name in self.names]

    def ask(self, key_id: str, issuer: str = "https://ci.example.com") -> list[str]:
        return [str(key["kid"]) for key in self.store.keys(Issuer(issuer), key_id)]


def test_keys_are_read_once_while_they_are_fresh() -> None:
    counted = Counted()
    for _ in range(5):
        assert counted.ask("one") == ["one"]
    assert counted.reads == 1
    counted.now = issuers.FRESH_SECONDS + 1
    counted.ask("one")
    assert counted.reads == 2


def test_an_unknown_key_is_looked_for_once_a_minute() -> None:
    counted = Counted()
    counted.ask("one")
    counted.names = ["one", "two"]
    counted.now = issuers.AGAIN_SECONDS - 1
    assert counted.ask("two") == ["one"]
    counted.now = issuers.AGAIN_SECONDS + 1
    assert counted.ask("two") == ["one", "two"]
    for made_up in range(50):
        counted.ask(f"made up {made_up}")
    assert counted.reads == 2


def test_a_failure_stands_for_a_moment_and_is_no_stampede() -> None:
    counted = Counted()
    counted.failure = "down"
    for _ in range(5):
        with pytest.raises(IssuerFailed, match="down"):
            counted.ask("one")
    assert counted.reads == 1
    counted.now, counted.failure = issuers.FAILED_SECONDS + 1, ""
    assert counted.ask("one") == ["one"]


def test_fresh_keys_hold_while_the_issuer_is_down() -> None:
    counted = Counted()
    counted.ask("one")
    counted.failure, counted.now = "down", issuers.AGAIN_SECONDS + 1
    assert counted.ask("two") == ["one"]
    assert counted.ask("one") == ["one"]
    counted.now = issuers.FRESH_SECONDS + issuers.AGAIN_SECONDS
    with pytest.raises(IssuerFailed):
        counted.ask("one")  # withdrawn keys must not hold for ever


def test_what_one_rule_trusts_is_not_trusted_for_another() -> None:
    counted = Counted()
    counted.store.keys(Issuer("https://ci.example.com"), "one")
    counted.store.keys(Issuer("https://ci.example.com", allow_private=True), "one")
    counted.store.keys(Issuer("https://ci.example.com", ca_certificate="PEM"), "one")
    assert counted.reads == 3


def test_of_many_issuers_the_longest_unused_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(issuers, "REMEMBERED", 2)
    counted = Counted()
    for name in ("a", "b", "a", "c", "a"):
        counted.ask("one", f"https://{name}.example.com")
    assert counted.reads == 3
    counted.ask("one", "https://b.example.com")
    assert counted.reads == 4
