"""Fills the outbox of a database that is not the tests' own: `python -m tests.live.outbox URL TLS N`.

One subscription for each manner of receiver, `N` pushes for the good one and a few for each other.
"""

from __future__ import annotations

import sys

MANNERS = (
    "status/201", "status/204", "status/301", "status/400", "status/404", "status/410",
    "status/429", "status/500", "status/503", "hang", "close", "giant", "redirect", "garbage",
    "certificate",
)  # fmt: skip
OF_EACH = 4


def fill(url: str, tls: str, count: int) -> None:
    from datetime import UTC, datetime

    from django.db import transaction

    from registries.actor import SYSTEM
    from registries.events import TagCreated, emit
    from tests import catalog
    from tests.webhooks.outbound.messages import subscription

    harbour = catalog.registry("harbour")
    subscription(f"{url}/ok", name="ok", registry=harbour, path="good/*")
    for number, manner in enumerate(MANNERS):
        target = f"{tls}/ok" if manner == "certificate" else f"{url}/{manner}"
        subscription(target, name=manner, registry=harbour, path=f"manner-{number}/*")
    paths = [f"manner-{number}/app" for number in range(len(MANNERS))] * OF_EACH
    paths += ["good/app"] * count
    now = datetime.now(UTC)
    with transaction.atomic():
        emit(
            [
                TagCreated("harbour", now, path, str(number), f"sha256:{number:064x}")
                for number, path in enumerate(paths)
            ],
            actor=SYSTEM,
        )


if __name__ == "__main__":
    import django

    django.setup()
    fill(sys.argv[1], sys.argv[2], int(sys.argv[3]))
