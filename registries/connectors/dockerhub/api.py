"""Docker Hub's own API: signing in to it, and its pages.

docs.docker.com, Docker Hub API: "Create access token", "Rate limiting" (its 429 says in
`X-Retry-After` when to come back, as a Unix time).
"""

import re
from collections.abc import AsyncIterator, Mapping
from typing import Any

from registries.connectors.api import Document, VendorApi
from registries.connectors.api_sign_in import FixedSignIn, SignIn, TokenSignIn
from registries.oci import untrusted
from registries.oci.errors import InvalidDocument
from registries.oci.pages import PageGuard
from registries.oci.tokens import seconds_left
from registries.oci.transport import Transport

_PAGE = 100  # the largest Hub gives
_TOKEN_SECONDS = 600.0
_TOKEN = re.compile(r"[\x21-\x7e]{1,16384}")


class HubApi(VendorApi):
    """Requests with the account's name and its password or token, exchanged for one of ten minutes."""

    def __init__(self, transport: Transport, *, label: str) -> None:
        self.sign_in = _sign_in(transport, label)
        super().__init__(transport, self.sign_in, label=label, base="/v2")

    async def pages(
        self, path: str, what: str, query: Mapping[str, str] | None = None
    ) -> AsyncIterator[tuple[Document, list[Any]]]:
        """Yield the pages of a listing with their results, as far as `next` leads."""
        url = self.url(path, {**(query or {}), "page_size": str(_PAGE)})
        guard = PageGuard(self.transport.limits.pages)
        while True:
            page = await self.get(url, what)
            told = untrusted.mapping(page.json)
            results = told.get("results")
            if not isinstance(results, list):
                raise InvalidDocument(f"{self._label} answered {what} without results.")
            guard.admit(url, page.body, holds_names=bool(results))
            yield page, results
            following = self.following(told.get("next"), url)
            if following is None:
                return
            url = following


def _sign_in(transport: Transport, label: str) -> SignIn:
    credentials = transport.connection.credentials
    if credentials is None:
        return FixedSignIn(None)
    api = VendorApi(transport, FixedSignIn(None), label=label, base="/v2", owns_transport=False)
    identifier, secret = credentials

    async def fetch() -> tuple[str, float]:
        body = {"identifier": identifier, "secret": secret}
        # Asking twice gives two tokens, which does no harm.
        answer = await api.send("POST", "/auth/token", "signing in", json=body, repeatable=True)
        token = untrusted.mapping(answer.json).get("access_token")
        if not isinstance(token, str) or _TOKEN.fullmatch(token) is None:
            raise InvalidDocument(f"{label} answered signing in without a token.")
        return token, seconds_left(token) or _TOKEN_SECONDS

    return TokenSignIn(fetch)
