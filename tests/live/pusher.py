"""Pushing the values of images.py over HTTP, fast enough to fill a registry with thousands.

Blobs go up in one PUT and only once: further repositories mount them from the first.
"""

import asyncio
import json
from collections.abc import Iterable
from types import TracebackType
from typing import Self

import aiohttp
from multidict import CIMultiDictProxy
from yarl import URL

from tests.live.images import OCI_INDEX, Blob, Manifest, fallback_tag

CONCURRENCY = 32


class PushError(Exception):
    """The registry refused something; the text says what and how."""


class Pusher:
    """A connection to the registry at `url`. `auth` is for registries with basic authentication."""

    def __init__(
        self, url: str, *, auth: aiohttp.BasicAuth | None = None, concurrency: int = CONCURRENCY
    ) -> None:
        self._base = URL(url)
        self._auth = auth
        self._slots = asyncio.Semaphore(concurrency)
        # Kept from the start of an upload, so that whoever needs the same blob awaits it.
        self._present: dict[tuple[str, str], asyncio.Task[None]] = {}
        self._first: dict[str, tuple[str, asyncio.Task[None]]] = {}

    async def __aenter__(self) -> Self:
        connector = aiohttp.TCPConnector(limit=0)
        self._session = aiohttp.ClientSession(connector=connector, auth=self._auth)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._session.close()

    async def push(self, repository: str, manifest: Manifest, *tags: str) -> None:
        """Push everything that `manifest` needs and itself, by its digest when without tags."""
        await asyncio.gather(*(self._ensure(repository, blob) for blob in manifest.blobs))
        await asyncio.gather(*(self.push(repository, child) for child in manifest.children))
        for reference in tags or (manifest.digest,):
            knows_referrers = await self._put_manifest(repository, reference, manifest)
            if manifest.subject and not knows_referrers:
                await self._add_to_fallback_tag(repository, manifest)

    async def push_all(self, wanted: Iterable[tuple[str, Manifest, str]]) -> None:
        """Push many (repository, manifest, tag) at once."""
        async with asyncio.TaskGroup() as group:
            for repository, manifest, tag in wanted:
                group.create_task(self.push(repository, manifest, tag))

    async def delete(self, repository: str, digest: str) -> None:
        await self._request("DELETE", f"v2/{repository}/manifests/{digest}", {202})

    async def _ensure(self, repository: str, blob: Blob) -> None:
        key = (repository, blob.digest)
        if key not in self._present:
            self._present[key] = asyncio.create_task(self._bring(repository, blob))
        await self._present[key]

    async def _bring(self, repository: str, blob: Blob) -> None:
        if blob.digest in self._first:
            source, upload = self._first[blob.digest]
            await upload
            await self._upload(repository, blob, mount_from=source)
        else:
            upload = asyncio.create_task(self._upload(repository, blob))
            self._first[blob.digest] = (repository, upload)
            await upload

    async def _upload(self, repository: str, blob: Blob, *, mount_from: str = "") -> None:
        start = f"v2/{repository}/blobs/uploads/"
        query = {"mount": blob.digest, "from": mount_from} if mount_from else {}
        async with self._slots:
            status, headers = await self._request("POST", start, {201, 202}, params=query)
            if status == 201:
                return
            place = (self._base / start).join(URL(headers["Location"], encoded=True))
            await self._request(
                "PUT",
                str(place.update_query(digest=blob.digest)),
                {201},
                data=blob.data,
                headers={"Content-Type": "application/octet-stream"},
            )

    async def _put_manifest(self, repository: str, reference: str, manifest: Manifest) -> bool:
        async with self._slots:
            _, headers = await self._request(
                "PUT",
                f"v2/{repository}/manifests/{reference}",
                {201},
                data=manifest.data,
                headers={"Content-Type": manifest.media_type},
            )
        return "OCI-Subject" in headers

    async def _add_to_fallback_tag(self, repository: str, referrer: Manifest) -> None:
        tag = fallback_tag(referrer.subject)
        url = self._base / f"v2/{repository}/manifests/{tag}"
        async with self._session.get(url, headers={"Accept": OCI_INDEX}) as response:
            known = json.loads(await response.read())["manifests"] if response.ok else []
        document = referrer.document
        kind = document.get("artifactType") or document["config"]["mediaType"]
        known.append(referrer.descriptor(artifactType=kind))
        body = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": known}
        await self._put_manifest(repository, tag, Manifest(OCI_INDEX, json.dumps(body).encode()))

    async def _request(
        self,
        method: str,
        where: str,
        good: set[int],
        *,
        params: dict[str, str] | None = None,
        data: bytes | None = None,
        headers: dict[str, str] | None = None,
    ) -> tuple[int, CIMultiDictProxy[str]]:
        url = URL(where, encoded=True) if "://" in where else self._base / where
        async with self._session.request(
            method, url, params=params, data=data, headers=headers
        ) as response:
            if response.status not in good:
                raise PushError(f"{method} {url}: {response.status} {await response.text()}")
            await response.read()
            return response.status, response.headers


def push(url: str, repository: str, manifest: Manifest, *tags: str) -> None:
    """Push one thing, from code that is not asynchronous."""

    async def once() -> None:
        async with Pusher(url) as pusher:
            await pusher.push(repository, manifest, *tags)

    asyncio.run(once())
