"""The peer: python-dxf, a registry client in common use, reading manifests one after another.

A program of its own (`python -m benchmarks.dxf_peer HOST REPOSITORIES TAGS`); prints one line of
JSON. It has no concurrency; its rate does not depend on how many it reads, so it reads a sample.
"""

from __future__ import annotations

import json
import sys
import time
from itertools import islice

from dxf import DXF

from benchmarks.fill import Shape, catalog

SAMPLE = 1000


def main() -> None:
    host, repositories, tags = sys.argv[1:]
    tagged = list(islice(catalog(Shape(int(repositories), int(tags))), SAMPLE))
    seconds = 0.0
    clients: dict[str, DXF] = {}
    for path, tag, _ in tagged:
        if path not in clients:
            clients[path] = DXF(host, path, insecure=True).__enter__()
        begun = time.perf_counter()
        clients[path].get_manifest(tag)
        seconds += time.perf_counter() - begun
    print(json.dumps({"requests": len(tagged), "seconds": seconds}))


if __name__ == "__main__":
    main()
