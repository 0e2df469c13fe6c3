"""Gitea and Forgejo: the event `package`, which tells of images, too, when they come and go.

go-gitea/gitea: services/webhook/notifier.go, services/convert/package.go. A version is a tag, or the
digest of a manifest that has none. One comes for each of them; a tag that moves was created anew.
"""

from __future__ import annotations

from collections.abc import Iterator

from registries.oci.reference import is_digest
from webhooks.inbound.told import (
    ACTOR_LIMIT,
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

_VERBS = {"created": PUSH, "deleted": DELETE}


def read(document: Document, *, event: str, delivery: str) -> Iterator[tuple[Heard, object]]:
    """`event` is X-Gitea-Event, `delivery` X-Gitea-Delivery, which every try has of its own."""
    event_id = text(delivery, ID_LIMIT) or fresh_id()
    if event != "package":
        why = "Of Gitea's events, only those of packages are of use here."
        yield Told(event_id, OTHER, ignored=why), document
        return
    package = part(document, "package")
    verb = _VERBS.get(text(document.get("action"), 32), OTHER)
    is_image = package.get("type") == "container" and verb != OTHER
    owner, name = text(part(package, "owner").get("login"), 200), text(package.get("name"), 255)
    version = text(package.get("version"), 200)
    told = Told(
        event_id=event_id,
        verb=verb if is_image else OTHER,
        # Names of accounts have capitals, paths of the registry have none.
        repository=f"{owner}/{name}".lower(),
        tag="" if is_digest(version) else version,
        digest=version if is_digest(version) else "",
        actor=text(part(document, "sender").get("login"), ACTOR_LIMIT),
        # Of a deletion it says when the package came.
        occurred_at=moment(package.get("created_at")) if verb == PUSH else None,
        ignored="" if is_image else "It tells of no container image that came or went.",
    )
    yield (named(told) if is_image else told), document
