"""A receiver of webhooks that costs next to nothing: `python -m benchmarks.receiver PORT`.

`/hang` is never answered, everything else at once with 200. On SIGTERM it prints how many requests
it answered, as JSON.
"""

from __future__ import annotations

import asyncio
import json
import signal
import sys

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Type: text/plain\r\n\r\nok"


class Receiver(asyncio.Protocol):
    """HTTP as far as our own client speaks it: requests one by one, with a Content-Length."""

    answered = 0

    def __init__(self) -> None:
        self.buffer = b""
        self.transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        while True:
            head, blank, rest = self.buffer.partition(b"\r\n\r\n")
            if not blank:
                return
            length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
            if len(rest) < length:
                return
            self.buffer = rest[length:]
            if not head.startswith(b"POST /hang"):
                Receiver.answered += 1
                self.transport.write(ANSWER)


async def main(port: int) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Receiver, "127.0.0.1", port, backlog=2048)
    ended = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, ended.set)
    await ended.wait()
    server.close()
    print(json.dumps({"answered": Receiver.answered}), flush=True)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
