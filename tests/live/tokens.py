"""Docker's tokens by hand, for what no client does on demand."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from typing import Any

import jwt
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from access.models import SigningKey
from access.tokens.claims import claims
from access.tokens.scope import Allowed
from access.tokens.signing import Signer
from tests.access.tokens import asking
from tests.live import images
from tests.live.docked import Dock


def answer(url: str, authorization: str = "", method: str = "GET") -> tuple[int, dict[str, Any]]:
    """Status and JSON of one request."""
    headers = {"Accept": images.OCI_MANIFEST}
    if authorization:
        headers["Authorization"] = authorization
    request = urllib.request.Request(url, headers=headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=10) as response:
            status, body = response.status, response.read()
    except urllib.error.HTTPError as error:
        status, body = error.code, error.read()
    return status, json.loads(body) if body.startswith(b"{") else {}


def manifest(dock: Dock, repository: str = "team-a/app") -> str:
    """The address of an image that every dock has."""
    return f"http://{dock.host}/v2/{repository}/manifests/1"


def bearer(server: str, dock: Dock, who: asking.Login, *scopes: str) -> str:
    """The header with a token that the running server gives."""
    query = "&".join([f"service={dock.name}", *(f"scope={scope}" for scope in scopes)])
    status, body = answer(f"{server}/auth/token?{query}", asking.basic(*who))
    assert status == 200, body
    return f"Bearer {body['token']}"


def signed(
    key: SigningKey,
    server: str,
    dock: Dock,
    *access: Allowed,
    lifetime: int = 60,
    seconds_ago: int = 0,
) -> str:
    """The header with a token as the server issued it then, with this key."""
    private: Any = load_pem_private_key(key.private_key.reveal().encode(), password=None)
    made = claims(
        issuer=server,
        service=dock.name,
        subject="ci",
        access=access,
        now=int(time.time()) - seconds_ago,
        lifetime=lifetime,
    )
    return f"Bearer {Signer(key.kid, private).sign(made)}"


def kid(bearer: str) -> str:
    """The key that signed the token of such a header."""
    return str(jwt.get_unverified_header(bearer.removeprefix("Bearer "))["kid"])
