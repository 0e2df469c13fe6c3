"""For which hosts docker is told to ask us: those that are hosts, and send docker to our server."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from portolan import served
from tests.portolan.misbehaving import ADDRESS, Saying, page

OURS = f'Bearer realm="{ADDRESS}/auth/token",service="r"'
STRANGE = [
    "r.example.com@evil.example.com",
    "user:secret@r.example.com",
    "r.example.com?",
    "r.example.com#x",
    "r.example.com\\evil",
    "[",
    "a b",
    "a\nb",
    "",
    "-r",
    "[1.2.:::]",
    "[::1]@r",
]


def found(hosts: list[str], challenge: str, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Those that are served, of registries that all answer with this challenge."""

    def challenges(asked: Iterable[str]) -> list[tuple[str, str]]:
        return [(host, served.realm_in(challenge)) for host in asked]

    monkeypatch.setattr(served, "_challenges", challenges)
    rows = [{"host": host} for host in hosts]
    return served.hosts_served(Saying(page(rows)).server())


def test_hosts_are_asked_and_nothing_else_is(monkeypatch: pytest.MonkeyPatch) -> None:
    hosts = ["r.example.com", "localhost:5000", "[::1]:5000", "registry.example.com/team"]
    assert found([*STRANGE, *hosts], OURS, monkeypatch) == [
        *hosts[:3],
        "registry.example.com",
    ]


@pytest.mark.parametrize(
    "challenge",
    [
        "",
        f'Basic realm="{ADDRESS}/auth/token"',
        'Bearer realm="https://evil.example.com/auth/token"',
        f'{OURS},realm="https://evil.example.com/auth/token"',
        f'{OURS}, Bearer realm="https://evil.example.com/auth/token"',
    ],
)
def test_a_registry_that_names_another_token_server_is_left(
    challenge: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert found(["r.example.com"], challenge, monkeypatch) == []
