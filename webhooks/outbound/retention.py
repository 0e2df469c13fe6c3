"""How long events, and what was sent of them, are kept."""

from __future__ import annotations

from datetime import datetime

from registries.sync.staging import execute

# Events deleted by one statement, with their deliveries and attempts: a second's work.
BATCH = 2000

# What still waits to be sent keeps its event; what is held for a subscription that nobody resumed in
# all that time does not. Foreign keys are judged at the end of the transaction.
_FORGET = """
    WITH old AS MATERIALIZED (
        SELECT id FROM webhooks_event event
         WHERE at < %(before)s
           AND NOT EXISTS (
               SELECT FROM webhooks_delivery delivery
                WHERE delivery.event_id = event.id AND delivery.state = 'waiting')
         ORDER BY at LIMIT %(limit)s
    ), attempts AS (
        DELETE FROM webhooks_attempt USING webhooks_delivery delivery, old
         WHERE webhooks_attempt.delivery_id = delivery.id AND delivery.event_id = old.id
    ), deliveries AS (
        DELETE FROM webhooks_delivery USING old WHERE event_id = old.id
    )
    DELETE FROM webhooks_event USING old WHERE webhooks_event.id = old.id
"""


def forget_before(before: datetime) -> int:
    """Delete events from before that moment, with their deliveries and attempts, in batches of a
    transaction each; returns how many."""
    deleted = 0
    while True:
        gone = execute(_FORGET, {"before": before, "limit": BATCH})
        deleted += gone
        if gone < BATCH:
            return deleted
