"""GitLab: its API and its registry, at one address.

Written from docs.gitlab.com, "Container registry API" and "Groups API", and GitLab's registry,
docs/spec/gitlab/api.md: offset pages of a hundred with absolute links, tags by name only, an API of
the registry's own that lists a thousand with digests, tokens from /jwt/auth.
"""

from typing import Any

from aiohttp import web

from tests.fakes.content import Holdings
from tests.fakes.registry import FakeRegistry, error
from tests.fakes.sign_in import PASSWORD, SignIn, challenge


class GitlabSignIn(SignIn):
    """A door whose challenge leads to /jwt/auth."""

    def judge(self, request: web.Request, url: str) -> web.Response | None:
        refusal = super().judge(request, url)
        if refusal is None:
            return None
        said = refusal.headers["WWW-Authenticate"].replace(f"{url}/token", f"{url}/jwt/auth")
        return challenge(said.replace('service="fake"', 'service="container_registry"'))


class FakeGitlab(FakeRegistry):
    """The first two parts of a repository's path are its project, the first is its group.

    Without `has_database` the registry has the standard's API alone. `emptied` are repositories that
    GitLab still lists and its registry knows no more.
    """

    def __init__(self, *, page_size: int = 1000, has_database: bool = True) -> None:
        super().__init__(sign_in=GitlabSignIn("bearer"), page_size=page_size, catalog=False)
        self.has_database = has_database
        self.largest_page = 100
        self.emptied: list[str] = []
        self.token = PASSWORD
        self._projects: dict[str, int] = {}
        self._ids: dict[str, int] = {}

    def routes(self) -> list[web.RouteDef]:
        api = "/api/v4"
        listing = "/registry/repositories"
        return [
            web.get("/jwt/auth", self.sign_in.give_token),
            web.get("/gitlab/v1/repositories/{name:.+}/tags/list/", self._list_own_tags),
            web.get(f"{api}/groups", self._list_groups),
            web.get(f"{api}/groups/{{id}}{listing}", self._list_of_group),
            web.get(f"{api}/projects/{{id}}{listing}", self._list_of_project),
            web.delete(f"{api}/projects/{{id}}{listing}/{{number}}", self._delete_repository),
            *super().routes(),
        ]

    def judge(self, request: web.Request) -> web.StreamResponse | None:
        if request.path.startswith("/api/"):
            given = request.headers.get("PRIVATE-TOKEN")
            return None if given == self.token else _say(401, "401 Unauthorized")
        if request.path.startswith("/gitlab/"):
            return self.sign_in.judge(request, self.url) if self.has_database else None
        return super().judge(request)

    def _paths(self) -> list[str]:
        return [*self.repositories, *self.emptied]

    def _project(self, path: str) -> str:
        return "/".join(path.split("/")[:2])

    def _project_id(self, path: str) -> int:
        return self._projects.setdefault(self._project(path), len(self._projects) + 1)

    def _entry(self, path: str) -> dict[str, Any]:
        return {
            "id": self._ids.setdefault(path, len(self._ids) + 100),
            "name": path.removeprefix(self._project(path)).lstrip("/"),
            "path": path,
            "project_id": self._project_id(path),
            "created_at": "2019-01-10T13:39:08.229Z",
            "status": None,
        }

    async def _list_groups(self, request: web.Request) -> web.Response:
        assert request.query["top_level_only"] == "true"
        names = dict.fromkeys(path.partition("/")[0] for path in self._paths())
        groups = [{"id": 1000 + at, "full_path": name} for at, name in enumerate(names)]
        return self._pages_of(request, groups)

    async def _list_of_group(self, request: web.Request) -> web.Response:
        wanted = request.match_info["id"]
        if wanted.isdigit():
            names = list(dict.fromkeys(path.partition("/")[0] for path in self._paths()))
            wanted = names[int(wanted) - 1000]
        paths = [path for path in self._paths() if path.startswith(f"{wanted}/")]
        if not paths:
            return _say(404, "404 Group Not Found")
        return self._pages_of(request, list(map(self._entry, paths)))

    async def _list_of_project(self, request: web.Request) -> web.Response:
        wanted = request.match_info["id"]
        paths = [path for path in self._paths() if self._project(path) == wanted]
        if not paths:
            return _say(404, "404 Project Not Found")
        return self._pages_of(request, list(map(self._entry, paths)))

    async def _delete_repository(self, request: web.Request) -> web.Response:
        number, project = int(request.match_info["number"]), int(request.match_info["id"])
        for path in list(self.repositories):
            if self._ids.get(path) == number and self._project_id(path) == project:
                self.delete_repository(path)
                return web.json_response(202, status=202)
        return _say(404, "404 Not found")

    async def _list_own_tags(self, request: web.Request) -> web.Response:
        if not self.has_database:
            return web.Response(status=404, text="404 page not found\n")
        if (holdings := self._holdings(request)) is None:
            return error(404, "NAME_UNKNOWN", "repository name not known to registry")
        wanted = min(int(request.query.get("n", 100)), self.page_size)
        names = sorted(name for name in holdings.tags if name > request.query.get("last", ""))
        entries = [self._described(name, holdings) for name in names[:wanted]]
        headers = {}
        if len(names) > wanted:
            query = f"n={wanted}&last={names[wanted - 1]}"
            headers["Link"] = f'<{self.url}{request.path}?{query}>; rel="next"'
        return web.json_response(entries, headers=headers)

    def _described(self, tag: str, holdings: Holdings) -> dict[str, Any]:
        digest = holdings.tags[tag]
        manifest = holdings.manifests[digest]
        return {
            "name": tag,
            "digest": digest,
            "media_type": manifest.media_type,
            "size_bytes": sum(layer["size"] for layer in manifest.document.get("layers", ())),
            "created_at": "2022-06-07T12:11:13.633Z",
            "published_at": "2022-06-07T14:37:49.251Z",
        }

    async def _delete_manifest(self, request: web.Request) -> web.StreamResponse:
        holdings = self._holdings(request) or Holdings()
        if request.match_info["reference"] in holdings.tags:
            del holdings.tags[request.match_info["reference"]]
            return web.Response(status=202)
        return await super()._delete_manifest(request)

    def _pages_of(self, request: web.Request, entries: list[Any]) -> web.Response:
        size = min(int(request.query.get("per_page", 20)), self.largest_page)
        page = int(request.query.get("page", 1))
        headers = {}
        if page * size < len(entries):
            following = request.rel_url.update_query(page=page + 1).query_string
            headers["Link"] = f'<{self.url}{request.path}?{following}>; rel="next"'
        return web.json_response(entries[(page - 1) * size : page * size], headers=headers)


def _say(status: int, message: str) -> web.Response:
    return web.json_response({"message": message}, status=status)
