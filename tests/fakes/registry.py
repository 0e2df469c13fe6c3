"""A registry in this process: honest by default, written from the OCI Distribution specification.

It answers from a thread of its own, so that synchronous and asynchronous tests use it alike:

    with FakeRegistry() as fake:
        fake.push("team-a/api", content.image(), "v1")
        ...
        assert fake.seen("HEAD") == [...]
"""

import asyncio
import ssl
import threading
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from aiohttp import web

from registries.oci import mediatypes
from tests.fakes.content import Holdings, Pushed, index
from tests.fakes.misbehaviour import How, When
from tests.fakes.sign_in import SignIn

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True)
class Recorded:
    """A request as it arrived."""

    method: str
    path: str
    authorization: str | None
    user_agent: str


class FakeRegistry:
    """A registry on a free port of this machine.

    `page_size` is the largest page it gives, `largest_n` the largest it may be asked for.
    `digest_header` and `referrers` are what the specification leaves open.
    """

    def __init__(
        self,
        *,
        sign_in: SignIn | None = None,
        page_size: int = 1000,
        largest_n: int = 1000,
        catalog: bool = True,
        referrers: bool = True,
        digest_header: bool = True,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.sign_in = sign_in or SignIn()
        self.page_size = page_size
        self.largest_n = largest_n
        self.catalog = catalog
        self.referrers = referrers
        self.digest_header = digest_header
        self.deletes = True
        self.latency = 0.0  # seconds before each answer, for benchmarks
        self.repositories: dict[str, Holdings] = {}
        self.requests: list[Recorded] = []
        self.most_at_once = 0
        self._at_once = 0
        self._misbehaviour: list[tuple[When, How]] = []
        self._requests_left: int | None = None
        self._tls = tls
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._arrival = threading.Condition()
        self._thread = threading.Thread(target=self._run, daemon=True)

    # What it holds

    def push(self, repository: str, manifest: Pushed, *tags: str) -> str:
        """Store a manifest with its blobs, point tags at it, return its digest."""
        holdings = self.repositories.setdefault(repository, Holdings())
        holdings.blobs.update(manifest.blobs)
        holdings.manifests[manifest.digest] = manifest
        holdings.tags.update(dict.fromkeys(tags, manifest.digest))
        return manifest.digest

    def push_index(
        self, repository: str, children: Iterable[tuple[Pushed, str, str]], *tags: str, **how: bool
    ) -> str:
        """Store an index over (image, os, architecture) and all it lists; `how` as in `index`."""
        listed, manifests = index(tuple(children), **how)
        for manifest in manifests:
            self.push(repository, manifest)
        return self.push(repository, listed, *tags)

    def delete_tag(self, repository: str, tag: str) -> None:
        """Take a tag away; its manifest stays."""
        del self.repositories[repository].tags[tag]

    def delete_repository(self, repository: str) -> None:
        """Take a repository away with all it holds."""
        del self.repositories[repository]

    # What it does

    def misbehave(self, when: When, how: How) -> None:
        """Answer requests for which `when` holds as `how` does; the latest goes first."""
        self._misbehaviour.insert(0, (when, how))

    def behave(self) -> None:
        """Be honest again."""
        self._misbehaviour.clear()

    def die_after(self, requests: int) -> None:
        """Answer so many more requests, then stop listening and drop every connection."""
        self._requests_left = requests

    def seen(self, method: str | None = None, part: str = "") -> list[str]:
        """Return the paths (with query) asked for, in order."""
        return [it.path for it in self.requests if method in (None, it.method) and part in it.path]

    def wait_until_seen(self, part: str, seconds: float = 5.0) -> None:
        """Block until a path containing `part` was asked for."""
        with self._arrival:
            assert self._arrival.wait_for(lambda: self.seen(part=part), seconds), part

    # The thread

    def __enter__(self) -> Self:
        self._thread.start()
        self._ready.wait(10)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._serve())
        self._ready.set()
        self._loop.run_forever()
        self._loop.run_until_complete(self._stop())
        self._loop.close()

    async def _stop(self) -> None:
        self._drop_all()
        await self._runner.cleanup()
        # Handlers that hang on purpose would hang for ever.
        hanging = asyncio.all_tasks() - {asyncio.current_task()}
        for task in hanging:
            task.cancel()
        await asyncio.gather(*hanging, return_exceptions=True)

    async def _serve(self) -> None:
        app = web.Application(middlewares=[self._receive])
        app.add_routes(self.routes())
        # No waiting for handlers that hang on purpose.
        self._runner = web.AppRunner(app, shutdown_timeout=0.01)
        await self._runner.setup()
        self._site = web.TCPSite(self._runner, "127.0.0.1", 0, ssl_context=self._tls)
        await self._site.start()
        port = self._runner.addresses[0][1]
        self.url = f"{'https' if self._tls else 'http'}://127.0.0.1:{port}"

    def routes(self) -> list[web.RouteDef]:
        """Return what it answers; a vendor's fake puts its own API in front."""
        return [
            web.get("/v2/", self._base),
            web.get("/v2/_catalog", self._get_catalog),
            web.get("/v2/{name:.+}/tags/list", self._get_tags),
            web.get("/v2/{name:.+}/manifests/{reference}", self._get_manifest),
            web.delete("/v2/{name:.+}/manifests/{reference}", self._delete_manifest),
            web.get("/v2/{name:.+}/blobs/{digest}", self._get_blob),
            web.get("/v2/{name:.+}/referrers/{digest}", self._get_referrers),
            web.get("/token", self.sign_in.give_token),
            web.get("/storage/{digest}", self._get_stored),
        ]

    def judge(self, request: web.Request) -> web.StreamResponse | None:
        """Return the refusal of a request that is not signed in; vendors judge their API, too."""
        if request.path.startswith("/v2/"):
            return self.sign_in.judge(request, self.url)
        return None

    @web.middleware
    async def _receive(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        headers = request.headers
        arrived = Recorded(
            request.method,
            request.path_qs,
            headers.get("Authorization"),
            headers.get("User-Agent", ""),
        )
        with self._arrival:
            self.requests.append(arrived)
            self._arrival.notify_all()
        if self._requests_left is not None:
            self._requests_left -= 1
            if self._requests_left < 0:
                await self._site.stop()
                self._drop_all()
                return web.Response()
        self._at_once += 1
        self.most_at_once = max(self.most_at_once, self._at_once)
        try:
            return await self._answer(request, handler)
        finally:
            self._at_once -= 1

    async def _answer(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        for when, how in self._misbehaviour:
            if when(request) and (answer := await how(request)) is not None:
                return answer
        if self.latency:
            await asyncio.sleep(self.latency)
        if (refusal := self.judge(request)) is not None:
            return refusal
        return await handler(request)

    def _drop_all(self) -> None:
        server = self._runner.server
        for connection in server.connections if server else ():
            if connection.transport is not None:
                connection.transport.abort()

    # The protocol

    async def _base(self, _: web.Request) -> web.StreamResponse:
        return web.json_response({}, headers={"Docker-Distribution-Api-Version": "registry/2.0"})

    async def _get_catalog(self, request: web.Request) -> web.StreamResponse:
        if not self.catalog:
            return error(404, "UNSUPPORTED", "no catalog here")
        return self._page(request, "repositories", sorted(self.repositories))

    async def _get_tags(self, request: web.Request) -> web.StreamResponse:
        if (holdings := self._holdings(request)) is None:
            return error(404, "NAME_UNKNOWN", "repository name not known to registry")
        return self._page(request, "tags", sorted(holdings.tags))

    def _page(self, request: web.Request, key: str, names: list[str]) -> web.StreamResponse:
        wanted = int(request.query.get("n", self.page_size))
        if wanted > self.largest_n:
            return error(400, "PAGINATION_NUMBER_INVALID", "invalid number of results requested")
        last = request.query.get("last", "")
        rest = [name for name in names if name > last]
        page = rest[: min(wanted, self.page_size)]
        headers = {}
        if len(rest) > len(page):
            headers["Link"] = f'<{request.path}?n={wanted}&last={page[-1]}>; rel="next"'
        return web.json_response({key: page}, headers=headers)

    async def _get_manifest(self, request: web.Request) -> web.StreamResponse:
        holdings = self._holdings(request) or Holdings()
        reference = request.match_info["reference"]
        digest = holdings.tags.get(reference, reference)
        manifest = holdings.manifests.get(digest)
        # Distribution knows a manifest only to those who name its type.
        accepted = manifest and manifest.media_type in request.headers.get("Accept", "")
        if manifest is None or not accepted:
            return error(404, "MANIFEST_UNKNOWN", "manifest unknown")
        headers = {"Content-Type": manifest.media_type}
        if self.digest_header:
            headers["Docker-Content-Digest"] = digest
        return web.Response(body=manifest.raw, headers=headers)

    async def _delete_manifest(self, request: web.Request) -> web.StreamResponse:
        if not self.deletes:
            return error(405, "UNSUPPORTED", "The operation is unsupported.")
        holdings = self._holdings(request) or Holdings()
        digest = request.match_info["reference"]
        if digest not in holdings.manifests:
            return error(404, "MANIFEST_UNKNOWN", "manifest unknown")
        del holdings.manifests[digest]
        for tag in [name for name, pointed in holdings.tags.items() if pointed == digest]:
            del holdings.tags[tag]
        return web.Response(status=202)

    async def _get_blob(self, request: web.Request) -> web.StreamResponse:
        holdings = self._holdings(request) or Holdings()
        blob = holdings.blobs.get(request.match_info["digest"])
        if blob is None:
            return error(404, "BLOB_UNKNOWN", "blob unknown to registry")
        return web.Response(body=blob, content_type="application/octet-stream")

    async def _get_stored(self, request: web.Request) -> web.StreamResponse:
        for holdings in self.repositories.values():
            if blob := holdings.blobs.get(request.match_info["digest"]):
                return web.Response(body=blob)
        return web.Response(status=404)

    async def _get_referrers(self, request: web.Request) -> web.StreamResponse:
        if not self.referrers:
            return web.Response(status=404, text="404 page not found\n")
        holdings = self._holdings(request) or Holdings()
        wanted = request.match_info["digest"]
        entries = [
            entry
            for manifest in holdings.manifests.values()
            if (entry := manifest.as_referrer_of(wanted)) is not None
        ]
        document = {
            "schemaVersion": 2,
            "mediaType": mediatypes.OCI_INDEX,
            "manifests": entries,
        }
        return web.json_response(document, content_type=mediatypes.OCI_INDEX)

    def _holdings(self, request: web.Request) -> Holdings | None:
        return self.repositories.get(request.match_info["name"])


def error(status: int, code: str, message: str) -> web.Response:
    """Return an error document of the OCI Distribution specification."""
    return web.json_response({"errors": [{"code": code, "message": message}]}, status=status)
