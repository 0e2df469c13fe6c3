"""Harbor's API: its pages, and what it says of content that it keeps.

goharbor/harbor: src/server/v2.0/handler/base.go (paging), src/lib/http/error.go.
"""

import itertools
from collections.abc import AsyncIterator, Mapping, Sized

from registries.connectors.api import Document, VendorApi
from registries.connectors.api_sign_in import FixedSignIn, basic
from registries.oci import untrusted
from registries.oci.errors import (
    AccessDenied,
    InvalidDocument,
    RegistryError,
    ServerFailed,
)
from registries.oci.pages import PageGuard, parse_links
from registries.oci.transport import Answer, Transport

_PAGE = 100  # the largest Harbor gives


class HarborApi(VendorApi):
    """Requests with the registry's own user name and password, over its own transport."""

    def __init__(self, transport: Transport, *, label: str) -> None:
        credentials = transport.connection.credentials
        super().__init__(
            transport,
            # Basic, and no cookies: a session would need CSRF tokens, too.
            FixedSignIn(basic(*credentials) if credentials else None),
            label=label,
            base="/api/v2.0",
            # Or a project whose name is a number would be looked up by its id.
            headers={"X-Is-Resource-Name": "true"},
            owns_transport=False,
        )

    async def pages(
        self,
        path: str,
        what: str,
        query: Mapping[str, str] | None = None,
        *,
        seen: Sized | None = None,
    ) -> AsyncIterator[Document]:
        """Yield the pages of a listing, by number.

        What Harbor hides (signatures) it takes out of a page after cutting it, and some versions also
        out of their count, so that their Link ends too early. With `seen`, which grows by what the
        pages hold, they are asked on until all that was counted is there, or a page is empty.

        Raises `ServerFailed` when there are fewer than before: the pages have moved, and something
        may have slipped between two of them.
        """
        guard = PageGuard(self.transport.limits.pages)
        total = 0
        for number in itertools.count(1):
            asked = {**(query or {}), "page": str(number), "page_size": str(_PAGE)}
            page = await self.get(path, what, asked)
            if not isinstance(page.json, list | None):
                raise InvalidDocument(
                    f"{self._label} answered {what} with something else than a list."
                )
            guard.admit(page.url, page.body, holds_names=bool(page.json))
            before, total = total, _total(page, total)
            yield page
            if total < before:
                raise ServerFailed(
                    f"Something was deleted while {what} were listed, so that the list has a gap.",
                    advice="The next sync lists them again.",
                )
            short = seen is not None and len(seen) < total
            linked = _has_next(page)
            if not (linked or short if page.json else linked and short):
                return

    def _failure(self, answer: Answer, what: str) -> RegistryError:
        # An immutability rule, an index that lists it, a signature on it.
        if answer.status in (409, 412):
            return AccessDenied(
                f"{self._label} keeps {what}{_reason(answer.body)}.",
                advice="See in Harbor what protects it: a rule of the project, or what refers to it.",
            )
        return super()._failure(answer, what)


def _total(page: Document, otherwise: int) -> int:
    text = page.headers.get("X-Total-Count", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else otherwise


def _has_next(page: Document) -> bool:
    """Say whether there is a next page, which is then asked for by its number."""
    links = (link for header in page.headers.getall("Link", ()) for link in parse_links(header))
    return any("next" in relations for _, relations in links)


def _reason(body: bytes) -> str:
    """Return the message of Harbor's error document, cut short, ready to be appended."""
    try:
        document = untrusted.load_object(body, "error")
    except RegistryError:
        return ""
    errors = untrusted.objects(document.get("errors"))
    said = "; ".join(text for error in errors if (text := untrusted.text(error.get("message"))))
    return f": {said[:200].rstrip('.')}" if said else ""
