"""An issuer of CI systems' tokens: a real server with discovery and keys, which can go wrong.

Claims are written from docs.github.com ("OpenID Connect reference") and docs.gitlab.com ("OpenID
Connect (OIDC) Authentication Using ID Tokens").
"""

from __future__ import annotations

import base64
import hmac
import json
import ssl
import threading
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

AUDIENCE = "https://portolan.example.com"
GITHUB_SUBJECT = "repo:acme/shop:ref:refs/heads/main"
GITLAB_SUBJECT = "project_path:acme/shop:ref_type:branch:ref:main"

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey
# Made once: a key of this size takes a tenth of a second.
RSA_KEYS = [rsa.generate_private_key(public_exponent=65537, key_size=2048) for _ in range(2)]
SHORT_RSA = rsa.generate_private_key(public_exponent=65537, key_size=1024)


@dataclass
class OidcIssuer:
    """`url` is what its tokens have as `iss`. The rest says how its server behaves.

    `calls_itself` replaces the issuer in discovery, `keys_at` the address of its keys; `redirects`
    answers everything with a redirect there, `body` with these bytes, `status` with this one.
    """

    url: str = ""
    calls_itself: str = ""
    keys_at: str = ""
    redirects: str = ""
    body: bytes = b""
    status: int = 200
    delay: float = 0.0
    keys: list[dict[str, Any]] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    _private: PrivateKey = field(default_factory=lambda: RSA_KEYS[0])
    _kid: str = ""
    _algorithm: str = "RS256"

    def __post_init__(self) -> None:
        self.sign_with(self._private)

    def sign_with(self, key: PrivateKey, algorithm: str = "RS256", **parts: object) -> None:
        """Sign with this key from now on, and publish it beside the others; `parts` are what its
        entry in the list of keys says otherwise."""
        self._private, self._algorithm, self._kid = key, algorithm, f"key-{len(self.keys) + 1}"
        self.keys.append(_public(key) | {"kid": self._kid, "alg": algorithm, "use": "sig"} | parts)

    def rotate(self) -> None:
        """A new key, and the old ones are gone."""
        self.keys.clear()
        self.sign_with(RSA_KEYS[1])
        self._kid = self.keys[0]["kid"] = f"key-{uuid.uuid4().hex[:6]}"

    def github(self, **changes: object) -> str:
        """A token as a job of GitHub Actions gets it."""
        return self.sign(github_claims(self.url) | changes)

    def gitlab(self, **changes: object) -> str:
        """A token as `id_tokens` of GitLab CI gives it."""
        return self.sign(gitlab_claims(self.url) | changes)

    def sign(self, claims: Mapping[str, object], **header: object) -> str:
        """A token with these claims (None leaves one out), signed with the key of now."""
        said = {name: value for name, value in claims.items() if value is not None}
        wanted: dict[str, object] = {"kid": self._kid} | header
        headers = {name: value for name, value in wanted.items() if value is not None}
        return jwt.encode(said, self._private, self._algorithm, headers=headers)

    def unsigned(self, **changes: object) -> str:
        """`alg=none`, which RFC 7519 allows."""
        claims = github_claims(self.url) | changes
        return f"{_part({'alg': 'none', 'typ': 'JWT'})}.{_part(claims)}."

    def signed_with_the_public_key(self) -> str:
        """HS256, with the published key as if it were a shared secret: CVE-2015-9235 and others."""
        public = self._private.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        header = {"alg": "HS256", "typ": "JWT", "kid": self._kid}
        body = f"{_part(header)}.{_part(github_claims(self.url))}"
        return f"{body}.{_encoded(hmac.new(public, body.encode(), sha256).digest())}"

    def answer(self, path: str) -> tuple[int, dict[str, str], bytes]:
        """What the server says to GET."""
        self.requests.append(path)
        time.sleep(self.delay)
        if self.redirects:
            return 302, {"Location": self.redirects}, b""
        if self.status != 200 or self.body:
            return self.status, {}, self.body
        if path.endswith("/.well-known/openid-configuration"):
            document = {
                "issuer": self.calls_itself or self.url,
                "jwks_uri": self.keys_at or f"{self.url}/keys",
                "id_token_signing_alg_values_supported": ["RS256"],
            }
            return 200, {}, json.dumps(document).encode()
        if path.endswith("/keys"):
            return 200, {}, json.dumps({"keys": self.keys}).encode()
        return 404, {}, b"{}"


@contextmanager
def serving(context: ssl.SSLContext | None = None) -> Iterator[OidcIssuer]:
    """An issuer that listens on this machine, with TLS if a context is given."""
    issuer = OidcIssuer()

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  http.server's
            """Tests show what failed, not what was asked."""

        def do_GET(self) -> None:
            status, headers, body = issuer.answer(self.path)
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            with suppress(ConnectionError):  # who asked does not wait, or reads no further
                self.end_headers()
                self.wfile.write(body)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if context is not None:
        server.socket = context.wrap_socket(
            server.socket, server_side=True, do_handshake_on_connect=False
        )
    scheme = "http" if context is None else "https"
    issuer.url = f"{scheme}://127.0.0.1:{server.server_address[1]}"
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield issuer
    finally:
        server.shutdown()
        server.server_close()


def github_claims(issuer: str) -> dict[str, object]:
    now = int(time.time())
    return {
        "jti": str(uuid.uuid4()),
        "sub": GITHUB_SUBJECT,
        "aud": AUDIENCE,
        "ref": "refs/heads/main",
        "sha": "0123456789abcdef0123456789abcdef01234567",
        "repository": "acme/shop",
        "repository_owner": "acme",
        "repository_owner_id": "65",
        "run_id": "1234567890",
        "run_number": "10",
        "run_attempt": "1",
        "repository_visibility": "private",
        "repository_id": "74",
        "actor_id": "12",
        "actor": "octocat",
        "workflow": "release",
        "head_ref": "",
        "base_ref": "",
        "event_name": "push",
        "ref_type": "branch",
        "job_workflow_ref": "acme/shop/.github/workflows/release.yml@refs/heads/main",
        "runner_environment": "github-hosted",
        "iss": issuer,
        "nbf": now - 300,
        "exp": now + 300,
        "iat": now,
    }


def gitlab_claims(issuer: str) -> dict[str, object]:
    now = int(time.time())
    return {
        "namespace_id": "72",
        "namespace_path": "acme",
        "project_id": "20",
        "project_path": "acme/shop",
        "user_id": "1",
        "user_login": "sample-user",
        "user_email": "sample-user@example.com",
        "user_access_level": "developer",
        "pipeline_id": "574",
        "pipeline_source": "push",
        "job_id": "302",
        "ref": "main",
        "ref_type": "branch",
        "ref_path": "refs/heads/main",
        "ref_protected": "true",
        "runner_id": 1,
        "runner_environment": "self-hosted",
        "sha": "0123456789abcdef0123456789abcdef01234567",
        "jti": str(uuid.uuid4()),
        "iss": issuer,
        "iat": now,
        "nbf": now - 5,
        "exp": now + 3600,
        "sub": GITLAB_SUBJECT,
        "aud": AUDIENCE,
    }


def _public(key: PrivateKey) -> dict[str, Any]:
    public = key.public_key()
    if isinstance(public, rsa.RSAPublicKey):
        return dict(RSAAlgorithm.to_jwk(public, as_dict=True))
    if isinstance(public, ec.EllipticCurvePublicKey):
        return dict(ECAlgorithm.to_jwk(public, as_dict=True))
    return dict(OKPAlgorithm.to_jwk(public, as_dict=True))


def _part(value: object) -> str:
    return _encoded(json.dumps(value).encode())


def _encoded(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()
