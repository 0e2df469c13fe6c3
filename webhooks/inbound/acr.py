"""Azure Container Registry: one event of Distribution's form without the envelope around it.

MicrosoftDocs: container-registry-webhook-reference.md; PROTOCOLS d. An untag sends nothing at all:
the next sync finds it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from webhooks.inbound import distribution
from webhooks.inbound.told import (
    ID_LIMIT,
    OTHER,
    PING,
    QUARANTINE,
    Document,
    Heard,
    Told,
    fresh_id,
    text,
)

# The store of charts before OCI: what is in it is in no catalog.
CHARTS = {"chart_push", "chart_delete"}


def read(document: Document) -> Iterator[tuple[Heard, object]]:
    """What the one event says. The body of a ping is nowhere described: it is told by its action."""
    action = document.get("action")
    if action == "ping":
        event_id = text(document.get("id"), ID_LIMIT) or fresh_id()
        yield (
            Told(event_id, PING, ignored="A ping: the way from the registry to here works."),
            document,
        )
        return
    heard = distribution.read_event(document)
    if isinstance(heard, Told) and action == "quarantine":
        heard = replace(heard, verb=QUARANTINE, ignored="")
    elif isinstance(heard, Told) and action in CHARTS:
        why = "Charts outside of the OCI store are in no catalog."
        heard = replace(heard, verb=OTHER, ignored=why)
    yield heard, document
