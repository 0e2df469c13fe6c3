"""zot's events: CloudEvents, `zotregistry.*`, in binary mode (`ce-*` headers) or structured.

project-zot/zot: pkg/extensions/events and examples/README-EVENTS.md. The data are name, reference
(a tag or a digest), digest, mediaType and the manifest. Unverified: structured mode, which its own
sink does not use; the events of pulls, which it does not have. Who did it and from where is not told.
"""

from __future__ import annotations

from collections.abc import Iterator

from registries.oci.reference import is_digest
from webhooks.inbound.told import (
    DELETE,
    ID_LIMIT,
    OTHER,
    PUSH,
    Document,
    Heard,
    Told,
    fresh_id,
    moment,
    named,
    part,
    text,
)

VERBS = {
    "zotregistry.image.updated": PUSH,
    "zotregistry.image.deleted": DELETE,
    "zotregistry.repository.created": PUSH,
}


def read_structured(document: Document) -> Iterator[tuple[Heard, object]]:
    yield from read(
        part(document, "data"),
        kind=text(document.get("type"), 64),
        event_id=text(document.get("id"), ID_LIMIT),
        time=text(document.get("time"), 64),
    )


def read(data: Document, *, kind: str, event_id: str, time: str) -> Iterator[tuple[Heard, object]]:
    """The event; `kind`, `event_id` and `time` are the attributes ce-type, ce-id and ce-time."""
    verb = VERBS.get(kind, OTHER)
    reference = text(data.get("reference"), 200)
    told = Told(
        event_id=text(event_id, ID_LIMIT) or fresh_id(),
        verb=verb,
        repository=text(data.get("name"), 300),
        tag="" if is_digest(reference) else reference,
        digest=reference if is_digest(reference) else text(data.get("digest"), 200),
        occurred_at=moment(time),
        ignored="" if verb != OTHER else f"Portolan does nothing about {kind[:64]}.",
    )
    yield named(told), dict(data)
