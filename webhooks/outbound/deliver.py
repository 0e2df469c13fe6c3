"""The outbox brought to its receivers: claim, send, record, until nothing is due.

One thread talks to the database, another to receivers. Any number of workers may do this at the same
time, and any may be killed at any moment: what it held is due again when its lease ends.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import timedelta
from functools import partial

from django.conf import settings

from registries.sync.staging import persistently
from webhooks.outbound.allowed import Allowed
from webhooks.outbound.claim import Claims, is_anything_due
from webhooks.outbound.lanes import FIRST_WIDTH, Lanes
from webhooks.outbound.recording import record
from webhooks.outbound.send import Sender
from webhooks.outbound.stopping import stop_those
from webhooks.outbound.turn import Turn

log = logging.getLogger(__name__)

# Requests under way and claimed at a time, of all receivers together.
MOST = 400
# Rows written together.
BATCH = 200
# Seconds that are waited for an answer before looking for what became due meanwhile.
POLL = 0.1
GATHER = 0.02
# A task has an end, far below its time limit; the next goes on.
LONGEST_SECONDS = 300.0


def deliver_in_turn() -> bool:
    """`deliver_due`, unless as many loops as there may be run already: those see what is due, too."""
    turn = Turn()
    if not turn.take():
        return False
    try:
        left = deliver_due(on_round=turn.keep)
    finally:
        turn.give_back()
    # Who was woken between our last look and now went away, as it was our turn.
    return left or is_anything_due()


def deliver_due(
    *, longest: float = LONGEST_SECONDS, on_round: Callable[[], None] = lambda: None
) -> bool:
    """Send what is due, batch by batch, until nothing is or `longest` seconds are over; returns
    whether something may be left to send now. `on_round` is called several times a second."""
    lease = float(settings.WEBHOOK_LEASE_SECONDS)
    timeout = float(settings.WEBHOOK_TIMEOUT_SECONDS)
    claims = Claims(lease=timedelta(seconds=lease), first=FIRST_WIDTH)
    first = persistently(partial(claims.take, {}, most=MOST))
    if not first:
        return False
    allowed = Allowed.parse(settings.WEBHOOK_ALLOWED_NETWORKS)
    until = time.monotonic() + longest
    sender = Sender(allowed, timeout=timeout, limit=MOST)
    # What waited for half of its lease is handed back: sent later, it might be sent twice.
    with Lanes(sender, patience=lease / 2) as lanes:
        batch = first
        while True:
            if batch.unsendable:
                stop_those(persistently(partial(record, batch.unsendable)))
            lanes.hand_over(batch.claimed, troubled=batch.troubled)
            sent = lanes.collect(most=BATCH, patience=POLL, gather=GATHER)
            if sent:
                stop_those(persistently(partial(record, sent)))
            on_round()
            is_late = time.monotonic() > until
            if is_late and not lanes.under_way:
                return True
            room = 0 if is_late else MOST - lanes.under_way
            batch = persistently(partial(claims.take, lanes.rooms(), most=room))
            if not batch and not lanes.under_way:
                return False
