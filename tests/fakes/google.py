"""Google Artifact Registry: its API, its token server and the registry, at one address.

Written from cloud.google.com, Artifact Registry REST reference and google/go-containerregistry
pkg/v1/google/list.go: pages of at most 1000 with `nextPageToken`, numbers as texts, tags that keep a
digest from being deleted, tokens of an hour for claims that a key signed.
"""

import base64
import itertools
import json
from functools import lru_cache
from typing import Any
from urllib.parse import quote

import jwt
from aiohttp import web
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from registries.oci.connection import Connection
from tests.fakes.content import Holdings, Pushed
from tests.fakes.registry import FakeRegistry, error
from tests.fakes.sign_in import SignIn
from tests.registries.oci.asking import connection

EMAIL, PROJECT, LOCATION = "reader@acme.iam.gserviceaccount.com", "acme", "europe-west1"
_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"


@lru_cache
def _key() -> tuple[str, str]:
    """Return a private and a public key, in PEM."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return private.decode(), public.decode()


def key_file(token_uri: str = "https://oauth2.googleapis.com/token", **more: object) -> str:
    """Return a service account's key as Google hands it out."""
    return json.dumps(
        {
            "type": "service_account",
            "project_id": PROJECT,
            "private_key_id": "1f2e",
            "private_key": _key()[0],
            "client_email": EMAIL,
            "token_uri": token_uri,
            **more,
        }
    )


def account(fake: "FakeGar", **more: Any) -> Connection:
    """Return a connection with a service account's key."""
    options = {
        "location": LOCATION,
        "api": fake.url,
        "token_url": f"{fake.url}/oauth/token",
        **more.pop("options", {}),
    }
    who = {"username": "_json_key", "password": key_file()}
    return connection(fake, **{**who, "options": options, **more})


class GoogleSignIn(SignIn):
    """The registry's own token server: for a key, or for a token of the other one."""

    def __init__(self) -> None:
        super().__init__("bearer")
        self.access_tokens: set[str] = set()

    async def give_token(self, request: web.Request) -> web.Response:
        self.token_requests.append(request.path_qs)
        given = request.headers.get("Authorization", "").removeprefix("Basic ")
        username, _, secret = base64.b64decode(given).decode().partition(":")
        is_key = username == "_json_key" and secret == key_file()
        if not is_key and not (username == "oauth2accesstoken" and secret in self.access_tokens):
            return error(401, "UNAUTHORIZED", "authentication failed")
        token = f"registry-token-{next(self._count)}"
        self._rights[token] = request.query.getall("scope", [])
        return web.json_response({"token": token, "expires_in": 3600})


class FakeGar(FakeRegistry):
    """One location of Artifact Registry.

    Paths are PROJECT/REPOSITORY/IMAGE. `page_size` is also the API's largest; `others` are further
    repositories as the API lists them. Without `tells_manifests`, `tags/list` has the standard's
    fields alone.
    """

    def __init__(self, *, page_size: int = 1000, tells_manifests: bool = True) -> None:
        self.google = GoogleSignIn()
        super().__init__(sign_in=self.google, page_size=page_size, catalog=False)
        self.tells_manifests = tells_manifests
        self.others: list[dict[str, object]] = []
        self._count = itertools.count()
        self._entries: dict[tuple[str, bytes], dict[str, Any]] = {}

    def forget_tokens(self) -> None:
        """Withdraw every token of both token servers."""
        self.google.forget_tokens()
        self.google.access_tokens.clear()

    def routes(self) -> list[web.RouteDef]:
        place = "/v1/projects/{project}/locations/{location}/repositories"
        return [
            web.post("/oauth/token", self._give_access_token),
            web.get(place, self._list_repositories),
            web.get(place + "/{repository}/dockerImages", self._list_images),
            web.delete(place + "/{repository}/packages/{image}", self._delete_package),
            web.put("/v2/{name:.+}/manifests/{reference}", self._put_manifest),
            *super().routes(),
        ]

    def judge(self, request: web.Request) -> web.StreamResponse | None:
        if request.path.startswith("/v1/"):
            given = request.headers.get("Authorization", "").removeprefix("Bearer ")
            if given not in self.google.access_tokens:
                return _refuse(401, "UNAUTHENTICATED", "Request had invalid credentials.")
        return super().judge(request)

    async def _give_access_token(self, request: web.Request) -> web.Response:
        form = await request.post()
        try:
            claims = jwt.decode(
                str(form["assertion"]),
                _key()[1],
                algorithms=["RS256"],
                audience=f"{self.url}/oauth/token",
            )
            known = claims["iss"] == EMAIL and form["grant_type"] == _GRANT
        except jwt.PyJWTError:
            known = False
        if not known:
            document = {"error": "invalid_grant", "error_description": "Invalid JWT Signature."}
            return web.json_response(document, status=400)
        token = f"ya29.{next(self._count)}"
        self.google.access_tokens.add(token)
        given = {"access_token": token, "expires_in": 3599, "token_type": "Bearer"}
        return web.json_response(given)

    def _below(self, prefix: str) -> dict[str, Holdings]:
        return {
            path: holdings
            for path, holdings in sorted(self.repositories.items())
            if path.startswith(prefix)
        }

    async def _list_repositories(self, request: web.Request) -> web.Response:
        project = request.match_info["project"]
        names = dict.fromkeys(path.split("/")[1] for path in self._below(f"{project}/"))
        entries: list[Any] = [
            {"name": f"{request.path.lstrip('/').removeprefix('v1/')}/{name}", "format": "DOCKER"}
            for name in names
        ]
        return self._pages_of(request, "repositories", entries + self.others)

    async def _list_images(self, request: web.Request) -> web.Response:
        prefix = f"{request.match_info['project']}/{request.match_info['repository']}/"
        listed = self._below(prefix)
        if not listed:
            return _refuse(404, "NOT_FOUND", "Requested entity was not found.")
        entries = [
            entry
            for path, holdings in listed.items()
            for entry in self._images_of(request.path, path.removeprefix(prefix), holdings)
        ]
        return self._pages_of(request, "dockerImages", entries)

    def _images_of(self, place: str, image: str, holdings: Holdings) -> list[dict[str, Any]]:
        tags: dict[str, list[str]] = {}
        for tag, digest in holdings.tags.items():
            tags.setdefault(digest, []).append(tag)
        entries = []
        for digest, manifest in holdings.manifests.items():
            entry = self._described(place, image, digest, manifest)
            entries.append({**entry, "tags": tags[digest]} if digest in tags else entry)
        return entries

    def _described(self, place: str, image: str, digest: str, manifest: Pushed) -> dict[str, Any]:
        if (entry := self._entries.get((place + image, manifest.raw))) is None:
            entry = self._entries[place + image, manifest.raw] = {
                "name": f"{place.removeprefix('/v1/')}/{quote(image, safe='')}@{digest}",
                "imageSizeBytes": str(_size(manifest)),
                "mediaType": manifest.media_type,
                "uploadTime": "2026-03-02T12:00:00.123456Z",
                "buildTime": "1970-01-01T00:00:00Z",
            }
        return entry

    async def _delete_package(self, request: web.Request) -> web.Response:
        names = (request.match_info[name] for name in ("project", "repository", "image"))
        path = "/".join(names)
        if path not in self.repositories:
            return _refuse(404, "NOT_FOUND", "Requested entity was not found.")
        self.delete_repository(path)
        return web.json_response({"name": "projects/acme/operations/1", "done": True})

    def _pages_of(self, request: web.Request, key: str, entries: list[Any]) -> web.Response:
        start = int(request.query.get("pageToken", 0))
        end = start + min(int(request.query.get("pageSize", 100)), self.page_size)
        more = {"nextPageToken": str(end)} if end < len(entries) else {}
        return web.json_response({key: entries[start:end], **more})

    async def _get_tags(self, request: web.Request) -> web.StreamResponse:
        holdings = self._holdings(request)
        if holdings is None or not self.tells_manifests:
            return await super()._get_tags(request)
        tags: dict[str, list[str]] = {}
        for tag, digest in holdings.tags.items():
            tags.setdefault(digest, []).append(tag)
        manifests = {
            digest: {
                "tag": tags.get(digest, []),
                "mediaType": manifest.media_type,
                "imageSizeBytes": str(_size(manifest)),
                "layerId": "",
                "timeCreatedMs": "0",
                "timeUploadedMs": "1772452800123",
            }
            for digest, manifest in holdings.manifests.items()
        }
        document = {"child": [], "manifest": manifests, "tags": sorted(holdings.tags)}
        return web.json_response({"name": request.match_info["name"], **document})

    async def _put_manifest(self, request: web.Request) -> web.Response:
        pushed = Pushed(await request.read(), request.headers["Content-Type"])
        self.push(request.match_info["name"], pushed, request.match_info["reference"])
        return web.Response(status=201)

    async def _delete_manifest(self, request: web.Request) -> web.StreamResponse:
        holdings = self._holdings(request) or Holdings()
        reference = request.match_info["reference"]
        if reference in holdings.tags:
            del holdings.tags[reference]
            return web.Response(status=202)
        if reference in holdings.tags.values():
            return error(400, "GOOGLE_MANIFEST_DANGLING_TAG", "Manifest is still referenced by tag")
        if any(reference in it.raw.decode() for it in holdings.manifests.values()):
            said = "Manifest is still referenced by one or more parent images"
            return error(400, "GOOGLE_MANIFEST_DANGLING_PARENT_IMAGE", said)
        return await super()._delete_manifest(request)


def _size(manifest: Pushed) -> int:
    return sum(layer["size"] for layer in manifest.document.get("layers", ()))


def _refuse(status: int, code: str, message: str) -> web.Response:
    document = {"error": {"code": status, "message": message, "status": code}}
    return web.json_response(document, status=status)
