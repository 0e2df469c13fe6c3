"""Docker Hub, which tells of pushes only: without a digest, an id or a signature.

docker/docs: content/manuals/docker-hub/repos/manage/webhooks.md; PROTOCOLS f. Its `callback_url` is
never called: whoever wrote the body chose it.
"""

from __future__ import annotations

from collections.abc import Iterator

from webhooks.inbound.told import (
    ACTOR_LIMIT,
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


def read(document: Document) -> Iterator[tuple[Heard, object]]:
    """The push. Its time has whole seconds, so that it makes no id: fresh ones swallow nothing."""
    push = part(document, "push_data")
    told = Told(
        event_id=fresh_id(),
        verb=PUSH,
        repository=text(part(document, "repository").get("repo_name"), 300),
        tag=text(push.get("tag"), 200),
        actor=text(push.get("pusher"), ACTOR_LIMIT),
        occurred_at=moment(push.get("pushed_at")),
    )
    yield named(told), document
