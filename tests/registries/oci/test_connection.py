import tomllib
from pathlib import Path

import pytest

from registries.oci.connection import Connection, InvalidConnection
from registries.oci.transport import USER_AGENT, Transport
from registries.secret import Secret


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
    ):
        with pytest.raises(InvalidConnection, match="PEM"):
            Transport(Connection("reg.example.com", ca_certificate=text))


def test_the_user_agent_carries_the_version_of_the_project() -> None:
    project = Path(__file__).parents[3] / "pyproject.toml"
    version = tomllib.loads(project.read_text())["project"]["version"]
    assert f"Portolan/{version}" == USER_AGENT
