"""Signing in through a browser: the server's page is opened there, and a code comes back to here.

OAuth for programs on people's machines (RFC 8252) with PKCE (RFC 7636): the code arrives on a port of
this machine that is open for this alone, and only who has the verifier, which stays here, gets a
token for it. The token itself is in no address.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
import socket
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs, urlencode, urlsplit

from portolan.failures import Failure
from portolan.server import Server

PATIENCE_SECONDS = 300.0
# Of a label on the server.
_LONGEST_LABEL = 63
_ARRIVED = """<!doctype html><meta charset="utf-8"><title>Portolan</title>
<p>You are signed in at the command line. You can close this page.</p>"""


class Listener(HTTPServer):
    """A port of this machine that takes one code."""

    def __init__(self, state: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.timeout = 0.5
        self.state = state
        self.code = ""

    def wait(self, seconds: float) -> str:
        """The code; raises Failure when nobody brings it in time."""
        deadline = time.monotonic() + seconds
        while not self.code:
            if time.monotonic() > deadline:
                raise Failure(
                    "Nobody agreed in the browser in time. Run it again when you are there."
                )
            self.handle_request()
        return self.code

    def handle_error(self, *_request: object) -> None:
        """Nothing: any page or program of this machine may bring nonsense, and no traceback of it."""


class _Handler(BaseHTTPRequestHandler):
    server: Listener
    timeout = 5  # a browser may open a connection and say nothing

    def do_GET(self) -> None:
        query = parse_qs(urlsplit(self.path).query)
        (state,), (code,) = query.get("state", [""])[:1], query.get("code", [""])[:1]
        here = self.headers.get("Host") == f"127.0.0.1:{self.server.server_port}"
        if not (
            here and code and secrets.compare_digest(state.encode(), self.server.state.encode())
        ):
            self.send_error(404)
            return
        self.server.code = code
        body = _ARRIVED.encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("Content-Security-Policy", "default-src 'none'")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments: object) -> None:
        """Nothing: the code is in the address."""


def token_from_browser(address: str, *, ca_file: str, opened: Callable[[str, str], None]) -> str:
    """A new token of who agrees in the browser. `opened` is given the page's address and the words
    that it shows, to be compared; it opens the page, or tells somebody to."""
    verifier, state = secrets.token_urlsafe(48), secrets.token_urlsafe(24)
    challenge = _challenge(verifier)
    with Listener(state) as listener:
        asked = {
            "port": listener.server_port,
            "state": state,
            "challenge": challenge,
            "label": f"portolan on {socket.gethostname()}"[:_LONGEST_LABEL],
        }
        opened(f"{address}/access/command/?{urlencode(asked)}", _words(challenge))
        code = listener.wait(PATIENCE_SECONDS)
    with Server(address, ca_file=ca_file, below="") as server:
        made = server.post("/access/command/token", {"code": code, "verifier": verifier})
    return str(made["token"])


def _challenge(verifier: str) -> str:
    """RFC 7636, 4.2: `S256`."""
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def _words(challenge: str) -> str:
    """What the page shows, too."""
    found = hashlib.sha256(challenge.encode()).hexdigest()
    return f"{found[:4]}-{found[4:8]}"
