"""A fake Gitea: the fake registry behind Gitea's token server, and its packages API.

Written from go-gitea/gitea routers/api/packages/container and routers/api/v1/packages (1.26), and held
against a real one by tests/live/test_gitea.py. A version is a tag, or the digest of a manifest
without one; a manifest goes with its last tag.
"""

import itertools
from typing import Any
from urllib.parse import urlencode

from aiohttp import web

from tests.fakes.content import Holdings
from tests.fakes.registry import FakeRegistry, error
from tests.fakes.sign_in import USERNAME, SignIn, basic, challenge

# [api] MAX_RESPONSE_ITEMS and DEFAULT_PAGING_NUM.
MOST, USUAL = 50, 30


class GiteaSignIn(SignIn):
    """Its token server: whatever the scope, one token for all, and no expires_in."""

    def judge(self, request: web.Request, url: str) -> web.Response | None:
        """Return the 401 for a request without a token of ours."""
        if request.headers.get("Authorization", "").removeprefix("Bearer ") in self._rights:
            return None
        return challenge(f'Bearer realm="{url}/v2/token",service="container_registry",scope="*"')

    async def give_token(self, request: web.Request) -> web.Response:
        """Answer GET on the realm, whatever scope is asked for."""
        self.token_requests.append(request.path_qs)
        given = request.headers.get("Authorization")
        if given != basic():
            return web.json_response({"errors": [{"code": "UNAUTHORIZED"}]}, status=401)
        token = f"token-{next(self._count)}"
        self._rights[token] = []
        return web.json_response({"token": token})


class FakeGitea(FakeRegistry):
    """A Gitea on a free port of this machine. `deletes_packages` is what came with version 1.25."""

    def __init__(self, *, page_size: int = 100, deletes_packages: bool = True) -> None:
        super().__init__(sign_in=GiteaSignIn("bearer"), page_size=page_size)
        self.deletes_packages = deletes_packages
        self.pushed_at = "2026-11-20T13:00:00+01:00"
        self.organisations = ["library", "team-a"]
        # Before 1.18.4 it took a webhook's event `package`, and left it out.
        self.hooks_tell_of_packages = True
        self.hooks: dict[str, list[dict[str, Any]]] = {}
        self._numbers = itertools.count(1)

    def routes(self) -> list[web.RouteDef]:
        """Return the API's addresses before the registry's."""
        package = "/api/v1/packages/{owner}/container/{package}"
        return [
            web.get("/v2/token", self.sign_in.give_token),
            web.get("/api/v1/packages/{owner}", self._get_versions),
            web.delete(package, self._delete_package),
            web.delete(package + "/{version}", self._delete_version),
            web.get("/api/v1/user", self._get_user),
            web.get("/api/v1/user/orgs", self._get_organisations),
            web.get("/api/v1/orgs/{owner}", self._get_organisation),
            web.get("/api/v1/{place:user|orgs/[^/]+}/hooks", self._get_hooks),
            web.post("/api/v1/{place:user|orgs/[^/]+}/hooks", self._add_hook),
            web.delete("/api/v1/{place:user|orgs/[^/]+}/hooks/{id}", self._delete_hook),
            *super().routes(),
        ]

    def judge(self, request: web.Request) -> web.StreamResponse | None:
        """Return the refusal: the API takes the password itself."""
        if request.path == "/v2/token":
            return None
        if request.path.startswith("/api/"):
            is_known = request.headers.get("Authorization") == basic()
            return None if is_known else web.json_response({"message": "no"}, status=401)
        return super().judge(request)

    def _versions(self, owner: str) -> list[dict[str, Any]]:
        """Every version of every package of an owner, the newest (here: the last) first."""
        versions: list[dict[str, Any]] = []
        for path, holdings in self.repositories.items():
            held_by, _, package = path.partition("/")
            untagged = set(holdings.manifests) - set(holdings.tags.values())
            for version in (*holdings.tags, *sorted(untagged)) if held_by == owner else ():
                versions.append(
                    {
                        "id": len(versions) + 1,
                        "owner": {"login": owner},
                        "repository": None,
                        "type": "container",
                        "name": package,
                        "version": version,
                        "created_at": self.pushed_at,
                    }
                )
        return versions[::-1]

    async def _get_catalog(self, request: web.Request) -> web.StreamResponse:
        # An emptied package stays until a nightly job, and is not listed.
        held = [path for path, holdings in self.repositories.items() if holdings.manifests]
        return self._page(request, "repositories", sorted(held))

    async def _get_versions(self, request: web.Request) -> web.StreamResponse:
        part = request.query.get("q", "")
        found = [it for it in self._versions(request.match_info["owner"]) if part in it["name"]]
        limit = min(int(request.query.get("limit", USUAL)), MOST)
        page = int(request.query.get("page", 1))
        headers = {"X-Total-Count": str(len(found))}
        if page * limit < len(found):
            query = urlencode({**request.query, "page": page + 1})
            # Absolute, by the address that its owner configured.
            headers["Link"] = f'<{self.url}{request.path}?{query}>; rel="next"'
        return web.json_response(found[(page - 1) * limit : page * limit], headers=headers)

    async def _get_user(self, _: web.Request) -> web.StreamResponse:
        return web.json_response({"login": USERNAME})

    async def _get_organisations(self, _: web.Request) -> web.StreamResponse:
        return web.json_response([{"name": it, "username": it} for it in self.organisations])

    async def _get_organisation(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["owner"]
        if name not in self.organisations:
            return web.json_response({"message": "not found"}, status=404)
        return web.json_response({"name": name, "username": name})

    async def _get_hooks(self, request: web.Request) -> web.StreamResponse:
        return web.json_response(self.hooks.get(request.match_info["place"], []))

    async def _add_hook(self, request: web.Request) -> web.StreamResponse:
        asked = await request.json()
        if asked["type"] != "gitea" or asked["config"].get("content_type") != "json":
            return web.json_response({"message": "Invalid hook type"}, status=422)
        events = [it for it in asked["events"] if it != "package" or self.hooks_tell_of_packages]
        hook = {
            "id": next(self._numbers),
            "name": asked.get("name", ""),
            "type": "gitea",
            # The secret is in no answer.
            "config": {key: asked["config"][key] for key in ("url", "content_type")},
            "events": events,
            "authorization_header": asked.get("authorization_header", ""),
            "active": asked["active"],
        }
        self.hooks.setdefault(request.match_info["place"], []).append(hook)
        return web.json_response(hook, status=201)

    async def _delete_hook(self, request: web.Request) -> web.StreamResponse:
        hooks = self.hooks.get(request.match_info["place"], [])
        left = [it for it in hooks if str(it["id"]) != request.match_info["id"]]
        if len(left) == len(hooks):
            return web.json_response({"message": "not found"}, status=404)
        self.hooks[request.match_info["place"]] = left
        return web.Response(status=204)

    async def _delete_package(self, request: web.Request) -> web.StreamResponse:
        path = "{owner}/{package}".format(**request.match_info)
        if not self.deletes_packages or self.repositories.pop(path, None) is None:
            return web.Response(status=404, text="404 page not found\n")
        return web.Response(status=204)

    async def _delete_version(self, request: web.Request) -> web.StreamResponse:
        path = "{owner}/{package}".format(**request.match_info)
        holdings = self.repositories.get(path, Holdings())
        if not _remove(holdings, request.match_info["version"]):
            return web.json_response({"message": "not found"}, status=404)
        return web.Response(status=204)

    async def _delete_manifest(self, request: web.Request) -> web.StreamResponse:
        holdings = self._holdings(request) or Holdings()
        if not _remove(holdings, request.match_info["reference"]):
            return error(404, "MANIFEST_UNKNOWN", "manifest unknown")
        return web.Response(status=202)


def _remove(holdings: Holdings, reference: str) -> bool:
    """Take a version away, or with a digest all that are it; says whether there was one."""
    digest = holdings.tags.get(reference, reference)
    if digest not in holdings.manifests:
        return False
    gone = [reference] if reference in holdings.tags else list(holdings.tags)
    for tag in gone:
        if holdings.tags[tag] == digest:
            del holdings.tags[tag]
    if digest not in holdings.tags.values():
        del holdings.manifests[digest]
    return True
