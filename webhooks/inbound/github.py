"""GitHub Packages: the events `package` and `registry_package`.

octokit/webhooks: payload-examples; docs.github.com: Webhook events and payloads; PROTOCOLS g and i.
One comes for each tag and for each untagged child of an index. Nothing comes of deletions.
"""

from __future__ import annotations

from collections.abc import Iterator

from webhooks.inbound.told import (
    ACTOR_LIMIT,
    ID_LIMIT,
    OTHER,
    PING,
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

PACKAGE_EVENTS = {"package", "registry_package"}


def read(document: Document, *, event: str, delivery: str) -> Iterator[tuple[Heard, object]]:
    """`event` is X-GitHub-Event, `delivery` X-GitHub-Delivery: a person who sends one again there
    sends the same, and it has been handled."""
    event_id = text(delivery, ID_LIMIT) or fresh_id()
    if event == "ping":
        yield Told(event_id, PING, ignored="A ping: the way from GitHub to here works."), document
        return
    if event not in PACKAGE_EVENTS:
        why = "Of GitHub's events, only those of packages are of use here."
        yield Told(event_id, OTHER, ignored=why), document
        return
    package = part(document, event)
    version = part(package, "package_version")
    tag = part(part(version, "container_metadata"), "tag")
    is_image = text(package.get("package_type"), 32).lower() in ("container", "docker")
    owner = text(package.get("namespace"), 200) or text(part(package, "owner").get("login"), 200)
    told = Told(
        event_id=event_id,
        verb=PUSH if is_image else OTHER,
        # Names of accounts have capitals, paths of the registry have none.
        repository=f"{owner}/{text(package.get('name'), 255)}".lower(),
        tag=text(tag.get("name"), 200),
        digest=text(tag.get("digest"), 200) or text(version.get("version"), 200),
        actor=text(part(document, "sender").get("login"), ACTOR_LIMIT),
        occurred_at=moment(version.get("updated_at") or version.get("created_at")),
        ignored="" if is_image else "This package is no container image.",
    )
    yield (named(told) if is_image else told), document
