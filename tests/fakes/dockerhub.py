"""A Docker Hub in this process: the registry with its pull quota, and the API that lists.

Written from docs.docker.com (Docker Hub API, usage and limits). Both answer at one address here, each
to tokens of its own. A GET of a manifest is a pull, and counted; a HEAD is not.
"""

import base64
import itertools
import json
import time
from typing import Any

from aiohttp import web

from tests.fakes.content import Holdings, Pushed
from tests.fakes.registry import FakeRegistry, error
from tests.fakes.sign_in import PASSWORD, USERNAME, SignIn

PUSHED = "2026-03-01T12:00:00.123456Z"
PROBE = "ratelimitpreview/test"
_API = ("/v2/namespaces/", "/v2/repositories/", "/v2/orgs/")


class FakeDockerHub(FakeRegistry):
    """A Docker Hub.

    `rationed` is whether it tells of a pull quota. Of `undigested` tags it does not say what they point
    at, as of those that were pushed long ago. `members` are those of organisations.
    """

    def __init__(self, *, largest_page: int = 100) -> None:
        super().__init__(sign_in=SignIn("bearer"), catalog=False)
        self.largest_page = largest_page
        self.rationed = True
        self.pulls = 0
        self.undigested: set[str] = set()
        self.members: dict[str, list[Any]] = {}
        self.token_seconds = 600
        self._tokens: set[str] = set()
        self._count = itertools.count()
        self._listed: dict[str, list[dict[str, Any]]] = {}

    def push(self, repository: str, manifest: Pushed, *tags: str) -> str:
        """Store a manifest; what was listed of its repository is worked out again."""
        self._listed.pop(repository, None)
        return super().push(repository, manifest, *tags)

    def delete_tag(self, repository: str, tag: str) -> None:
        """Take a tag away; what was listed of its repository is worked out again."""
        self._listed.pop(repository, None)
        super().delete_tag(repository, tag)

    def forget_tokens(self) -> None:
        """Withdraw every token given out, by both."""
        self._tokens.clear()
        self.sign_in.forget_tokens()

    def judge(self, request: web.Request) -> web.StreamResponse | None:
        """Want a token of the API's own for the API; what is public is for everybody."""
        if request.path == "/v2/auth/token":
            return None
        if not request.path.startswith(_API):
            return super().judge(request)
        given = request.headers.get("Authorization")
        if given is None and request.method == "GET":
            return None
        if given is not None and given.removeprefix("Bearer ") in self._tokens:
            return None
        return web.json_response({"message": "unauthorized"}, status=401)

    def routes(self) -> list[web.RouteDef]:
        """Return the API's, before the registry's."""
        listed = "/v2/namespaces/{namespace}/repositories"
        single = "/v2/repositories/{namespace}/{repository}"
        return [
            web.post("/v2/auth/token", self._sign_in_to_api),
            web.get(listed, self._list_repositories),
            web.get(listed + "/{repository}/tags", self._list_tags),
            web.delete(single + "/tags/{tag}/", self._delete_tag),
            web.delete(single + "/", self._delete_repository),
            web.get("/v2/orgs/{org}/members", self._list_members),
            *super().routes(),
        ]

    async def _sign_in_to_api(self, request: web.Request) -> web.Response:
        body = await request.json()
        if (body.get("identifier"), body.get("secret")) != (USERNAME, PASSWORD):
            return web.json_response({"message": "Incorrect credentials"}, status=401)
        claims = {"exp": time.time() + self.token_seconds, "jti": next(self._count)}
        parts: tuple[dict[str, Any], ...] = ({"alg": "none"}, claims, {})
        token = ".".join(
            base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")
            for part in parts
        )
        self._tokens.add(token)
        return web.json_response({"access_token": token})

    # The API

    async def _list_repositories(self, request: web.Request) -> web.Response:
        namespace = request.match_info["namespace"]
        within = f"{namespace}/"
        names = sorted(name for name in self.repositories if name.startswith(within))
        if not names:
            return _missing()
        listed = [
            {
                "name": name.removeprefix(within),
                "namespace": namespace,
                "pull_count": 1000 + number,
                "is_private": False,
                "last_updated": PUSHED,
                "status": 1,
            }
            for number, name in enumerate(names)
        ]
        return self._paged(request, listed)

    async def _list_tags(self, request: web.Request) -> web.Response:
        path = _path(request)
        if path not in self.repositories:
            return _missing()
        listed = self._listed.get(path)
        if listed is None:
            holdings = self.repositories[path]
            listed = [self._tag(tag, digest, holdings) for tag, digest in holdings.tags.items()]
            # The latest pushed goes first.
            listed.reverse()
            self._listed[path] = listed
        return self._paged(request, listed)

    def _tag(self, tag: str, digest: str, holdings: Holdings) -> dict[str, Any]:
        manifest = holdings.manifests[digest]
        children = manifest.document.get("manifests")
        platforms = {it["digest"]: it.get("platform") or {} for it in children or ()}
        images = [self._image(it, holdings, platforms.get(it, {})) for it in platforms or (digest,)]
        told: dict[str, Any] = {
            "name": tag,
            "images": images,
            "full_size": images[0]["size"],
            "last_updated": PUSHED,
            "last_updater_username": USERNAME,
            "tag_status": "active",
            "tag_last_pulled": None,
            "tag_last_pushed": PUSHED,
            "media_type": manifest.media_type,
            "content_type": "image",
            "digest": digest,
        }
        if tag in self.undigested:
            del told["digest"], told["media_type"]
        return told

    def _image(self, digest: str, holdings: Holdings, platform: dict[str, Any]) -> dict[str, Any]:
        document = holdings.manifests[digest].document
        config = json.loads(holdings.blobs.get(document.get("config", {}).get("digest"), b"{}"))
        return {
            "architecture": platform.get("architecture", config.get("architecture", "")),
            "os": platform.get("os", config.get("os", "")),
            "variant": platform.get("variant"),
            "features": "",
            "os_version": None,
            "digest": digest,
            "size": sum(layer["size"] for layer in document.get("layers") or ()),
            "status": "active",
            "last_pulled": None,
            "last_pushed": PUSHED,
        }

    async def _delete_tag(self, request: web.Request) -> web.Response:
        path, tag = _path(request), request.match_info["tag"]
        if tag not in self.repositories.get(path, Holdings()).tags:
            return _missing()
        self.delete_tag(path, tag)
        return web.Response(status=204)

    async def _delete_repository(self, request: web.Request) -> web.Response:
        path = _path(request)
        if path not in self.repositories:
            return _missing()
        self._listed.pop(path, None)
        self.delete_repository(path)
        return web.Response(status=202)

    async def _list_members(self, request: web.Request) -> web.Response:
        if (members := self.members.get(request.match_info["org"])) is None:
            return _missing()
        return self._paged(request, members)

    def _paged(self, request: web.Request, listed: list[Any]) -> web.Response:
        size = min(int(request.query.get("page_size", 10)), self.largest_page)
        number = int(request.query.get("page", 1))
        following = None
        if number * size < len(listed):
            query = {**request.query, "page": str(number + 1)}
            following = f"{self.url}{request.rel_url.with_query(query)}"
        body = {
            "count": len(listed),
            "next": following,
            "previous": "" if number == 1 else "earlier",
            "results": listed[(number - 1) * size : number * size],
        }
        headers = {"X-RateLimit-Limit": "180", "X-RateLimit-Remaining": "179"}
        return web.json_response(body, headers=headers)

    # The registry

    async def _get_manifest(self, request: web.Request) -> web.StreamResponse:
        if request.match_info["name"] == PROBE:
            answer: web.StreamResponse = web.Response()
        else:
            answer = await super()._get_manifest(request)
        self.pulls += request.method == "GET"
        if self.rationed:
            answer.headers["ratelimit-limit"] = "100;w=21600"
            answer.headers["ratelimit-remaining"] = f"{100 - self.pulls};w=21600"
            answer.headers["docker-ratelimit-source"] = "192.0.2.1"
        return answer

    async def _delete_manifest(self, _: web.Request) -> web.StreamResponse:
        return error(405, "UNSUPPORTED", "The operation is unsupported.")


def _path(request: web.Request) -> str:
    return f"{request.match_info['namespace']}/{request.match_info['repository']}"


def _missing() -> web.Response:
    return web.json_response({"message": "object not found", "errinfo": {}}, status=404)
