"""Paging by the Link header, without ever leaving the registry.

RFC 8288 and OCI Distribution 1.1, "Listing Tags": follow `rel="next"` until there is none; a short
page proves nothing.
"""

import re
from collections.abc import Iterable

from yarl import URL

from registries.oci.addresses import read_url
from registries.oci.errors import ForeignLink, InvalidDocument, TooManyPages

# zot 1.0 leaves the angle brackets out.
_TARGET = re.compile(r"\s*(?:<([^>]*)>|([^\s<>;,\"]+))\s*")
_PARAM = re.compile(
    r";\s*([\w!#$%&'*+.^`|~-]+)\s*(?:=\s*(?:\"((?:[^\"\\]|\\.)*)\"|([^\s;,\"]*)))?\s*"
)
_COMMA = re.compile(r"[\s,]*")


def parse_links(header: str) -> list[tuple[str, frozenset[str]]]:
    """Return (target, relations in lower case) for each link; reading stops at the first mistake."""
    links: list[tuple[str, frozenset[str]]] = []
    position = 0
    while (target := _TARGET.match(header, _after(_COMMA, header, position))) is not None:
        position = target.end()
        relations: frozenset[str] = frozenset()
        while (param := _PARAM.match(header, position)) is not None:
            position = param.end()
            if param[1].lower() == "rel" and not relations:
                relations = frozenset((param[2] or param[3] or "").lower().split())
        links.append((target[1] if target[1] is not None else target[2], relations))
    return links


def next_page(headers: Iterable[str], request: URL) -> URL | None:
    """Return the address of the next page, or None after the last.

    Only the query is taken from the link. Registries put their inner address, another scheme or a
    path without its prefix there (Artifactory, proxies that end TLS), and credentials then cannot
    leave the origin either. Raises `ForeignLink` when the link names another host.
    """
    for header in headers:
        for target, relations in parse_links(header):
            if "next" in relations:
                return _resolve(target, request)
    return None


def _resolve(target: str, request: URL) -> URL:
    try:
        link = request.join(read_url(target, encoded=True))
        host = link.host
    except ValueError:
        raise InvalidDocument("The Link header to the next page is not an address.") from None
    if host != request.host:
        raise ForeignLink(
            f"The listing continues on another host ({host}), where Portolan does not follow."
        )
    query = link.raw_query_string
    return URL(f"{request.origin()}{request.raw_path}?{query}", encoded=True)


# What a vendor tells of a quarter of a million manifests, at four kilobytes each: more than any
# repository was found to hold.
_MOST_BYTES = 1024**3


class PageGuard:
    """Notices listings that never end: a link seen before, a page that repeats, too many pages or
    too large ones."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        # Addresses by their hash: a registry may make each as long as it likes.
        self._seen: set[int] = set()
        self._previous = b""
        self._bytes = 0

    def admit(self, url: URL, body: bytes, *, holds_names: bool) -> None:
        """Note one page; raises `TooManyPages` when the listing goes in circles, or on and on."""
        address = hash(str(url))
        if address in self._seen or (holds_names and body == self._previous):
            raise TooManyPages("The listing repeats itself: its Link header is endless.")
        if len(self._seen) >= self._limit:
            raise TooManyPages(f"The listing has more than {self._limit:,} pages.")
        self._bytes += len(body)
        if self._bytes > _MOST_BYTES:
            raise TooManyPages(f"The listing's pages have more than {_MOST_BYTES:,} bytes.")
        self._seen.add(address)
        self._previous = body


def _after(pattern: re.Pattern[str], header: str, position: int) -> int:
    found = pattern.match(header, position)
    return found.end() if found else position
