"""How a fake registry lets people in: everybody, by password, or by tokens from its own server.

Written from distribution's docs/content/spec/auth/token.md.
"""

import base64
import itertools
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Literal

from aiohttp import web

USERNAME, PASSWORD = "robot", "a-password-nobody-should-read"


@dataclass
class SignIn:
    """The door of a registry.

    `closed` are repositories nobody gets rights to. `realm` replaces the address of the token
    server, `lifetime` is what it says in `expires_in` (None: nothing), `anonymous` whether it
    gives tokens without a password.
    """

    method: Literal["anonymous", "basic", "bearer"] = "anonymous"
    closed: Collection[str] = ()
    realm: str | None = None
    lifetime: int | None = 300
    anonymous: bool = False
    token_requests: list[str] = field(default_factory=list)
    _rights: dict[str, list[str]] = field(default_factory=dict)
    _count: "itertools.count[int]" = field(default_factory=itertools.count)

    def judge(self, request: web.Request, url: str) -> web.Response | None:
        """Return the 401 for a request that may not pass, else None."""
        if self.method == "anonymous":
            return None
        given = request.headers.get("Authorization", "")
        if self.method == "basic":
            return None if given == basic() else challenge('Basic realm="fake"')
        scope = _scope(request)
        rights = self._rights.get(given.removeprefix("Bearer "))
        if rights is not None and (not scope or scope in rights):
            return None
        realm = self.realm or f"{url}/token"
        wanted = f',scope="{scope}"' if scope else ""
        return challenge(f'Bearer realm="{realm}",service="fake"{wanted}')

    async def give_token(self, request: web.Request) -> web.Response:
        """Answer GET on the realm: fewer rights than asked for is still 200."""
        self.token_requests.append(request.path_qs)
        given = request.headers.get("Authorization")
        if given != basic() and not (self.anonymous and given is None):
            return web.json_response({"errors": [{"code": "UNAUTHORIZED"}]}, status=401)
        token = f"token-{next(self._count)}"
        asked = request.query.getall("scope", [])
        self._rights[token] = [it for it in asked if it.split(":")[1] not in self.closed]
        document: dict[str, object] = {"token": token}
        if self.lifetime is not None:
            document["expires_in"] = self.lifetime
        return web.json_response(document)

    def forget_tokens(self) -> None:
        """Withdraw every token given out."""
        self._rights.clear()


def _scope(request: web.Request) -> str:
    if request.path == "/v2/_catalog":
        return "registry:catalog:*"
    name = request.match_info.get("name")
    return f"repository:{name}:pull" if name else ""


def basic() -> str:
    return "Basic " + base64.b64encode(f"{USERNAME}:{PASSWORD}".encode()).decode()


def challenge(header: str) -> web.Response:
    """Return the 401 that asks to sign in this way."""
    return web.json_response(
        {"errors": [{"code": "UNAUTHORIZED", "message": "authentication required"}]},
        status=401,
        headers={"WWW-Authenticate": header},
    )
