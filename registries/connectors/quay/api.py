"""Quay's API: signed in with an OAuth token, on the registry's own host.

quay/quay: endpoints/api/__init__.py (`page_support`), repository.py, tag.py, user.py.
"""

import re
from collections.abc import AsyncIterator
from typing import Any

from registries.connectors.api import VendorApi
from registries.connectors.api_sign_in import FixedSignIn
from registries.connectors.overlapping import overlapping_pages
from registries.oci import untrusted
from registries.oci.connection import InvalidConnection
from registries.oci.errors import InvalidDocument
from registries.oci.pages import PageGuard
from registries.oci.transport import Transport

_PAGE = 100  # the largest Quay gives
_TOKEN = re.compile(r"[\x21-\x7e]{1,16384}")


class QuayApi(VendorApi):
    """Requests with a token, or without one to what is public."""

    def __init__(self, transport: Transport, token: str | None, *, label: str) -> None:
        if token is not None and _TOKEN.fullmatch(token) is None:
            raise InvalidConnection("The API token holds a character that no token has.")
        sign_in = FixedSignIn(f"Bearer {token}" if token is not None else None)
        super().__init__(transport, sign_in, label=label, base="/api/v1", owns_transport=False)

    async def namespaces(self) -> tuple[str, ...]:
        """Return the user's own namespace and those of the organisations the user is in."""
        about = untrusted.mapping((await self.get("/user/", "account")).json)
        organisations = untrusted.objects(about.get("organizations"))
        names = (about.get("username"), *(it.get("name") for it in organisations))
        return tuple(dict.fromkeys(name for it in names if (name := untrusted.text(it))))

    async def repositories(self, namespace: str) -> AsyncIterator[list[dict[str, Any]]]:
        """Yield the repositories of a namespace, as far as their cursor leads."""
        what = f"repositories of {namespace}"
        # Without `public` even the owner of a public repository may not see it.
        query = {"namespace": namespace, "public": "true"}
        guard = PageGuard(self.transport.limits.pages)
        cursor: str | None = ""
        while cursor is not None:
            url = self.url("/repository", {**query, **({"next_page": cursor} if cursor else {})})
            page = await self.get(url, what)
            listed = _listed(page.json, "repositories", what)
            guard.admit(url, page.body, holds_names=bool(listed))
            yield list(untrusted.objects(listed))
            cursor = untrusted.text(page.json.get("next_page"))

    async def tags(self, path: str) -> AsyncIterator[list[Any]]:
        """Yield the tags of a repository that are alive, page by page.

        Raises `ServerFailed` where something was pushed or deleted meanwhile.
        """
        what = f"tags of {path}"
        guard = PageGuard(self.transport.limits.pages)

        async def ask(number: int, size: int) -> tuple[list[Any], bool]:
            query = {"limit": str(size), "page": str(number), "onlyActiveTags": "true"}
            url = self.url(f"/repository/{path}/tag/", query)
            page = await self.get(url, what)
            listed = _listed(page.json, "tags", what)
            guard.admit(url, page.body, holds_names=bool(listed))
            return listed, page.json.get("has_additional") is True

        async for listed in overlapping_pages(ask, _name, what, largest=_PAGE):
            yield listed


def _name(tag: object) -> str | None:
    return untrusted.text(untrusted.mapping(tag).get("name"))


def _listed(page: object, key: str, what: str) -> list[Any]:
    listed = untrusted.mapping(page).get(key)
    if not isinstance(listed, list):
        raise InvalidDocument(f"Quay answered {what} with something else than a list.")
    return listed
