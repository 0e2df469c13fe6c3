"""Harbor 2, both of its payloads: its own (Default) and CloudEvents.

goharbor/website: docs/**/configure-webhooks.md; goharbor/harbor: src/pkg/notifier; PROTOCOLS e.
The default payload has no id; a CloudEvent's is the event's, also where it names several images.
"""

from __future__ import annotations

from collections.abc import Iterator

from registries.oci.reference import is_digest
from webhooks.inbound.told import (
    ACTOR_LIMIT,
    DELETE,
    ID_LIMIT,
    OTHER,
    PULL,
    PUSH,
    Document,
    Heard,
    Misread,
    Told,
    as_object,
    fresh_id,
    items,
    moment,
    named,
    part,
    text,
)

VERBS = {
    "PUSH_ARTIFACT": PUSH,
    "PULL_ARTIFACT": PULL,
    "DELETE_ARTIFACT": DELETE,
    "harbor.artifact.pushed": PUSH,
    "harbor.artifact.pulled": PULL,
    "harbor.artifact.deleted": DELETE,
}


def read_default(document: Document) -> Iterator[tuple[Heard, object]]:
    """What the default payload says of each of its images."""
    at, who = document.get("occur_at"), document.get("operator")
    kind = text(document.get("type"), 64)
    for heard in _read(kind, part(document, "event_data"), "", at, who):
        yield heard, document


def read_cloud(document: Document) -> Iterator[tuple[Heard, object]]:
    """What a structured CloudEvent says of each of its images."""
    at, who = document.get("time"), document.get("operator")
    kind, event_id = text(document.get("type"), 64), text(document.get("id"), ID_LIMIT - 8)
    for heard in _read(kind, part(document, "data"), event_id, at, who):
        yield heard, document


def _read(
    kind: str, data: Document, event_id: str, at: object, operator: object
) -> Iterator[Heard]:
    verb, actor, when = VERBS.get(kind, OTHER), text(operator, ACTOR_LIMIT), moment(at)
    if verb == OTHER:
        # Scans, quotas, replications: what they change in a repository is told by events of its own.
        why = f"Portolan does nothing about {kind or 'an event without a type'}."
        yield Told(event_id or fresh_id(), OTHER, actor=actor, occurred_at=when, ignored=why)
        return
    repository = text(part(data, "repository").get("repo_full_name"), 300)
    resources = items(data, "resources")
    if not resources:
        yield Misread("It names no image.")
    for place, resource in enumerate(resources):
        image = as_object(resource)
        tag = text(image.get("tag"), 200)
        yield named(
            Told(
                event_id=(f"{event_id}#{place}" if place else event_id) or fresh_id(),
                verb=verb,
                repository=repository,
                # Where an image has no tag, the digest stands there.
                tag="" if is_digest(tag) else tag,
                digest=text(image.get("digest"), 200),
                actor=actor,
                occurred_at=when,
            )
        )
