"""Addresses one may knock at by mistake, each a real socket on this machine."""

from __future__ import annotations

import base64
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import IPv4Address
from pathlib import Path
from typing import ClassVar

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

USER, PASSWORD = "robot", "a-password-nobody-should-read"


class _Handler(BaseHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  http.server's name
        """Tests show what failed, not what was asked."""

    def answer(self, status: int, body: bytes, kind: str, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class WebPage(_Handler):
    def do_GET(self) -> None:
        self.answer(200, b"<!doctype html><title>Welcome</title>", "text/html")


class LongWebPage(_Handler):
    def do_GET(self) -> None:
        self.answer(200, b"<!doctype html>" + b" " * 300_000, "text/html")


class Redirecting(_Handler):
    """Sends to `target`, as it is written; `asked` are the paths that were asked for."""

    target: ClassVar[str]
    asked: ClassVar[list[str]]

    def do_GET(self) -> None:
        self.asked.append(self.path)
        self.answer(307, b"", "text/plain", Location=self.target)


class SmallRegistry(_Handler):
    """A registry with one repository, open to one user (Basic)."""

    def do_GET(self) -> None:
        wanted = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        if self.headers.get("Authorization") != f"Basic {wanted}":
            body = b'{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}'
            self.answer(401, body, "application/json", WWW_Authenticate='Basic realm="small"')
        elif self.path.partition("?")[0] == "/v2/_catalog":
            self.answer(200, b'{"repositories":["team-a/api"]}', "application/json")
        else:
            self.answer(200, b"{}", "application/json")


class OpenRegistry(SmallRegistry):
    """The same for everybody, without a catalog."""

    def do_GET(self) -> None:
        if self.path.startswith("/v2/_catalog"):
            self.answer(404, b"", "text/plain")
        else:
            self.answer(200, b"{}", "application/json")


@contextmanager
def served(handler: type[_Handler], context: ssl.SSLContext | None = None) -> Iterator[str]:
    """The address (host:port) at which `handler` answers."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    if context is not None:
        server.socket = context.wrap_socket(
            server.socket, server_side=True, do_handshake_on_connect=False
        )
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def silent() -> Iterator[str]:
    """An address that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"127.0.0.1:{listening.getsockname()[1]}"


def closed() -> str:
    """An address where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return f"127.0.0.1:{listening.getsockname()[1]}"


def certificate(directory: Path, *, days: int) -> tuple[ssl.SSLContext, str]:
    """A server's context and the PEM to trust it by; valid until `days` from now."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    until = datetime.now(UTC) + timedelta(days=days)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(until - timedelta(days=90))
        .not_valid_after(until)
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = signed.public_bytes(serialization.Encoding.PEM)
    secret = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    file = directory / "server.pem"
    file.write_bytes(pem + secret)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context, pem.decode()
