"""What is zot's own."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

import pytest

from registries.connectors import Connector
from registries.connectors.zot import ZotConnector
from registries.oci.client import Ping
from registries.oci.connection import Connection
from registries.oci.errors import Unsupported
from tests.fakes import content
from tests.fakes.sign_in import PASSWORD, USERNAME
from tests.fakes.zot import FakeZot
from tests.registries.connectors import running
from tests.registries.oci.asking import connection

T = TypeVar("T")


def use(fake: FakeZot, what: Callable[[Connector], Awaitable[T]]) -> T:
    dialled = connection(fake, username=USERNAME, password=PASSWORD)
    return running.use("zot", dialled, what)


@pytest.mark.parametrize(
    ("auth", "realm", "is_zot"),
    [
        ("basic", "Authorization Required", True),
        ("basic", "zot", True),
        ("basic", "Registry Realm", False),
        ("bearer", "zot", False),
        ("anonymous", "", False),
    ],
)
def test_it_is_known_by_its_words_at_the_door(auth: str, realm: str, is_zot: bool) -> None:
    assert ZotConnector.recognises("r.example.com", Ping(None, auth, None, realm)) is is_zot


def test_a_platform_of_an_index_is_not_deleted_and_why_is_said() -> None:
    with FakeZot() as fake:
        image = content.image("app")
        fake.push_index("team-a/app", [(image, "linux", "amd64")], "v1")
        with pytest.raises(Unsupported) as caught:
            use(fake, lambda connector: connector.delete_manifest("team-a/app", image.digest))
        assert "index" in caught.value.advice
        assert image.digest in fake.repositories["team-a/app"].manifests


def test_its_web_pages_are_of_repositories_and_tags() -> None:
    at = Connection("https://zot.example.com")
    page = ZotConnector.web_page
    assert page(at, "team-a/app") == "https://zot.example.com/image/team-a%2Fapp"
    assert page(at, "team-a/app", "v1") == "https://zot.example.com/image/team-a%2Fapp/tag/v1"
    assert page(at, "team-a/app", digest="sha256:" + "0" * 64) is None
