"""A fake zot: the fake registry, with zot's words at the door and its own rules of deletion.

Written from project-zot/zot pkg/api/authn.go, pkg/api/routes.go and pkg/storage: a manifest that an
index holds is not deleted (405, DENIED), and with its last tag a manifest goes.
"""

from aiohttp import web

from tests.fakes.content import Holdings
from tests.fakes.registry import FakeRegistry, error
from tests.fakes.sign_in import SignIn, basic, challenge


class ZotSignIn(SignIn):
    """Basic, in zot's words."""

    def judge(self, request: web.Request, url: str) -> web.Response | None:
        """Return the 401 for a request without the password."""
        given = request.headers.get("Authorization", "")
        return None if given == basic() else challenge('Basic realm="Authorization Required"')


class FakeZot(FakeRegistry):
    """A zot on a free port of this machine."""

    def __init__(self, *, page_size: int = 20) -> None:
        super().__init__(sign_in=ZotSignIn("basic"), page_size=page_size)

    async def _delete_manifest(self, request: web.Request) -> web.StreamResponse:
        holdings = self._holdings(request) or Holdings()
        reference = request.match_info["reference"]
        digest = holdings.tags.get(reference, reference)
        if digest not in holdings.manifests:
            return error(404, "MANIFEST_UNKNOWN", "manifest unknown")
        if reference in holdings.tags:
            del holdings.tags[reference]
        elif _is_held(holdings, digest):
            return error(405, "DENIED", "requested access to the resource is denied")
        else:
            holdings.tags = {tag: it for tag, it in holdings.tags.items() if it != digest}
        if digest not in holdings.tags.values() and not _is_held(holdings, digest):
            del holdings.manifests[digest]
        return web.Response(status=202)


def _is_held(holdings: Holdings, digest: str) -> bool:
    """Whether an index of the repository lists it."""
    return any(
        entry.get("digest") == digest
        for manifest in holdings.manifests.values()
        for entry in manifest.document.get("manifests", ())
    )
