"""What may stand in a webhook's address and headers."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError
from hypothesis import given
from hypothesis import strategies as st

from registries.oci.addresses import read_url
from tests import addresses
from webhooks.targets import (
    HEADERS_LIMIT,
    URL_LIMIT,
    Target,
    checked_headers,
    parse_headers,
    parse_target,
)


@pytest.mark.parametrize(
    ("text", "origin", "host"),
    [
        ("https://ci.example.com/hook?key=1", "https://ci.example.com", "ci.example.com"),
        (" https://CI.example.com:8443/ ", "https://ci.example.com:8443", "ci.example.com:8443"),
        ("https://192.0.2.1/x", "https://192.0.2.1", "192.0.2.1"),
        ("https://[2001:db8::1]:444/x", "https://[2001:db8::1]:444", "[2001:db8::1]:444"),
        ("https://build_host/", "https://build_host", "build_host"),
    ],
)
def test_an_address_is_known_by_its_host(text: str, origin: str, host: str) -> None:
    assert parse_target(text, allow_http=False) == Target(text.strip(), origin, host)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ci.example.com/hook",
        "ftp://ci.example.com/",
        "file:///etc/passwd",
        "https://",
        "https:///hook",
        "https://user:word@ci.example.com/",
        "https://@ci.example.com/",
        "https://ci.example.com/#part",
        "https://ci.example.com/#",
        "https://ci.example.com:0/",
        "https://ci.example.com:99999/",
        "https://ci.example.com\\@evil.example/",
        "https://ci.exa\tmple.com/",
        "https://ci.example.com/\nHost: x",
        "https://ci.example.com/a b",
        "https://münchen.example/",
        "https://[fe80::1%25eth0]/",
        "https://[::1/",
        "https://xn--a/",
        "https://xn--/hook",
        "https://ci..example.com/",
        "https://-ci.example.com/",
        "https://ci.example.com/" + "a" * URL_LIMIT,
    ],
)
def test_what_is_no_such_address_is_refused_without_being_repeated(text: str) -> None:
    with pytest.raises(ValidationError) as refused:
        parse_target(text, allow_http=True)
    assert len(refused.value.messages) == 1
    assert len(text) < 9 or text not in refused.value.messages[0]


def test_plain_http_takes_networks_that_the_operator_opened() -> None:
    with pytest.raises(ValidationError, match="Plain http"):
        parse_target("http://jenkins/hook", allow_http=False)
    assert parse_target("http://jenkins/hook", allow_http=True).origin == "http://jenkins"


def test_headers_are_written_one_a_line() -> None:
    text = "Authorization: Bearer a:b\r\n\r\n X-Team :  shop  \n"
    assert parse_headers(text) == {"Authorization": "Bearer a:b", "X-Team": "shop"}


@pytest.mark.parametrize(
    "text",
    [
        "Host: evil.example",
        "content-type: text/plain",
        "Content-Length: 3",
        "Webhook-Signature: v1,x",
        "ce-id: 1",
        "Connection: close",
        "Transfer-Encoding: chunked",
        "User-Agent: curl",
        "X-A: b\nx-a: c",
        "X A: b",
        "X-Ä: b",
        ": b",
        "X-A:",
        "X-A: ü",
        "X-A: a\x00b",
        "X-A: " + "b" * 3000,
        "X" * 65 + ": b",
        "\n".join(f"X-{n}: b" for n in range(HEADERS_LIMIT + 1)),
        "\n".join(f"X-{n}: {'b' * 2000}" for n in range(5)),
    ],
)
def test_headers_that_must_not_or_cannot_be_sent_are_refused(text: str) -> None:
    with pytest.raises(ValidationError):
        parse_headers(text)


def test_a_line_without_a_name_is_not_repeated() -> None:
    with pytest.raises(ValidationError) as refused:
        parse_headers("X-A: b\ns3cret-token")
    assert refused.value.messages == ["Line 2 is no header: write Name: value."]


@given(st.text(max_size=200) | addresses.nearly)
def test_whatever_passes_as_an_address_stays_one_line_of_visible_characters(text: str) -> None:
    for candidate in (text, f"https://{text}", f"https://ci.example.com/{text}"):
        try:
            target = parse_target(candidate, allow_http=True)
        except ValidationError:
            continue
        assert target.url.isascii()
        assert target.url.isprintable()
        assert " " not in target.url
        assert "@" not in target.origin
        assert read_url(target.url, encoded=True).host  # or it could not be sent to
        assert target.url.lower().startswith(("https://", "http://"))


@given(st.dictionaries(st.text(max_size=20), st.text(max_size=40), max_size=4))
def test_whatever_passes_as_headers_cannot_begin_a_line_of_its_own(given: dict[str, str]) -> None:
    try:
        headers = checked_headers(given)
    except ValidationError:
        return
    for name, value in headers.items():
        assert not set("\r\n\x00") & set(name + value)
        assert ":" not in name
