"""`python -m benchmarks [sync] [memory] [pages] [api] [tokens] [inbound] [outbound]
[push] [vendors] [governance]`: measure, show, and keep in RESULTS.md.

Runs on embedded services of its own, below `.portolan/bench`, where filled registries and the big
catalog stay for the next time.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

from benchmarks.report import Line, keep, show
from dashboard import embedded

HOME = Path(__file__).resolve().parent.parent / ".portolan" / "bench"
PARTS = (
    "sync",
    "memory",
    "pages",
    "api",
    "tokens",
    "inbound",
    "outbound",
    "push",
    "vendors",
    "governance",
)


def main() -> int:
    wanted = sys.argv[1:] or PARTS
    if unknown := set(wanted) - set(PARTS):
        print(f"Unknown: {', '.join(sorted(unknown))}. Parts are: {', '.join(PARTS)}.")
        return 2
    failed = 0
    for part in PARTS:
        if part in wanted:
            failed += _measure(part)
    return 1 if failed else 0


def _measure(part: str) -> int:
    """Each part has a process and a database of its own."""
    if child := os.fork():
        _, status = os.waitpid(child, 0)
        return os.waitstatus_to_exitcode(status)
    # The big catalog stays; the others begin with an empty one.
    home = HOME / ("pages" if part in ("pages", "api") else "sync")
    os.environ["PORTOLAN_DATA_DIR"] = str(home)
    os.environ["DJANGO_SETTINGS_MODULE"] = "dashboard.settings"
    with embedded.services(directory=home):
        import django
        from django.core.management import call_command

        django.setup()
        call_command("migrate", verbosity=0)
        call_command("collectstatic", interactive=False, verbosity=0)
        title, measure = _part(part)
        lines = measure()
    table = show(title, lines)
    print(f"\n{table}\n", flush=True)
    keep(table)
    os._exit(0 if all(line.holds for line in lines) else 1)


def _part(part: str) -> tuple[str, Callable[[], list[Line]]]:
    from benchmarks import (
        api,
        governance,
        inbound,
        outbound,
        pages,
        pushing,
        syncing,
        tokens,
        vendors,
    )

    return {
        "sync": ("Sync of a thousand repositories", lambda: syncing.measure(HOME)),
        "memory": ("Memory of a sync", lambda: syncing.measure_memory(HOME)),
        "pages": (
            "Pages over 100,000 repositories, 1,000,000 tags, 1,400,000 manifests",
            pages.measure,
        ),
        "api": (
            "REST API over 100,000 repositories, 1,000,000 tags, 1,400,000 manifests",
            api.measure,
        ),
        "tokens": ("Tokens for docker", lambda: tokens.measure(HOME)),
        "inbound": ("Notifications in", lambda: inbound.measure(HOME)),
        "outbound": ("Webhooks out", outbound.measure),
        "push": ("From a push to a subscriber", lambda: pushing.measure(HOME)),
        "vendors": ("Requests that vendors' listings take", vendors.measure),
        "governance": ("Governance as code", governance.measure),
    }[part]


if __name__ == "__main__":
    sys.exit(main())
