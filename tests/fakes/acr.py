"""A registry of Azure in this process.

Written from Azure/acr-cli docs/swagger.yaml and Azure/acr docs/AAD-OAuth.md, and held against the
recorded answers in the samples: pages of a hundred with relative links, tokens that say nothing of
their end, wildcards that are dropped, locks that answer 405.
"""

import base64
import itertools
import json
import time
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, quote

from aiohttp import web

from registries.oci import mediatypes
from tests.fakes.azure import REGISTRY_SCOPE, FakeEntra
from tests.fakes.content import Holdings, Pushed
from tests.fakes.registry import FakeRegistry, error
from tests.fakes.sign_in import PASSWORD, USERNAME

PAGE = 100
SERVICE = "myregistry.azurecr.io"
REFRESH_USER = "00000000-0000-0000-0000-000000000000"
_OPEN = {"deleteEnabled": True, "writeEnabled": True, "readEnabled": True, "listEnabled": True}
_FIRST = datetime(2023, 3, 1, tzinfo=UTC)
_ACTION = {"GET": "metadata_read", "PATCH": "metadata_write", "DELETE": "delete"}


class FakeAcr(FakeRegistry):
    """A registry of Azure; `abac` drops wildcards, `lister` is the right to the catalog.

    `denied` are repositories to which the account has no right. `entra` is whose tokens are taken
    in exchange. Changes to what it holds go through its methods: pages are kept ready.
    """

    def __init__(self, *, abac: bool = True, lister: bool = True) -> None:
        super().__init__()
        self.abac = abac
        self.lister = lister
        self.denied: set[str] = set()
        self.refuses_whole = False  # as for a repository token that lacks one of the scopes
        self.entra: FakeEntra | None = None
        self.passwords = {USERNAME: PASSWORD}
        self.lifetime = 4500
        self.calls_left = "166.616667"
        self.token_requests: list[list[str]] = []
        self.locks: dict[tuple[str, str], dict[str, bool]] = {}
        self._times: dict[tuple[str, str], str] = {}
        self._rights: dict[str, dict[str, set[str]]] = {}
        self._refresh: set[str] = set()
        self._count = itertools.count()
        self._pages: dict[str, tuple[bytes, str]] = {}

    # What it holds

    def push(self, repository: str, manifest: Pushed, *tags: str) -> str:
        self._pages.clear()
        digest = super().push(repository, manifest, *tags)
        moment = _FIRST + timedelta(seconds=len(self._times))
        text = moment.strftime("%Y-%m-%dT%H:%M:%S.1234567Z")
        self._times.setdefault((repository, digest), text)
        self._times.update({(repository, tag): text for tag in tags})
        return digest

    def delete_tag(self, repository: str, tag: str) -> None:
        self._pages.clear()
        super().delete_tag(repository, tag)

    def delete_repository(self, repository: str) -> None:
        self._pages.clear()
        super().delete_repository(repository)

    def lock(self, repository: str, part: str = "", **switches: bool) -> None:
        """Set switches of a repository, or of the tag or digest `part` in it."""
        self._pages.clear()
        self.locks[repository, part] = {**self.switches(repository, part), **switches}

    def switches(self, repository: str, part: str = "") -> dict[str, bool]:
        """Return what is allowed with a repository, or with a tag or digest in it."""
        return self.locks.get((repository, part), _OPEN)

    def forget_tokens(self) -> None:
        """Withdraw every access token given out."""
        self._rights.clear()

    def forget_refresh_tokens(self) -> None:
        """Withdraw every refresh token given out."""
        self._refresh.clear()

    # Signing in

    def judge(self, request: web.Request) -> web.StreamResponse | None:
        if not request.path.startswith(("/v2/", "/acr/v1/")):
            return None
        kind, name, action = _needed(request)
        given = request.headers.get("Authorization", "").removeprefix("Bearer ")
        rights = self._rights.get(given)
        if rights is not None and (not action or action in rights.get(f"{kind}:{name}", ())):
            return None
        scope = f',scope="{kind}:{name}:{action}"' if action else ""
        insufficient = ',error="insufficient_scope"' if rights is not None and action else ""
        challenge = f'Bearer realm="{self.url}/oauth2/token",service="{SERVICE}"{scope}'
        refused = _unauthorized()
        refused.headers["WWW-Authenticate"] = challenge + insufficient
        return refused

    async def _get_token(self, request: web.Request) -> web.StreamResponse:
        user, _, password = _basic(request)
        known = self.passwords.get(user) == password
        if not known and not (user == REFRESH_USER and password in self._refresh):
            return _unauthorized()
        return self._token(request.query.getall("scope", []))

    async def _post_token(self, request: web.Request) -> web.StreamResponse:
        form = parse_qs(await request.text())
        token, grant = form.get("refresh_token", [""])[0], form.get("grant_type", [""])[0]
        if grant != "refresh_token" or form.get("service") != [SERVICE]:
            return error(400, "UNSUPPORTED", "unsupported grant")
        if token not in self._refresh:
            return _unauthorized()
        return self._token(form.get("scope", [""])[0].split())

    async def _exchange(self, request: web.Request) -> web.StreamResponse:
        form = {key: values[0] for key, values in parse_qs(await request.text()).items()}
        given = self.entra.given if self.entra else {}
        if given.get(form.get("access_token", "")) != REGISTRY_SCOPE:
            return _unauthorized()
        return web.json_response({"refresh_token": self.refresh_token()})

    def refresh_token(self) -> str:
        """Return a refresh token, as `az acr login --expose-token` does."""
        token = _jwt({"exp": int(time.time()) + 3 * 3600, "n": next(self._count)})
        self._refresh.add(token)
        return token

    def _token(self, scopes: list[str]) -> web.StreamResponse:
        self.token_requests.append(scopes)
        access = [entry for scope in scopes if (entry := self._granted(scope))]
        if self.refuses_whole and len(access) < len(scopes):
            return _unauthorized()
        claims = {"exp": int(time.time()) + self.lifetime, "n": next(self._count), "access": access}
        token = _jwt(claims)
        self._rights[token] = {
            f"{it['Type'].lower()}:{it['Name']}": set(it["Actions"]) for it in access
        }
        return web.json_response({"access_token": token})

    def _granted(self, scope: str) -> dict[str, Any] | None:
        kind, name, actions = scope.split(":")
        denied = name in self.denied or (kind == "registry" and not self.lister)
        if denied or (kind == "repository" and "*" in name and self.abac):
            return None
        return {"Type": kind, "Name": name, "Actions": actions.split(",")}

    # Its own API

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/oauth2/token", self._get_token),
            web.post("/oauth2/token", self._post_token),
            web.post("/oauth2/exchange", self._exchange),
            web.get("/acr/v1/_catalog", self._list_repositories),
            web.get("/acr/v1/{name:.+}/_tags", self._list_tags),
            web.get("/acr/v1/{name:.+}/_manifests", self._list_manifests),
            web.get("/acr/v1/{name:.+}/_tags/{tag}", self._get_part),
            web.get("/acr/v1/{name:.+}/_manifests/{digest}", self._get_part),
            web.delete("/acr/v1/{name:.+}/_tags/{tag}", self._untag),
            web.patch("/acr/v1/{name:.+}/_tags/{tag}", self._patch),
            web.patch("/acr/v1/{name:.+}/_manifests/{digest}", self._patch),
            web.get("/acr/v1/{name:.+}", self._get_repository),
            web.patch("/acr/v1/{name:.+}", self._patch),
            web.delete("/acr/v1/{name:.+}", self._delete_repository),
            *super().routes(),
        ]

    async def _list_repositories(self, request: web.Request) -> web.StreamResponse:
        return self._cached(request, lambda: ("repositories", [(n, n) for n in self._visible("")]))

    async def _list_tags(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["name"]
        if name not in self.repositories:
            return error(404, "NAME_UNKNOWN", "repository name not known to registry")

        def entries() -> list[tuple[str, Any]]:
            return [(tag, self._tag(name, tag)) for tag in self._visible(name, "tags")]

        return self._cached(request, lambda: ("tags", entries()), name)

    async def _list_manifests(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["name"]
        if name not in self.repositories:
            return error(404, "NAME_UNKNOWN", "repository name not known to registry")

        def entries() -> list[tuple[str, Any]]:
            digests = self._visible(name, "manifests")
            if request.query.get("orderby") == "timedesc":
                digests.sort(key=lambda digest: self._times[name, digest], reverse=True)
            tags: dict[str, list[str]] = {}
            for tag, digest in self.repositories[name].tags.items():
                tags.setdefault(digest, []).append(tag)
            return [(it, self._manifest(name, it, tags.get(it))) for it in digests]

        return self._cached(request, lambda: ("manifests", entries()), name)

    def _cached(self, request: web.Request, entries: Any, name: str = "") -> web.StreamResponse:
        """Answer with a page; all pages of a listing are made at once, then kept."""
        if request.path_qs not in self._pages:
            key, listed = entries()
            n = min(int(request.query.get("n", PAGE)), PAGE)
            self._make_pages(request, key, listed, n, name)
        body, link = self._pages[request.path_qs]
        headers = {"X-Ms-Ratelimit-Remaining-Calls-Per-Second": self.calls_left}
        if link:
            headers["Link"] = f'<{link}>; rel="next"'
        return web.Response(body=body, content_type="application/json", headers=headers)

    def _make_pages(
        self, request: web.Request, key: str, listed: list[tuple[str, Any]], n: int, name: str
    ) -> None:
        named = {"registry": SERVICE, "imageName": name} if name else {}
        # As in the recordings: the name quoted, an order that was not asked for empty.
        path = request.path.replace(name, quote(name, safe="")) if name else request.path
        order = request.query.get("orderby", "")
        address = request.path_qs
        starts = range(0, max(len(listed), 1), n)
        for start in starts:
            page = listed[start : start + n]
            query = f"?last={quote(page[-1][0], safe='')}&n={n}&orderby={order}" if page else ""
            following = path + query if start + n < len(listed) else ""
            body = json.dumps({**named, key: [entry for _, entry in page] or None}).encode()
            self._pages[address] = (body, following)
            address = f"{request.path}{query}"

    def _visible(self, name: str, of: str = "") -> list[str]:
        if not name:
            return sorted(it for it in self.repositories if self.switches(it)["listEnabled"])
        parts: Iterable[str] = getattr(self.repositories[name], of)
        return sorted(it for it in parts if self.switches(name, it)["listEnabled"])

    def _tag(self, name: str, tag: str) -> dict[str, Any]:
        moment = self._times[name, tag]
        return {
            "name": tag,
            "digest": self.repositories[name].tags[tag],
            "createdTime": moment,
            "lastUpdateTime": moment,
            "signed": False,
            "changeableAttributes": self.switches(name, tag),
        }

    def _manifest(self, name: str, digest: str, tags: list[str] | None) -> dict[str, Any]:
        manifest = self.repositories[name].manifests[digest]
        document = manifest.document
        moment = self._times[name, digest]
        entry: dict[str, Any] = {
            "digest": digest,
            "imageSize": _size(self.repositories[name], manifest),
            "createdTime": moment,
            "lastUpdateTime": moment,
            "mediaType": manifest.media_type,
            "changeableAttributes": self.switches(name, digest),
        }
        if tags:
            entry["tags"] = tags
        if not mediatypes.is_index(manifest.media_type) and "config" in document:
            entry["configMediaType"] = document["config"]["mediaType"]
            config = json.loads(manifest.blobs[document["config"]["digest"]])
            entry |= {key: config[key] for key in ("os", "architecture") if key in config}
        return entry

    async def _get_part(self, request: web.Request) -> web.StreamResponse:
        found = self._part(request)
        if isinstance(found, web.StreamResponse):
            return found
        name, part, key = found
        named = {"registry": SERVICE, "imageName": name}
        if key == "tag":
            return web.json_response({**named, "tag": self._tag(name, part)})
        entry = self._manifest(name, part, None)
        children = self.repositories[name].manifests[part].document.get("manifests", [])
        if children:
            entry["references"] = [{"digest": it["digest"], **it["platform"]} for it in children]
        return web.json_response({**named, "manifest": entry})

    async def _get_repository(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["name"]
        holdings = self.repositories.get(name)
        if holdings is None:
            return error(404, "NAME_UNKNOWN", "repository name not known to registry")
        counts = {"manifestCount": len(holdings.manifests), "tagCount": len(holdings.tags)}
        switches = {"changeableAttributes": self.switches(name)}
        return web.json_response({"registry": SERVICE, "imageName": name, **counts, **switches})

    async def _patch(self, request: web.Request) -> web.StreamResponse:
        found = self._part(request)
        if isinstance(found, web.StreamResponse):
            return found
        name, part, _ = found
        self.lock(name, part, **await request.json())
        return await (self._get_part(request) if part else self._get_repository(request))

    async def _untag(self, request: web.Request) -> web.StreamResponse:
        found = self._part(request)
        if isinstance(found, web.StreamResponse):
            return found
        name, tag, _ = found
        digest = self.repositories[name].tags[tag]
        if self._is_kept(name, tag) or self._is_kept(name, digest) or self._is_kept(name):
            return _disallowed()
        self.delete_tag(name, tag)
        return web.Response(status=202)

    async def _delete_manifest(self, request: web.Request) -> web.StreamResponse:
        name, digest = request.match_info["name"], request.match_info["reference"]
        if self._is_kept(name, digest) or self._is_kept(name):
            return _disallowed()
        self._pages.clear()
        return await super()._delete_manifest(request)

    async def _delete_repository(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["name"]
        if name not in self.repositories:
            return error(404, "NAME_UNKNOWN", "repository name not known to registry")
        if any(self._is_kept(*locked) for locked in self.locks if locked[0] == name):
            return _disallowed()
        self.delete_repository(name)
        return web.Response(status=202)

    def _is_kept(self, name: str, part: str = "") -> bool:
        switches = self.switches(name, part)
        return not (switches["deleteEnabled"] and switches["writeEnabled"])

    def _part(self, request: web.Request) -> tuple[str, str, str] | web.Response:
        """Return repository, tag or digest, and which of both; else the 404."""
        found = request.match_info
        holdings = self.repositories.get(found["name"])
        if holdings is None:
            return error(404, "NAME_UNKNOWN", "repository name not known to registry")
        if "tag" in found and found["tag"] not in holdings.tags:
            return error(404, "TAG_UNKNOWN", "the specified tag does not exist")
        if "digest" in found and found["digest"] not in holdings.manifests:
            return error(404, "MANIFEST_UNKNOWN", "manifest unknown")
        key = "tag" if "tag" in found else "manifest"
        return found["name"], found.get("tag", found.get("digest", "")), key


def _needed(request: web.Request) -> tuple[str, str, str]:
    """Return type, name and action of the right that a request needs, no action for none."""
    if request.path in ("/acr/v1/_catalog", "/v2/_catalog"):
        return "registry", "catalog", "*"
    name = request.match_info.get("name", "")
    if not name:
        return "", "", ""
    if request.path.startswith("/v2/") and request.method != "DELETE":
        return "repository", name, "pull"
    return "repository", name, _ACTION[request.method]


def _size(holdings: Holdings, manifest: Pushed) -> int:
    """Return what Azure calls imageSize: an index's sums its platforms'."""
    children = manifest.document.get("manifests", ())
    listed = (holdings.manifests[it["digest"]] for it in children)
    blobs = sum(map(len, manifest.blobs.values()))
    return len(manifest.raw) + blobs + sum(_size(holdings, child) for child in listed)


def _basic(request: web.Request) -> tuple[str, str, str]:
    given = request.headers.get("Authorization", "").removeprefix("Basic ")
    return base64.b64decode(given).decode().partition(":")


def _jwt(claims: dict[str, Any]) -> str:
    body = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"e30.{body}.c2ln"


def _unauthorized() -> web.Response:
    return error(401, "UNAUTHORIZED", "authentication required")


def _disallowed() -> web.Response:
    said = "The operation is disallowed on this registry, repository or image."
    return error(405, "REGISTRY_DISALLOWED_OPERATION", said)
