"""What refers to a manifest, by the referrers API.

OCI Distribution 1.1, "Listing Referrers". Distribution 2 and 3 do not have it.
"""

from registries.oci import mediatypes, untrusted
from registries.oci.descriptors import Child, list_or_null, parse_child
from registries.oci.errors import ResponseTooLarge
from registries.oci.failures import error_codes
from registries.oci.pages import PageGuard, next_page
from registries.oci.reference import Digest
from registries.oci.transport import Transport

# A registry without the API says so in one of these ways.
_NOT_OFFERED = frozenset({400, 404, 405, 406, 501})
_MISSING_CONTENT = frozenset({"NAME_UNKNOWN", "MANIFEST_UNKNOWN", "NAME_INVALID"})


class ReferrersApi:
    """The API of one registry; `supported` is None until the registry has answered."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self.supported: bool | None = None

    async def find(self, repository: str, digest: Digest) -> tuple[Child, ...] | None:
        """Return what refers to `digest`, None when the registry does not answer the API."""
        transport = self._transport
        scope, base = transport.repository(repository)
        url = transport.url(f"{base}/referrers/{digest}")
        guard = PageGuard(transport.limits.pages)
        found: list[Child] = []
        while True:
            answer = await transport.listing(url, scope)
            is_index = mediatypes.is_index(mediatypes.bare(answer.content_type))
            if answer.status in _NOT_OFFERED or (answer.status == 200 and not is_index):
                # 404 for an unknown repository says nothing about the API.
                if not error_codes(answer.body) & _MISSING_CONTENT:
                    self.supported = False
                return None
            if answer.status != 200:
                raise answer.failure(f"referrers of {digest} in {repository}")
            self.supported = True
            document = untrusted.load_object(answer.body, "list of referrers")
            entries = list_or_null(document.get("manifests"), "referrer")
            guard.admit(url, answer.body, holds_names=bool(entries))
            if len(found) + len(entries) > transport.limits.referrers:
                raise ResponseTooLarge(
                    f"More than {transport.limits.referrers:,} things refer to {digest}."
                )
            found.extend(map(parse_child, entries))
            following = next_page(answer.headers.getall("Link", ()), url)
            if following is None:
                return tuple(found)
            url = following
