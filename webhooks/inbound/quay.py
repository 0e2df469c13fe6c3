"""Quay's repo_push: the tags that a push moved, without digests, time, id or signature.

quay/quay: notifications/notificationevent.py; PROTOCOLS g. Two pushes of the same tag have the very
same body: each gets an id of its own, or the second would never be looked at.
"""

from __future__ import annotations

from collections.abc import Iterator

from webhooks.inbound.told import (
    OTHER,
    PUSH,
    Document,
    Heard,
    Told,
    fresh_id,
    items,
    named,
    text,
)


def read(document: Document) -> Iterator[tuple[Heard, object]]:
    """A push for each tag. Builds, scans and the like come in the same form without tags."""
    repository, tags = text(document.get("repository"), 300), items(document, "updated_tags")
    if not tags:
        why = "Of Quay's notifications, only those of pushes tell of tags."
        yield named(Told(fresh_id(), OTHER, repository, ignored=why)), document
    for tag in tags:
        yield named(Told(fresh_id(), PUSH, repository, text(tag, 200))), document
