"""Handling what waits, several registries side by side: one that does not answer holds up no other,
and takes no second worker process, which deliveries need.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from time import monotonic

from django.conf import settings
from django.db import connection
from django.utils import timezone

from registries.models import Registry
from webhooks.inbound import claims
from webhooks.inbound.handle import handle
from webhooks.outbound.turn import Turn

# Then the next worker goes on. Where one registry's batch is still under way the others are served
# for longer, and not held up by it; that is well below the time that a task is given, too.
LONGEST_SECONDS = 300.0
LATEST_SECONDS = 600.0
# How soon another registry's notification is seen while one is being handled.
POLL = 0.05


def handle_in_turn() -> bool:
    """`handle_waiting`, unless another worker is at it: that one sees what is due, too. Returns
    whether something may be left."""
    turn = Turn("handling", places=1)
    if not turn.take():
        return False
    try:
        handle_waiting(on_round=turn.keep)
    finally:
        turn.give_back()
    # Who was woken between our last look and now went away, as it was our turn.
    return bool(claims.registries_due(timezone.now()))


def handle_waiting(*, on_round: Callable[[], None] = lambda: None) -> None:
    """Handle what is due, batch by batch, until nothing is. `on_round` is called as long as more is
    begun: while the last batches come to their end, another worker may have the turn."""
    began = monotonic()
    until, latest = began + LONGEST_SECONDS, began + LATEST_SECONDS
    if not settings.NOTIFICATION_THREADS:
        while monotonic() < until and (registries := claims.registries_due(timezone.now())):
            for registry in registries:
                _handle_all(registry, until)
        return
    at_work: dict[int, Future[None]] = {}
    with ThreadPoolExecutor(settings.NOTIFICATION_THREADS, "notifications") as pool:
        while True:
            if monotonic() < (latest if at_work else until):
                for registry in claims.registries_due(timezone.now()):
                    if registry.pk not in at_work:
                        at_work[registry.pk] = pool.submit(_in_thread, registry, until)
                on_round()
            if not at_work:
                return
            ended, _under_way = wait(at_work.values(), POLL, FIRST_COMPLETED)
            at_work = {pk: future for pk, future in at_work.items() if future not in ended}
            for future in ended:
                future.result()


def _in_thread(registry: Registry, until: float) -> None:
    try:
        _handle_all(registry, until)
    finally:
        connection.close()


def _handle_all(registry: Registry, until: float) -> None:
    """One batch at least, and no more of them than begin before `until`."""
    while batch := claims.claim(registry, timezone.now()):
        handle(registry, batch)
        if monotonic() >= until:
            return
