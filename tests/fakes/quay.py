"""A Quay in this process, written from quay/quay's endpoints/api and endpoints/v2.

The registry takes tokens of its own server, the API an OAuth token; robots have no way into the API.
"""

import base64
import itertools
import json
import re
from collections.abc import Callable
from typing import Any

from aiohttp import web

from registries.oci import mediatypes
from tests.fakes.content import Holdings, Pushed
from tests.fakes.registry import FakeRegistry, error
from tests.fakes.sign_in import PASSWORD, USERNAME, SignIn

API_TOKEN = "an-oauth-token-of-forty-characters-or-so"
PUSHED = 1772366400  # 2026-03-01T12:00:00Z
_SCOPE = re.compile(r"repository:([a-z0-9._/-]+):((?:push|pull|\*)(?:,(?:push|pull|\*))*)")


class QuayDoor(SignIn):
    """Quay's token server: it knows pull, push and `*`, and creates what one wants to push to.

    `may_push` is whether the account has that right. Tokens say in themselves what they are for.
    """

    def __init__(self, exists: Callable[[str], bool], create: Callable[[str], None]) -> None:
        super().__init__("bearer")
        self.may_push = True
        self._exists, self._create = exists, create
        self._given: dict[str, dict[str, list[str]]] = {}

    def judge(self, request: web.Request, url: str) -> web.Response | None:
        """Let in who holds a token for the repository; the catalog is for everybody, and empty."""
        name = request.match_info.get("name")
        rights = self._given.get(request.headers.get("Authorization", "").removeprefix("Bearer "))
        if request.path == "/v2/_catalog":
            return None
        needed = "push" if request.method == "DELETE" else "pull"
        if rights is not None and (not name or needed in rights.get(name, ())):
            return None
        wanted = f',scope="repository:{name}:pull"' if name else ""
        challenge = f'Bearer realm="{url}/v2/auth",service="quay.example"{wanted}'
        refused = error(401, "UNAUTHORIZED", "access to the requested resource is not authorized")
        refused.headers["WWW-Authenticate"] = challenge
        return refused

    def knows(self, request: web.Request) -> bool:
        """Say whether a request brings a token of somebody."""
        return request.headers.get("Authorization", "").removeprefix("Bearer ") in self._given

    async def give_token(self, request: web.Request) -> web.Response:
        """Answer GET /v2/auth."""
        self.token_requests.append(request.path_qs)
        given, scopes = request.headers.get("Authorization"), request.query.getall("scope", [])
        is_somebody = given in (_basic(USERNAME, PASSWORD), _basic("$oauthtoken", API_TOKEN))
        if not is_somebody and (given is not None or not scopes):
            return error(401, "UNAUTHORIZED", "Invalid username or password.")
        rights: dict[str, list[str]] = {}
        for scope in scopes:
            if (found := _SCOPE.fullmatch(scope)) is None:
                return error(400, "INVALID_REQUEST", f"Unable to decode {scope}")
            name, asked = found[1], found[2].split(",")
            if "push" in asked and is_somebody and not self._exists(name):
                self._create(name)
            may = {"pull": True, "push": is_somebody and self.may_push, "*": False}
            rights[name] = [action for action in asked if may[action]]
        token = _jwt(rights, next(self._count))
        self._given[token] = rights
        return web.json_response({"token": token})  # neither expires_in nor access_token

    def forget_tokens(self) -> None:
        """Withdraw every token given out."""
        self._given.clear()


class FakeQuay(FakeRegistry):
    """A Quay. `hides` is whether it answers 403 for what is not there, as to people without rights.

    What the API tells besides: `organisations` by name (their teams, members, robots, quota),
    `permissions` by repository and kind, `notifications` by repository.
    """

    def __init__(self, *, largest_page: int = 100) -> None:
        self.door = QuayDoor(
            lambda name: name in self.repositories,
            lambda name: self.repositories.update({name: Holdings()}),
        )
        super().__init__(sign_in=self.door)
        self.largest_page = largest_page
        self.hides = False
        self.public = True
        self.deletes_tags = True
        self.user: dict[str, Any] | None = {"username": USERNAME, "organizations": []}
        self.organisations: dict[str, dict[str, Any]] = {}
        self.permissions: dict[tuple[str, str], dict[str, Any]] = {}
        self.notifications: dict[str, list[dict[str, Any]]] = {}
        self.tested: list[str] = []
        self._ids = itertools.count(1)
        self._listed: dict[str, list[dict[str, Any]]] = {}

    def push(self, repository: str, manifest: Pushed, *tags: str) -> str:
        """Store a manifest; what was listed of its repository is worked out again."""
        self._listed.pop(repository, None)
        return super().push(repository, manifest, *tags)

    def delete_tag(self, repository: str, tag: str) -> None:
        """Take a tag away; what was listed of its repository is worked out again."""
        self._listed.pop(repository, None)
        super().delete_tag(repository, tag)

    def judge(self, request: web.Request) -> web.StreamResponse | None:
        """Want the OAuth token for the API; without any, only reading of what is public."""
        if request.path == "/v2/auth":
            return None
        if request.path.startswith("/v2/"):
            return self.door.judge(request, self.url)
        given = request.headers.get("Authorization")
        if given == f"Bearer {API_TOKEN}" or (given is None and self._is_public(request)):
            return None
        return _problem(401, "invalid_token", "Requires authentication")

    def _is_public(self, request: web.Request) -> bool:
        return self.public and request.method == "GET" and "/repository" in request.path

    def routes(self) -> list[web.RouteDef]:
        """Return the API's, before the registry's."""
        repository = "/api/v1/repository/{path:.+}"
        organisation = "/api/v1/organization/{name}"
        return [
            web.get("/v2/auth", self.door.give_token),
            web.get("/v2/_catalog", self._everybodys_catalog),
            web.get("/api/v1/user/", self._about_user),
            web.get("/api/v1/repository", self._list_repositories),
            web.get(repository + "/tag/", self._list_tags),
            web.delete(repository + "/tag/{tag}", self._delete_tag),
            web.get(repository + "/permissions/{kind}/", self._list_permissions),
            web.get(repository + "/notification/", self._list_notifications),
            web.post(repository + "/notification/", self._create_notification),
            web.delete(repository + "/notification/{uuid}", self._delete_notification),
            web.post(repository + "/notification/{uuid}/test", self._test_notification),
            web.delete(repository, self._delete_repository),
            web.get(organisation, self._about_organisation),
            web.get(organisation + "/{what}", self._list_of_organisation),
            *super().routes(),
        ]

    # The registry

    async def _everybodys_catalog(self, request: web.Request) -> web.StreamResponse:
        if not self.door.knows(request):
            return web.json_response({"repositories": []})
        return await self._get_catalog(request)

    async def _delete_manifest(self, request: web.Request) -> web.StreamResponse:
        holdings = self.repositories.get(request.match_info["name"], Holdings())
        reference = request.match_info["reference"]
        if ":" not in reference and not self.deletes_tags:
            return error(405, "UNSUPPORTED", "The operation is unsupported.")
        found = [tag for tag, digest in holdings.tags.items() if reference in (tag, digest)]
        if not found:
            return error(404, "MANIFEST_UNKNOWN", "manifest unknown")
        for tag in found:
            self._untag(holdings, tag)
        return web.Response(status=202)

    def _untag(self, holdings: Holdings, tag: str) -> None:
        """Take a tag away, and with the last one its manifest, as its garbage collector does."""
        self._listed.clear()
        digest = holdings.tags.pop(tag)
        if digest not in holdings.tags.values():
            del holdings.manifests[digest]

    # The API

    async def _about_user(self, _: web.Request) -> web.Response:
        if self.user is None:
            return _problem(403, "insufficient_scope", "Unauthorized")
        return web.json_response(self.user)

    async def _list_repositories(self, request: web.Request) -> web.Response:
        if not (namespace := request.query.get("namespace")):
            message = "namespace, starred or public are required for this API call"
            return _problem(400, "invalid_request", message)
        names = sorted(name for name in self.repositories if name.startswith(f"{namespace}/"))
        first = int(base64.b64decode(request.query.get("next_page", "MA==")))
        last = first + self.largest_page
        body: dict[str, Any] = {
            "repositories": [
                {
                    "namespace": namespace,
                    "name": name.partition("/")[2],
                    "description": None,
                    "is_public": self.public,
                    "kind": "image",
                    "state": "NORMAL",
                    "quota": None,
                }
                for name in names[first:last]
            ]
        }
        if last < len(names):
            body["next_page"] = base64.b64encode(str(last).encode()).decode()
        return web.json_response(body)

    async def _list_tags(self, request: web.Request) -> web.Response:
        if (holdings := self.repositories.get(request.match_info["path"])) is None:
            return self._missing()
        size = min(int(request.query.get("limit", 50)), self.largest_page)
        first = (int(request.query.get("page", 1)) - 1) * size
        listed = self._listed.get(request.match_info["path"])
        if listed is None:
            # The latest goes first.
            listed = [_tag(name, holdings) for name in reversed(holdings.tags)]
            self._listed[request.match_info["path"]] = listed
        body = {
            "tags": listed[first : first + size],
            "page": int(request.query.get("page", 1)),
            "has_additional": first + size < len(listed),
        }
        return web.json_response(body)

    async def _delete_tag(self, request: web.Request) -> web.Response:
        holdings = self.repositories.get(request.match_info["path"], Holdings())
        if request.match_info["tag"] not in holdings.tags:
            return self._missing()
        self._untag(holdings, request.match_info["tag"])
        return web.Response(status=204)

    async def _delete_repository(self, request: web.Request) -> web.Response:
        if request.match_info["path"] not in self.repositories:
            return self._missing()
        self._listed.clear()
        self.delete_repository(request.match_info["path"])
        return web.Response(status=204)

    async def _list_permissions(self, request: web.Request) -> web.Response:
        key = request.match_info["path"], request.match_info["kind"]
        return web.json_response({"permissions": self.permissions.get(key, {})})

    async def _about_organisation(self, request: web.Request) -> web.Response:
        about = self.organisations.get(request.match_info["name"])
        if about is None:
            return self._missing()
        return web.json_response(
            {"name": request.match_info["name"]}
            | {key: about[key] for key in ("teams", "quota_report") if key in about}
        )

    async def _list_of_organisation(self, request: web.Request) -> web.Response:
        about = self.organisations.get(request.match_info["name"], {})
        what = request.match_info["what"]
        if what not in about:
            return _problem(403, "insufficient_scope", "Unauthorized")
        listed = about[what]
        if what == "robots" and request.query.get("token") != "false":
            listed = [{**robot, "token": "a-robots-secret"} for robot in listed]
        return web.json_response({what: listed})

    async def _list_notifications(self, request: web.Request) -> web.Response:
        listed = self.notifications.get(request.match_info["path"], [])
        return web.json_response({"notifications": listed})

    async def _create_notification(self, request: web.Request) -> web.Response:
        asked = await request.json()
        if missing := {"event", "method", "config", "eventConfig"} - asked.keys():
            return _problem(400, "invalid_request", f"{missing} is a required property")
        made = {
            "uuid": f"00000000-0000-0000-0000-{next(self._ids):012}",
            "title": asked.get("title"),
            "event": asked["event"],
            "method": asked["method"],
            "config": asked["config"],
            "event_config": asked["eventConfig"],
            "number_of_failures": 0,
        }
        self.notifications.setdefault(request.match_info["path"], []).append(made)
        return web.json_response(made, status=201)

    async def _delete_notification(self, request: web.Request) -> web.Response:
        listed = self.notifications.get(request.match_info["path"], [])
        left = [it for it in listed if it["uuid"] != request.match_info["uuid"]]
        if len(left) == len(listed):
            return _problem(400, "invalid_request", "No repository notification found")
        self.notifications[request.match_info["path"]] = left
        return web.Response(status=204)

    async def _test_notification(self, request: web.Request) -> web.Response:
        self.tested.append(request.match_info["uuid"])
        return web.json_response({})

    def _missing(self) -> web.Response:
        if self.hides:
            return _problem(403, "insufficient_scope", "Unauthorized")
        return _problem(404, "not_found", "Not Found")


def _tag(name: str, holdings: Holdings) -> dict[str, Any]:
    manifest = holdings.manifests[holdings.tags[name]]
    is_list = mediatypes.is_index(manifest.media_type)
    layers = manifest.document.get("layers") or ()
    return {
        "name": name,
        "reversion": False,
        "start_ts": PUSHED,
        "manifest_digest": manifest.digest,
        "is_manifest_list": is_list,
        "size": None if is_list else sum(layer["size"] for layer in layers),
        "last_modified": "Sun, 01 Mar 2026 12:00:00 -0000",
    }


def _problem(status: int, kind: str, detail: str) -> web.Response:
    body = {"detail": detail, "error_type": kind, "title": kind, "status": status}
    return web.json_response(body, status=status)


def _jwt(rights: dict[str, list[str]], number: int) -> str:
    access = [
        {"type": "repository", "name": name, "actions": actions} for name, actions in rights.items()
    ]
    parts: tuple[dict[str, Any], ...] = ({"alg": "none"}, {"access": access, "jti": number}, {})
    return ".".join(
        base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts
    )


def _basic(name: str, secret: str) -> str:
    return "Basic " + base64.b64encode(f"{name}:{secret}".encode()).decode()
