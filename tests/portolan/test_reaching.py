"""Why a server cannot be reached, said for people."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator

import httpx
import pytest

from portolan.failures import Unreachable
from portolan.reaching import why_not
from portolan.server import Server


@pytest.fixture
def no_tls() -> Iterator[str]:
    """A port that answers whoever comes with HTTP as it was before TLS."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def answer() -> None:
            for _attempt in range(2):
                peer, _address = listening.accept()
                with peer:
                    peer.recv(1024)
                    peer.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        answering = threading.Thread(target=answer, daemon=True)
        answering.start()
        yield f"127.0.0.1:{listening.getsockname()[1]}"


def reason(address: str) -> str:
    with pytest.raises(Unreachable) as failure, Server(address, sleep=lambda _seconds: None) as one:
        one.get("/")
    return failure.value.sentence.partition(" cannot be reached: ")[2]


def test_where_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    assert reason(f"http://127.0.0.1:{port}") == "nobody listens there."


def test_where_there_is_no_tls(no_tls: str) -> None:
    assert "may begin with http://" in reason(f"https://{no_tls}")


def caused(cause: BaseException) -> httpx.HTTPError:
    """As httpx tells it: the system's words, and the error itself behind two others."""
    outer, inner = httpx.ConnectError(str(cause)), RuntimeError(str(cause))
    outer.__cause__, inner.__cause__ = inner, cause
    return outer


def test_what_the_system_says_is_said_in_words() -> None:
    untrusted = ssl.SSLCertVerificationError(1, "certificate verify failed")
    untrusted.verify_message = "self-signed certificate"
    assert "no host of this name" in why_not(caused(socket.gaierror(-2, "Name or service")))
    assert "self-signed certificate" in why_not(caused(untrusted))
    assert "--ca-file" in why_not(caused(untrusted))
    assert "broke the connection off" in why_not(caused(ConnectionResetError(104, "reset")))
    assert why_not(caused(OSError(113, "No route to host"))) == "No route to host"
    assert "in time" in why_not(httpx.ConnectTimeout("timed out"))
    assert why_not(httpx.ConnectError("Errno 7")) == "the connection failed (ConnectError)"
