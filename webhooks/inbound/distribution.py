"""CNCF Distribution 2.8 and 3, and whoever sends the same (GitLab's container registry does).

distribution: notifications/event.go (v2.8.3, v3.0.0), docs/content/about/notifications.md;
PROTOCOLS c.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from webhooks.inbound.told import (
    ACTOR_LIMIT,
    DELETE,
    ID_LIMIT,
    METHOD_LIMIT,
    OTHER,
    PULL,
    PUSH,
    Document,
    Heard,
    Misread,
    Told,
    fresh_id,
    host_of,
    items,
    moment,
    named,
    part,
    text,
)

VERBS = {"push": PUSH, "pull": PULL, "delete": DELETE}
_OF_MANIFESTS = ("manifest", "index")


def read(document: Document) -> Iterator[tuple[Heard, object]]:
    """What each event of an envelope says, with the event; without those about blobs.

    A blob's are left out at the door: there are ten for each image, and they tell nothing that the
    manifest's own does not.
    """
    for event in items(document, "events"):
        if not isinstance(event, Mapping):
            yield Misread("An event is no JSON object."), event
        elif not is_about_blob(event):
            yield read_event(event), event


def is_about_blob(event: Document) -> bool:
    """By media type, as the action says nothing of it. A blob's deletion has none, and looks like a
    manifest's: it names what the catalog does not hold."""
    target = part(event, "target")
    kind = text(target.get("mediaType"), 255)
    if event.get("action") == "mount":  # only blobs are
        return True
    return bool(kind) and not target.get("tag") and not any(it in kind for it in _OF_MANIFESTS)


def read_event(event: Document) -> Heard:
    """One event. A tag's deletion names no digest, a manifest's no tag, a repository's neither."""
    target, request = part(event, "target"), part(event, "request")
    action = text(event.get("action"), 32)
    verb = VERBS.get(action, OTHER)
    told = Told(
        event_id=text(event.get("id"), ID_LIMIT) or fresh_id(),
        verb=verb,
        repository=text(target.get("repository"), 300),
        tag=text(target.get("tag"), 200),
        digest=text(target.get("digest"), 200),
        actor=text(part(event, "actor").get("name"), ACTOR_LIMIT),
        agent=text(request.get("useragent"), ACTOR_LIMIT),
        address=host_of(text(request.get("addr"), 255)),
        method=text(request.get("method"), METHOD_LIMIT),
        occurred_at=moment(event.get("timestamp")),
        ignored="" if verb != OTHER else "Portolan does nothing about this action.",
    )
    return named(told)
