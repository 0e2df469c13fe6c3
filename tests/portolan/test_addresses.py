"""Where a token may go, and what may be typed for it."""

import pytest

from portolan.addresses import path_of, server_address
from portolan.failures import Misused


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("portolan.example.com", "https://portolan.example.com"),
        ("portolan.example.com:8443/", "https://portolan.example.com:8443"),
        ("https://example.com/portolan/", "https://example.com/portolan"),
        ("https://portolan.example.com/api/v1", "https://portolan.example.com"),
        ("localhost:8000", "http://localhost:8000"),
        ("127.0.0.1:8000", "http://127.0.0.1:8000"),
        ("http://[::1]:8000", "http://[::1]:8000"),
        ("portolan.münchen.example", "https://portolan.münchen.example"),
        ("build_7.example.com.", "https://build_7.example.com."),
        ("http://portolan.localhost", "http://portolan.localhost"),
    ],
)
def test_an_address_is_kept_in_one_form(typed: str, kept: str) -> None:
    assert server_address(typed) == kept


@pytest.mark.parametrize(
    "typed",
    [
        "http://portolan.example.com",
        "http://localhost.example.com",
        "http://128.0.0.1",
        "http://10.0.0.7:8000",
    ],
)
def test_a_token_travels_without_tls_on_this_machine_only(typed: str) -> None:
    with pytest.raises(Misused, match="without TLS"):
        server_address(typed)
    assert server_address(typed, insecure_http=True) == typed


@pytest.mark.parametrize(
    "typed",
    ["", "ftp://example.com", "https://", "https://a:b@example.com", "https://x.com?a=b",
     "https://x.com:port", "file:///etc/passwd", "https://x.com#a", "exa mple.com", "https://[::1",
     "https://a..b.com", "https://xn--.invalid", "ü..de", "x" * 64 + ".com", "x.com/\x01", "-x.com"],
)  # fmt: skip
def test_what_is_no_address_is_said_so(typed: str) -> None:
    with pytest.raises(Misused):
        server_address(typed)


def test_a_name_cannot_leave_its_place_in_a_path() -> None:
    assert path_of("registries", "a?b", "x y") == "/registries/a%3Fb/x%20y"
    assert path_of("registries", "prod", "repositories", "team/app") == (
        "/registries/prod/repositories/team/app"
    )
