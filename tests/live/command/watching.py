"""`portolan sync --watch` by somebody, while this process is the worker."""

from __future__ import annotations

import time

from registries.models import SyncRun
from registries.sync.run import execute_run
from tests.live.docked import Dock
from tests.live.shells import Home, Said

SECONDS = 30


def finished(home: Home, dock: Dock, *more: str) -> Said:
    """`portolan sync --watch`, with this process as the worker."""
    before = SyncRun.objects.count()
    process = home.start("sync", dock.name, "--watch", *more)
    try:
        deadline = time.monotonic() + SECONDS
        while SyncRun.objects.count() == before and process.poll() is None:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        run = SyncRun.objects.order_by("-pk").first()
        if run is not None and process.poll() is None:
            execute_run(run)
        out, err = process.communicate(timeout=SECONDS)
    finally:
        process.kill()
    return Said(process.returncode, out, err)
