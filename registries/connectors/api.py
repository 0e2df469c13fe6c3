"""A vendor's own API: JSON over the same vetted sockets, limits, pace and retries as the registry.

Answers are read with `registries.oci.untrusted`, since a vendor's field may be absent, null or of
another type than its documentation says.
"""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote, urlencode

import orjson
from multidict import CIMultiDictProxy
from yarl import URL

from registries.connectors.api_sign_in import SignIn
from registries.oci import mediatypes
from registries.oci.addresses import read_url
from registries.oci.connection import InvalidConnection
from registries.oci.errors import (
    AccessDenied,
    AuthenticationFailed,
    ForeignLink,
    InvalidDocument,
    NotARegistry,
    NotFound,
    RegistryError,
)
from registries.oci.pages import PageGuard, next_page
from registries.oci.transport import Answer, Sending, Transport

_OK = frozenset({200, 201, 202, 204})


@dataclass(frozen=True, slots=True)
class Document:
    """An answer of an API: its JSON (None for an empty body) and its headers."""

    json: Any
    headers: CIMultiDictProxy[str]
    url: URL
    body: bytes


class VendorApi:
    """Requests to the API that lives at a transport's origin, below `base`.

    `label` names the API in errors. The transport is opened by `async with`, unless it is one that
    somebody else keeps open (`owns_transport`). All methods raise `RegistryError`.
    """

    def __init__(
        self,
        transport: Transport,
        sign_in: SignIn,
        *,
        label: str,
        base: str = "",
        headers: Mapping[str, str] | None = None,
        owns_transport: bool = True,
    ) -> None:
        self.transport = transport
        self._sign_in = sign_in
        self._label = label
        self._base = base
        self._headers = {"Accept": "application/json", **(headers or {})}
        self._owns_transport = owns_transport

    async def __aenter__(self) -> Self:
        if self._owns_transport:
            await self.transport.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._owns_transport:
            await self.transport.__aexit__(kind, error, trace)

    def url(self, path: str, query: Mapping[str, str | int] | None = None) -> URL:
        """Return the address of a path; whoever builds the path quotes its parts (`quoted`)."""
        url = self.transport.url(self._base + path)
        return url.extend_query({name: str(value) for name, value in (query or {}).items()})

    async def get(
        self, path: str | URL, what: str, query: Mapping[str, str | int] | None = None
    ) -> Document:
        """Return a document; `what` names it in the error when it does not come."""
        url = path if isinstance(path, URL) else self.url(path, query)
        return await self.send("GET", url, what)

    async def send(
        self,
        method: str,
        path: str | URL,
        what: str,
        *,
        json: Any = None,
        form: Mapping[str, str] | None = None,
        repeatable: bool | None = None,
    ) -> Document:
        """Send a request with a JSON or form body; anything but 200, 201, 202 and 204 is raised.

        A POST is sent once, unless it is said to be `repeatable`.
        """
        url = path if isinstance(path, URL) else self.url(path)
        sending = self._sending(method, json, form, repeatable)
        answer = await self._signed_in(method, url, sending)
        if answer.status not in _OK:
            raise self._failure(answer, what)
        if mediatypes.bare(answer.content_type) == "text/html":
            raise NotARegistry(f"A web page came back for {what}, not an answer of {self._label}.")
        return Document(self._json(answer, what), answer.headers, url, answer.body)

    async def linked_pages(
        self, path: str, what: str, query: Mapping[str, str | int] | None = None
    ) -> AsyncIterator[Document]:
        """Yield the pages of a listing by its `Link` headers, never to another host."""
        url: URL | None = self.url(path, query)
        guard = PageGuard(self.transport.limits.pages)
        while url is not None:
            page = await self.get(url, what)
            guard.admit(url, page.body, holds_names=bool(page.json))
            yield page
            url = next_page(page.headers.getall("Link", ()), url)

    def following(self, target: object, url: URL) -> URL | None:
        """Return the next page's address as a body names it (`next`), None where it names none.

        Only its query is taken, on our own path; raises `ForeignLink` for another host.
        """
        if not isinstance(target, str) or not target:
            return None
        try:
            link = url.join(read_url(target))
        except ValueError:
            raise InvalidDocument(f"{self._label} names no usable next page.") from None
        if link.host != url.host:
            raise ForeignLink(
                f"The listing continues on another host ({link.host}), where Portolan does not follow."
            )
        return url.with_query(link.query)

    async def _signed_in(self, method: str, url: URL, sending: Sending) -> Answer:
        limit = self.transport.limits.listing_bytes
        send = self.transport.send
        header = await self._sign_in.header()
        answer = await send(method, url, header, limit=limit, sending=sending)
        if answer.status == 401:
            renewed = await self._sign_in.header(renew=True)
            if renewed is not None and renewed != header:
                answer = await send(method, url, renewed, limit=limit, sending=sending)
        return answer

    def _sending(
        self, method: str, json: Any, form: Mapping[str, str] | None, repeatable: bool | None
    ) -> Sending:
        headers, body = dict(self._headers), None
        if json is not None:
            headers["Content-Type"], body = "application/json", orjson.dumps(json)
        elif form is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
            body = urlencode(form).encode()
        once = method == "POST" if repeatable is None else not repeatable
        return Sending(headers, body, repeatable=not once)

    def _json(self, answer: Answer, what: str) -> Any:
        if not answer.body.strip():
            return None
        try:
            return orjson.loads(answer.body)
        except orjson.JSONDecodeError:
            raise InvalidDocument(
                f"{self._label} answered {what} with something else than JSON."
            ) from None

    def _failure(self, answer: Answer, what: str) -> RegistryError:
        """Return the answer as an error in the API's name; its own 404 in JSON is proof."""
        if answer.status == 401:
            return AuthenticationFailed(f"{self._label} does not accept the credential ({what}).")
        if answer.status == 403:
            return AccessDenied(f"{self._label} does not let this credential do that ({what}).")
        if answer.status == 404:
            missing = NotFound(f"{self._label} has no {what}.")
            missing.is_proof = "json" in answer.content_type
            return missing
        return answer.failure(what)


def quoted(part: str, *, times: int = 1) -> str:
    """Return a name as one component of a path: `/` becomes `%2F`, or `%252F` quoted twice."""
    for _ in range(times):
        part = quote(part, safe="")
    return part


def split_address(text: str) -> tuple[str, str]:
    """Return the origin and the path below it of an API's address as people type it.

    Raises `InvalidConnection`.
    """
    try:
        url = read_url(text if "://" in text else f"https://{text}")
        return str(url.origin()), url.raw_path.rstrip("/")
    except ValueError:
        raise InvalidConnection(f"{text!r} is not the address of an API.") from None
