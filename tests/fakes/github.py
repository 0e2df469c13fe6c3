"""GitHub: its API for packages beside ghcr.io, at one address.

Written from docs.github.com, "REST API endpoints for packages" and "Rate limits for the REST API":
pages of a hundred whose Link names another path than the one asked at, versions for manifests,
no tag without its version, no last tagged version without its package, 403 for too many requests.
"""

import itertools
from typing import Any

from aiohttp import web

from tests.fakes.content import Holdings
from tests.fakes.misbehaviour import How
from tests.fakes.registry import FakeRegistry, error
from tests.fakes.sign_in import PASSWORD, SignIn


class FakeGithub(FakeRegistry):
    """The first part of a repository's path is its owner: an organisation, unless among `users`."""

    def __init__(self, *, largest_page: int = 100) -> None:
        super().__init__(sign_in=SignIn("bearer"), catalog=False, referrers=False)
        self.largest_page = largest_page
        self.users: set[str] = set()
        # The webhooks of organisations, as they were asked for.
        self.hooks: dict[str, list[dict[str, Any]]] = {}
        self.pinged: list[int] = []
        self._ids: dict[str, int] = {}
        self._numbers = itertools.count(388378656)

    def routes(self) -> list[web.RouteDef]:
        package = "/{kind:orgs|users}/{owner}/packages/container/{package}"
        return [
            web.get("/users/{owner}", self._get_account),
            web.get("/{kind:orgs|users}/{owner}/packages", self._list_packages),
            web.delete(package, self._delete_package),
            web.get(package + "/versions", self._list_versions),
            web.delete(package + "/versions/{id}", self._delete_version),
            web.get("/orgs/{owner}/hooks", self._list_hooks),
            web.post("/orgs/{owner}/hooks", self._add_hook),
            web.patch("/orgs/{owner}/hooks/{id}", self._change_hook),
            web.delete("/orgs/{owner}/hooks/{id}", self._delete_hook),
            web.post("/orgs/{owner}/hooks/{id}/pings", self._ping_hook),
            *super().routes(),
        ]

    def judge(self, request: web.Request) -> web.StreamResponse | None:
        if request.path.startswith(("/orgs/", "/users/")):
            given = request.headers.get("Authorization")
            return None if given == f"Bearer {PASSWORD}" else _say(401, "Bad credentials")
        return super().judge(request)

    def _is_misplaced(self, request: web.Request) -> bool:
        is_user = request.match_info["owner"].lower() in self.users
        return is_user != (request.match_info["kind"] == "users")

    def _package(self, request: web.Request) -> Holdings | None:
        if self._is_misplaced(request):
            return None
        owner, package = request.match_info["owner"].lower(), request.match_info["package"]
        return self.repositories.get(f"{owner}/{package}")

    async def _get_account(self, request: web.Request) -> web.Response:
        owner = request.match_info["owner"]
        is_user = owner.lower() in self.users
        return web.json_response({"login": owner, "type": "User" if is_user else "Organization"})

    async def _list_packages(self, request: web.Request) -> web.Response:
        if self._is_misplaced(request):
            return _say(404, "Not Found")
        owner = request.match_info["owner"].lower()
        names = [
            path.partition("/")[2] for path in self.repositories if path.startswith(f"{owner}/")
        ]
        assert request.query["package_type"] == "container"
        entries = [
            {"id": number, "name": name, "package_type": "container", "repository": None}
            for number, name in enumerate(names)
        ]
        return self._pages_of(request, entries)

    def _hooks_of(self, request: web.Request) -> list[dict[str, Any]]:
        return self.hooks.setdefault(request.match_info["owner"].lower(), [])

    def _hook(self, request: web.Request) -> dict[str, Any] | None:
        wanted = request.match_info["id"]
        return next((it for it in self._hooks_of(request) if str(it["id"]) == wanted), None)

    async def _list_hooks(self, request: web.Request) -> web.Response:
        return self._pages_of(request, [_shown(it) for it in self._hooks_of(request)])

    async def _add_hook(self, request: web.Request) -> web.Response:
        asked = await request.json()
        if asked["name"] != "web":
            return _say(422, "Validation Failed")
        taken = {it["config"]["url"] for it in self._hooks_of(request)}
        if asked["config"]["url"] in taken:
            return _say(422, "Hook already exists on this organization")
        hook = {"id": next(self._numbers), "type": "Organization", **asked}
        self._hooks_of(request).append(hook)
        return web.json_response(_shown(hook), status=201)

    async def _change_hook(self, request: web.Request) -> web.Response:
        if (hook := self._hook(request)) is None:
            return _say(404, "Not Found")
        hook.update(await request.json())
        return web.json_response(_shown(hook))

    async def _delete_hook(self, request: web.Request) -> web.Response:
        if (hook := self._hook(request)) is None:
            return _say(404, "Not Found")
        self._hooks_of(request).remove(hook)
        return web.Response(status=204)

    async def _ping_hook(self, request: web.Request) -> web.Response:
        if (hook := self._hook(request)) is None:
            return _say(404, "Not Found")
        self.pinged.append(hook["id"])
        return web.Response(status=204)

    async def _list_versions(self, request: web.Request) -> web.Response:
        if (holdings := self._package(request)) is None:
            return _say(404, "Package not found.")
        tags: dict[str, list[str]] = {}
        for tag, digest in holdings.tags.items():
            tags.setdefault(digest, []).append(tag)
        entries = [
            {
                "id": self._id(digest),
                "name": digest,
                "created_at": "2026-03-01T23:04:10Z",
                "updated_at": "2026-05-03T01:05:57Z",
                "metadata": {
                    "package_type": "container",
                    "container": {"tags": tags.get(digest, [])},
                },
            }
            for digest in holdings.manifests
        ]
        return self._pages_of(request, entries)

    def _id(self, digest: str) -> int:
        if digest not in self._ids:
            self._ids[digest] = next(self._numbers)
        return self._ids[digest]

    async def _delete_version(self, request: web.Request) -> web.Response:
        holdings = self._package(request) or Holdings()
        wanted = int(request.match_info["id"])
        digest = next((it for it in holdings.manifests if self._id(it) == wanted), None)
        if digest is None:
            return _say(404, "Package version not found.")
        left = {tag: at for tag, at in holdings.tags.items() if at != digest}
        if not left and holdings.tags:
            said = "You cannot delete the last tagged version of a package. You must delete the package instead."
            return _say(400, said)
        del holdings.manifests[digest]
        holdings.tags = left
        return web.Response(status=204)

    async def _delete_package(self, request: web.Request) -> web.Response:
        holdings = self._package(request)
        if holdings is None:
            return _say(404, "Package not found.")
        holdings.manifests.clear()
        holdings.tags.clear()
        self.delete_repository(
            f"{request.match_info['owner'].lower()}/{request.match_info['package']}"
        )
        return web.Response(status=204)

    async def _delete_manifest(self, request: web.Request) -> web.StreamResponse:
        return error(405, "UNSUPPORTED", "The operation is unsupported.")

    def _pages_of(self, request: web.Request, entries: list[Any]) -> web.Response:
        size = min(int(request.query.get("per_page", 30)), self.largest_page)
        page = int(request.query.get("page", 1))
        headers = {}
        if page * size < len(entries):
            query = request.rel_url.update_query(page=page + 1).query_string
            headers["Link"] = (
                f'<{self.url}/organizations/9919/packages?{query}>; rel="next", '
                f'<{self.url}/organizations/9919/packages?page=99>; rel="last"'
            )
        return web.json_response(entries[(page - 1) * size : page * size], headers=headers)


def _shown(hook: dict[str, Any]) -> dict[str, Any]:
    """A webhook as GitHub's answers have it: of the secret only that there is one."""
    return {**hook, "config": {**hook["config"], "secret": "********"}}


def is_used_up(*, resets_at: int, times: int) -> How:
    """Answer as GitHub does once the hour's requests are used up: a 403 with a Unix time."""
    count = itertools.count()

    async def answer(_: web.Request) -> web.StreamResponse | None:
        if next(count) >= times:
            return None
        headers = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(resets_at)}
        return _say(403, "API rate limit exceeded for user ID 1.", headers)

    return answer


def _say(status: int, message: str, headers: dict[str, str] | None = None) -> web.Response:
    return web.json_response({"message": message}, status=status, headers=headers)
