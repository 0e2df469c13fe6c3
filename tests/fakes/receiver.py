"""A receiver of webhooks in this process, polite or not as its address says:

`/ok`, `/status/503` (with `?after=7` a Retry-After), `/hang`, `/close`, `/giant` (a gigabyte),
`/stall` (a body that never ends), `/redirect`, `/garbage`.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import threading
from dataclasses import dataclass
from types import TracebackType
from typing import Self
from urllib.parse import parse_qs, urlsplit

GIGABYTE = 1 << 30


@dataclass(frozen=True)
class Received:
    """A request as it came; names of headers in lower case."""

    path: str
    headers: dict[str, str]
    body: bytes


class FakeReceiver:
    """Listens on a free port, or the given one, from a thread of its own; a context manager."""

    def __init__(self, *, port: int = 0, tls: ssl.SSLContext | None = None) -> None:
        self.port = port
        self.received: list[Received] = []
        self.connections = 0
        self.bytes_sent = 0
        self._tls = tls
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._ready.wait(10)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    def url(self, path: str = "/ok", *, host: str = "127.0.0.1") -> str:
        """The address of a path here."""
        return f"{'https' if self._tls else 'http'}://{host}:{self.port}{path}"

    def ids(self, beginning: str = "/") -> list[str]:
        """The message ids that came to paths beginning so, in order."""
        return [
            one.headers["webhook-id"] for one in self.received if one.path.startswith(beginning)
        ]

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        serving = asyncio.start_server(
            self._serve, "127.0.0.1", self.port, ssl=self._tls, backlog=1024
        )
        server = self._loop.run_until_complete(serving)
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        self._loop.run_forever()
        server.close()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(asyncio.sleep(0))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        # Who hangs when the test ends is cancelled, which is no error.
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            while await self._answer(reader, writer):
                pass
        writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Answer one request; returns whether the connection goes on."""
        first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = {
            name.lower(): value.strip()
            for name, colon, value in (line.partition(":") for line in lines)
            if colon
        }
        path = first.split(" ")[1]
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        self.received.append(Received(path, headers, body))
        parts = urlsplit(path)
        match parts.path.split("/")[1]:
            case "hang":
                await asyncio.sleep(3600)
            case "close":
                return False
            case "giant":
                await self._send_gigabyte(writer)
            case "stall":
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nbeginning")
                await asyncio.sleep(3600)
            case "garbage":
                writer.write(b"220 mail.example.com ESMTP\r\n\r\n")
                return False
            case "redirect":
                writer.write(_head(302, "Location: /ok\r\n"))
            case "status":
                after = parse_qs(parts.query).get("after")
                extra = f"Retry-After: {after[0]}\r\n" if after else ""
                writer.write(_head(int(parts.path.split("/")[2]), extra))
            case _:
                writer.write(_head(200))
        await writer.drain()
        return True

    async def _send_gigabyte(self, writer: asyncio.StreamWriter) -> None:
        writer.write(f"HTTP/1.1 200 OK\r\nContent-Length: {GIGABYTE}\r\n\r\n".encode())
        chunk = b"x" * (1 << 20)
        for _ in range(GIGABYTE // len(chunk)):
            writer.write(chunk)
            await writer.drain()
            self.bytes_sent += len(chunk)


def _head(status: int, extra: str = "") -> bytes:
    if status in (204, 304) or status < 200:
        return f"HTTP/1.1 {status} Answer\r\n{extra}\r\n".encode()
    said = f"said {status}"
    return (
        f"HTTP/1.1 {status} Answer\r\n{extra}Content-Type: text/plain\r\n"
        f"Content-Length: {len(said)}\r\n\r\n{said}"
    ).encode()
