"""A load of HTTP/1.1 requests from one process, light enough to leave the cores to the server.

A program of its own (`python -m benchmarks.load HOST PORT CONNECTIONS SECONDS RATE < REQUESTS`): the
requests come as a JSON list of texts, are sent round and round over kept connections (each of them
once, if SECONDS is the word "once"), and the answers' headers are read for nothing but status and
length. RATE 0 sends the next request as soon as an answer is here; otherwise so many a second are
due at even distances, and a request that had to wait for a free connection counts from when it was
due: a server that stalls cannot hide it.
Prints one line of JSON: requests, seconds, statuses, and milliseconds at p50 and p99.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections import Counter
from itertools import count
from math import inf


class Tally:
    """What came back, and how long each took in seconds."""

    def __init__(self) -> None:
        self.statuses: Counter[str] = Counter()
        self.took: list[float] = []

    def shown(self, seconds: float) -> dict[str, object]:
        took = sorted(self.took)
        return {
            "requests": len(took),
            "seconds": seconds,
            "statuses": self.statuses,
            "p50": took[len(took) // 2] * 1000,
            "p99": took[int(len(took) * 0.99)] * 1000,
        }


class Connection:
    """One connection, one request at a time; opened again when the server closed it."""

    def __init__(self, host: str, port: int) -> None:
        self._address = host, port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, request: bytes) -> str:
        """Send it, read the whole answer, return its status."""
        if self._streams is None:
            self._streams = await asyncio.open_connection(*self._address)
        reader, writer = self._streams
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        lowered = head.lower()
        length = lowered.partition(b"content-length:")[2].partition(b"\r\n")[0]
        await reader.readexactly(int(length))
        if b"connection: close" in lowered:
            self.close()
        return head[9:12].decode()

    def close(self) -> None:
        if self._streams:
            self._streams[1].close()
        self._streams = None


async def run(
    host: str, port: int, connections: int, seconds: float, rate: float, requests: list[bytes]
) -> dict[str, object]:
    tally = Tally()
    numbers = count()
    begun = time.perf_counter()
    end = begun + seconds
    most = inf if seconds < inf else len(requests)

    async def work() -> None:
        connection = Connection(host, port)
        while time.perf_counter() < end:
            number = next(numbers)
            if number >= most:
                break
            due = begun + number / rate if rate else time.perf_counter()
            if due >= end:
                break
            if (early := due - time.perf_counter()) > 0:
                await asyncio.sleep(early)
            tally.statuses[await connection.ask(requests[number % len(requests)])] += 1
            tally.took.append(time.perf_counter() - due)
        connection.close()

    await asyncio.gather(*(work() for _ in range(connections)))
    return tally.shown(time.perf_counter() - begun)


def main() -> None:
    host, port, connections, seconds, rate = sys.argv[1:]
    requests = [text.encode() for text in json.load(sys.stdin)]
    lasting = inf if seconds == "once" else float(seconds)
    outcome = run(host, int(port), int(connections), lasting, float(rate), requests)
    print(json.dumps(asyncio.run(outcome)))


if __name__ == "__main__":
    main()
