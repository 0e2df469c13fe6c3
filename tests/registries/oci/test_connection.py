import ssl
import tomllib
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from registries.connectors.api import split_address
from registries.oci.addresses import read_url
from registries.oci.connection import Connection, InvalidConnection, parse_url
from registries.oci.tls import trust
from registries.oci.transport import USER_AGENT, Transport
from registries.secret import Secret
from tests import addresses


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ("https://reg.example.com", "https://reg.example.com"),
        ("reg.example.com", "https://reg.example.com"),
        ("reg.example.com:5000", "https://reg.example.com:5000"),
        (" https://reg.example.com/v2/ ", "https://reg.example.com"),
        ("https://REG.example.com/", "https://reg.example.com"),
    ],
)
def test_the_address_is_the_registrys_origin(given: str, url: str) -> None:
    assert Connection(given).url == url


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("", "not an address"),
        ("https://", "not an address"),
        ("https://a:99999", "not an address"),
        ("ftp://reg.example.com", "begins with https"),
        ("https://user:pw@reg.example.com", "Leave user name and password out"),
        ("https://reg.example.com/harbor/projects", "without a path"),
        ("https://reg.example.com?x=1", "without a path"),
        ("http://reg.example.com", "Plain http"),
    ],
)
def test_an_address_that_cannot_work_is_refused_with_a_sentence(url: str, sentence: str) -> None:
    with pytest.raises(InvalidConnection, match=sentence) as caught:
        Connection(url)
    assert "pw" not in str(caught.value)


@given(text=addresses.nearly, encoded=st.booleans())
@example(text="https://[]@", encoded=True)
def test_whatever_text_comes_it_is_a_url_or_a_value_error(text: str, encoded: bool) -> None:
    with suppress(ValueError):
        url = read_url(text, encoded=encoded)
        # Nothing is left to fail later.
        assert isinstance(url.host, str | None)
        assert isinstance(url.explicit_port, int | None)


@given(addresses.nearly)
@example("https://[]@")
def test_whatever_text_comes_it_is_an_address_or_refused_with_a_sentence(text: str) -> None:
    for parse in (lambda: parse_url(text, allow_private=True), lambda: split_address(text)):
        with suppress(InvalidConnection):
            assert parse()


def test_plain_http_needs_private_addresses_allowed() -> None:
    assert Connection("http://10.0.0.1:5000", allow_private=True).is_plain


def test_a_password_shows_itself_only_when_asked_for() -> None:
    connection = Connection("reg.example.com", username="robot", password="hush")
    assert connection.credentials == ("robot", "hush")
    assert "hush" not in f"{connection!r} {connection.password!r} {connection.password}"
    assert connection == Connection("reg.example.com", username="robot", password=Secret("hush"))


def test_half_a_pair_of_credentials_is_none() -> None:
    assert Connection("reg.example.com", username="robot").credentials is None
    assert Connection("reg.example.com", username="", password="").credentials is None


def test_a_ca_certificate_that_is_none_is_refused() -> None:
    for text in (
        "",
        "not a certificate",
        "-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----",
        "# Főtanúsítvány\n-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----",
    ):
        with pytest.raises(InvalidConnection, match="PEM"):
            Transport(Connection("reg.example.com", ca_certificate=text))


@given(st.text(max_size=60) | st.text(max_size=20).map("-----BEGIN CERTIFICATE-----\n{}".format))
def test_whatever_text_comes_it_is_no_certificate_and_no_accident(text: str) -> None:
    with pytest.raises(InvalidConnection, match="PEM"):
        trust(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), text)


def test_the_user_agent_carries_the_version_of_the_project() -> None:
    project = Path(__file__).parents[3] / "pyproject.toml"
    version = tomllib.loads(project.read_text())["project"]["version"]
    assert f"Portolan/{version}" == USER_AGENT
