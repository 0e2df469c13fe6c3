"""Amazon ECR: its JSON API beside the registry, at one address.

Written from the Amazon ECR API Reference: pages of at most 1000 with `nextToken`, throttling as a
400 that only its body explains, failures of deletions inside a 200, a password for the registry that
the API gives out, keys known by what signed the request. moto, which tests beside this one use, knows
more operations but neither pages, nor throttles, nor has a registry at /v2/.
"""

import base64
import itertools
import json
import re
from collections.abc import Callable
from typing import Any

from aiohttp import web

from tests.fakes.content import Pushed
from tests.fakes.misbehaviour import How
from tests.fakes.registry import FakeRegistry

KEY_ID, SECRET = "AKIAFAKEFAKEFAKEFAKE", "a-secret-key-nobody-should-read"
REGION = "eu-central-1"
_TYPE = "application/x-amz-json-1.1"
_SIGNED = re.compile(r"AWS4-HMAC-SHA256 Credential=([^/]+)/\d{8}/([a-z0-9-]+)/ecr/aws4_request, .+")
_PUSHED = 1_770_000_000.25


class FakeEcr(FakeRegistry):
    """One account's registry in one region.

    `largest_page` is the most that a page holds whatever is asked for, `immutable` the repositories
    whose tags cannot be moved, `pulled` the digests that were pulled, with Unix times.
    """

    def __init__(self, *, largest_page: int = 1000) -> None:
        super().__init__(catalog=False)
        self.largest_page = largest_page
        self.immutable: set[str] = set()
        self.pulled: dict[str, float] = {}
        self._count = itertools.count()
        self._password = ""
        self._entries: dict[bytes, dict[str, Any]] = {}
        self._operations: dict[str, Callable[[dict[str, Any]], web.Response]] = {
            "DescribeRepositories": self._describe_repositories,
            "DescribeImages": self._describe_images,
            "BatchDeleteImage": self._batch_delete_image,
            "DeleteRepository": self._delete_repository,
            "GetAuthorizationToken": self._get_authorization_token,
        }

    def forget_password(self) -> None:
        """End the registry's password before its time."""
        self._password = ""

    def operations(self) -> int:
        """Return how often the API was called."""
        return len(self.seen("POST"))

    def routes(self) -> list[web.RouteDef]:
        return [web.post("/", self._call), *super().routes()]

    def judge(self, request: web.Request) -> web.StreamResponse | None:
        given = request.headers.get("Authorization", "")
        if request.path.startswith("/v2/"):
            pair = base64.b64encode(f"AWS:{self._password}".encode()).decode()
            if self._password and given == f"Basic {pair}":
                return None
            challenge = f'Basic realm="{self.url}/",service="ecr.amazonaws.com"'
            return web.Response(status=401, headers={"WWW-Authenticate": challenge})
        signed = _SIGNED.fullmatch(given)
        if signed is None or signed[1] != KEY_ID:
            return _refuse(
                "UnrecognizedClientException",
                "The security token included in the request is invalid.",
            )
        return None

    async def _call(self, request: web.Request) -> web.Response:
        operation = request.headers.get("X-Amz-Target", "").rpartition(".")[2]
        asked = json.loads(await request.read())
        if (refusal := self._unknown_repository(asked)) is not None:
            return refusal
        return self._operations[operation](asked)

    def _unknown_repository(self, asked: dict[str, Any]) -> web.Response | None:
        name = asked.get("repositoryName")
        if name is None or name in self.repositories:
            return None
        said = f"The repository with name '{name}' does not exist in the registry"
        return _refuse("RepositoryNotFoundException", said)

    def _describe_repositories(self, asked: dict[str, Any]) -> web.Response:
        entries = [
            {
                "repositoryName": name,
                "imageTagMutability": "IMMUTABLE" if name in self.immutable else "MUTABLE",
                "createdAt": _PUSHED,
            }
            for name in sorted(self.repositories)
        ]
        return self._batch(asked, "repositories", entries)

    def _describe_images(self, asked: dict[str, Any]) -> web.Response:
        holdings = self.repositories[asked["repositoryName"]]
        tags: dict[str, list[str]] = {}
        for tag, digest in holdings.tags.items():
            tags.setdefault(digest, []).append(tag)
        wanted: dict[str, Pushed] = holdings.manifests
        if ids := asked.get("imageIds"):
            digest = holdings.tags.get(ids[0].get("imageTag"), ids[0].get("imageDigest"))
            if digest not in holdings.manifests:
                return _refuse("ImageNotFoundException", "The image does not exist")
            wanted = {digest: holdings.manifests[digest]}
        entries = [self._described(it, tags.get(digest, [])) for digest, it in wanted.items()]
        return self._batch(asked, "imageDetails", entries)

    def _described(self, manifest: Pushed, tags: list[str]) -> dict[str, Any]:
        entry = dict(self._described_once(manifest))
        if tags:
            entry["imageTags"] = tags
        if (pulled := self.pulled.get(entry["imageDigest"])) is not None:
            entry["lastRecordedPullTime"] = pulled
        return entry

    def _described_once(self, manifest: Pushed) -> dict[str, Any]:
        if (entry := self._entries.get(manifest.raw)) is None:
            document = manifest.document
            entry = self._entries[manifest.raw] = {
                "imageDigest": manifest.digest,
                "imageSizeInBytes": sum(it["size"] for it in document.get("layers", [])) or None,
                "imagePushedAt": _PUSHED,
                "imageManifestMediaType": manifest.media_type,
            }
            if config := document.get("config"):
                entry["artifactMediaType"] = config["mediaType"]
        return entry

    def _batch_delete_image(self, asked: dict[str, Any]) -> web.Response:
        holdings = self.repositories[asked["repositoryName"]]
        failures = []
        for image in asked["imageIds"]:
            tag, digest = image.get("imageTag"), image.get("imageDigest")
            digest = holdings.tags.get(tag, digest)
            if digest not in holdings.manifests:
                failures.append(_failure(image, "ImageNotFound", "Requested image not found"))
                continue
            if any(digest in it.raw.decode() for it in holdings.manifests.values()):
                said = f"Requested image referenced by manifest list: [{digest}]"
                failures.append(_failure(image, "ImageReferencedByManifestList", said))
                continue
            holdings.tags.pop(tag, None)
            if tag is None:
                holdings.tags = {it: at for it, at in holdings.tags.items() if at != digest}
            if digest not in holdings.tags.values():
                del holdings.manifests[digest]
        return _answer({"imageIds": asked["imageIds"], "failures": failures})

    def _delete_repository(self, asked: dict[str, Any]) -> web.Response:
        if self.repositories[asked["repositoryName"]].manifests and not asked.get("force"):
            return _refuse("RepositoryNotEmptyException", "The repository is not empty")
        self.delete_repository(asked["repositoryName"])
        return _answer({})

    def _get_authorization_token(self, _: dict[str, Any]) -> web.Response:
        self._password = f"password-{next(self._count)}"
        token = base64.b64encode(f"AWS:{self._password}".encode()).decode()
        data = {"authorizationToken": token, "expiresAt": 4_000_000_000, "proxyEndpoint": self.url}
        return _answer({"authorizationData": [data]})

    def _batch(self, asked: dict[str, Any], key: str, entries: list[Any]) -> web.Response:
        start = int(asked.get("nextToken", 0))
        end = start + min(int(asked.get("maxResults", 100)), self.largest_page)
        more = {"nextToken": str(end)} if end < len(entries) else {}
        return _answer({key: entries[start:end], **more})


def slows_down(*, times: int) -> How:
    """Answer as Amazon does to one who calls too often: a 400, and no Retry-After."""
    count = itertools.count()

    async def answer(_: web.Request) -> web.StreamResponse | None:
        return _refuse("ThrottlingException", "Rate exceeded") if next(count) < times else None

    return answer


def _failure(image: dict[str, Any], code: str, reason: str) -> dict[str, Any]:
    return {"imageId": image, "failureCode": code, "failureReason": reason}


def _answer(document: dict[str, Any]) -> web.Response:
    return web.Response(text=json.dumps(document), headers={"Content-Type": _TYPE})


def _refuse(code: str, message: str) -> web.Response:
    return web.Response(
        status=400,
        text=json.dumps({"__type": code, "message": message}),
        headers={"Content-Type": _TYPE},
    )
