"""Bad days of a registry, each a function that answers in place of the honest handler.

`fake.misbehave(when, how)` puts one in; `when` decides by the request, `how` answers it. An answer
of None lets the honest handler go on.
"""

import asyncio
import itertools
import json
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

When = Callable[[web.Request], bool]
How = Callable[[web.Request], Awaitable[web.StreamResponse | None]]


def path_has(part: str, *, method: str | None = None) -> When:
    """Say yes to requests whose path contains `part`."""
    return lambda request: part in request.path and method in (None, request.method)


def always(_: web.Request) -> bool:
    """Say yes to every request."""
    return True


def answers(status: int, *, times: int | None = None, headers: dict[str, str] | None = None) -> How:
    """Answer with a status and an error document, only the first `times` if given."""
    count = itertools.count()

    async def answer(_: web.Request) -> web.StreamResponse | None:
        if times is not None and next(count) >= times:
            return None
        errors = {"errors": [{"code": "UNKNOWN", "message": "a bad day"}]}
        return web.json_response(errors, status=status, headers=headers)

    return answer


def throttles(retry_after: str = "0", *, times: int | None = None) -> How:
    """Answer 429 with a Retry-After."""
    return answers(429, times=times, headers={"Retry-After": retry_after})


def says(
    body: bytes | str, content_type: str = "application/json", headers: dict[str, str] | None = None
) -> How:
    """Answer 200 with this body."""

    async def answer(_: web.Request) -> web.StreamResponse:
        raw = body.encode() if isinstance(body, str) else body
        return web.Response(body=raw, content_type=content_type, headers=headers)

    return answer


def answers_with(status: int, body: str) -> How:
    """Answer with a status and an error document of one's own making."""

    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(status=status, text=body, content_type="application/json")

    return answer


def answers_bare_404() -> How:
    """Answer as a proxy does whose registry is away: 404 for everything, and no error document."""

    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(status=404, text="default backend - 404")

    return answer


def shows_a_web_page(status: int = 200, *, size: int = 0) -> How:
    """Answer with a page for people, of at least `size` bytes."""

    async def answer(_: web.Request) -> web.StreamResponse:
        page = "<!doctype html><title>Welcome</title>" + " " * size
        return web.Response(status=status, text=page, content_type="text/html")

    return answer


def lists(key: str, names: list[Any] | None, link: str | None = None) -> How:
    """Answer with a listing and a Link header of one's own making."""
    headers = {"Link": link} if link else None
    return says(json.dumps({key: names}), headers=headers)


def counts_links_for_ever(key: str, name: str) -> How:
    """Answer every page with the same name and a Link never seen before."""
    count = itertools.count()

    async def answer(request: web.Request) -> web.StreamResponse:
        link = f'<{request.path}?page={next(count)}>; rel="next"'
        return web.json_response({key: [name]}, headers={"Link": link})

    return answer


def streams(size: int, *, declared: bool, status: int = 200) -> How:
    """Answer with `size` bytes, announced by Content-Length or not."""

    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(status=status, headers={"Content-Type": "application/json"})
        if declared:
            response.content_length = size
        await response.prepare(request)
        chunk = b" " * 65536
        for _ in range(size // len(chunk)):
            try:
                await response.write(chunk)
            except ConnectionError:
                break
        return response

    return answer


def hangs(*, after_headers: bool = False) -> How:
    """Never answer, or begin an answer and never end it."""

    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        if after_headers:
            response.content_length = 1000
            await response.prepare(request)
            await response.write(b"{")
        await asyncio.sleep(3600)
        return response

    return answer


def hesitates(seconds: float) -> How:
    """Answer honestly, after a while."""

    async def answer(_: web.Request) -> None:
        await asyncio.sleep(seconds)

    return answer


def dawdles(seconds: float) -> How:
    """Take so long before the honest handler goes on."""

    async def wait(_: web.Request) -> None:
        await asyncio.sleep(seconds)

    return wait


def hangs_up(*, times: int | None = None) -> How:
    """Close the connection without an answer."""
    count = itertools.count()

    async def answer(request: web.Request) -> web.StreamResponse | None:
        if times is not None and next(count) >= times:
            return None
        if request.transport is not None:
            request.transport.abort()
        return web.Response()

    return answer


def redirects(target: str, status: int = 307) -> How:
    """Send to another address."""

    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(status=status, headers={"Location": target})

    return answer
