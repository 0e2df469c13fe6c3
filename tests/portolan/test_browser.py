"""The port that a code comes back to, and who else comes there."""

from __future__ import annotations

import socket
from contextlib import ExitStack

import pytest

from portolan.browser import Listener

NONSENSE = [
    "GET http://[ HTTP/1.1",
    "GET /?state=s&code=c HTTP/1.1\r\nHost: evil.example.com",
    "\xff",
    "",
]


def test_nonsense_at_the_port_is_no_code_and_prints_nothing(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with ExitStack() as closing:
        listener = closing.enter_context(Listener("s"))
        here = ("127.0.0.1", listener.server_port)
        for head in NONSENSE:
            visitor = closing.enter_context(socket.create_connection(here))
            visitor.sendall(f"{head}\r\n\r\n".encode())
            listener.handle_request()
            assert listener.code == ""
        browser = closing.enter_context(socket.create_connection(here))
        asked = f"GET /?state=s&code=c HTTP/1.1\r\nHost: 127.0.0.1:{here[1]}\r\n\r\n"
        browser.sendall(asked.encode())
        assert listener.wait(5) == "c"
    assert capsys.readouterr() == ("", "")
