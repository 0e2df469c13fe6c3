"""The floor: an aiohttp loop that reads the same addresses and keeps nothing.

A program of its own (`python -m benchmarks.bare URL REPOSITORIES TAGS cold|again`), so that it has
its interpreter to itself as the sync has; prints one line of JSON.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Iterator

import aiohttp
from yarl import URL

from benchmarks.fill import Shape, catalog
from registries.oci.mediatypes import ACCEPT
from tests.live.images import Manifest

CONCURRENCY = 32


def addresses(base: str, shape: Shape, *, again: bool) -> list[tuple[str, URL]]:
    """What a sync asks: lists, then tags, then (the first time) children and configs."""
    tagged = list(catalog(shape))
    paths = list(dict.fromkeys(path for path, _, _ in tagged))
    asked = [("GET", f"/v2/_catalog?n=1000&last={page}") for page in ["", *paths[999::1000]]]
    asked += [("GET", f"/v2/{path}/tags/list") for path in paths]
    method = "HEAD" if again else "GET"
    asked += [(method, f"/v2/{path}/manifests/{tag}") for path, tag, _ in tagged]
    if not again:
        for path, _, manifest in tagged:
            asked += [("GET", address) for address in _details(path, manifest)]
    return [(method, URL(base + address, encoded=True)) for method, address in asked]


def _details(path: str, manifest: Manifest) -> Iterator[str]:
    for child in manifest.children:
        yield f"/v2/{path}/manifests/{child.digest}"
        yield from _details(path, child)
    # An attestation has no platform, and nobody asks for its config.
    if manifest.platform not in ("", "unknown/unknown"):
        yield f"/v2/{path}/blobs/{manifest.document['config']['digest']}"


async def read(asked: list[tuple[str, URL]]) -> float:
    """Ask for everything, keeping nothing; returns seconds."""
    waiting = iter(asked)
    headers = {"Accept": ACCEPT}

    async def worker(session: aiohttp.ClientSession) -> None:
        for method, url in waiting:
            async with session.request(method, url, headers=headers) as answer:
                await answer.read()
                if answer.status != 200:
                    raise RuntimeError(f"{method} {url}: {answer.status}")

    connector = aiohttp.TCPConnector(limit=CONCURRENCY)
    async with aiohttp.ClientSession(connector=connector) as session:
        begun = time.perf_counter()
        async with asyncio.TaskGroup() as group:
            for _ in range(CONCURRENCY):
                group.create_task(worker(session))
        return time.perf_counter() - begun


def main() -> None:
    base, repositories, tags, kind = sys.argv[1:]
    asked = addresses(base, Shape(int(repositories), int(tags)), again=kind == "again")
    seconds = asyncio.run(read(asked))
    print(json.dumps({"requests": len(asked), "seconds": seconds}))


if __name__ == "__main__":
    main()
