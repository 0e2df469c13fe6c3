"""Which sender speaks, told by what it sends, and what it says. A registry's kind does not matter:
Harbor behind a proxy, or a pipeline that posts Distribution's form, is understood all the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import TypeAlias

import orjson

from webhooks.inbound import acr, distribution, dockerhub, gitea, github, gitlab, harbor, quay, zot
from webhooks.inbound.told import Document, Heard, Misread, NotUnderstood, text

# Names of headers in lower case.
Headers: TypeAlias = Mapping[str, str]
Reader: TypeAlias = Callable[[Headers, Document], Iterable[tuple[Heard, object]]]

# So much of one event's words is kept, and so many events of one envelope.
KEPT_BYTES = 8 * 1024
KEPT_LEAST = 256
MOST_EVENTS = 1000


@dataclass(frozen=True, slots=True)
class Sender:
    """`recognised` looks at headers and body; `read` may assume that it said yes."""

    name: str
    recognised: Callable[[Headers, Document], bool]
    read: Reader


def _type(document: Document) -> str:
    return text(document.get("type"), 64)


# In this order: headers are surer than the look of a body.
SENDERS = (
    # Before GitHub, whose headers it sends, too.
    Sender(
        "Gitea",
        lambda headers, _: "x-gitea-event" in headers,
        lambda headers, document: gitea.read(
            document,
            event=headers["x-gitea-event"],
            delivery=headers.get("x-gitea-delivery", ""),
        ),
    ),
    Sender(
        "GitHub",
        lambda headers, _: "x-github-event" in headers,
        lambda headers, document: github.read(
            document,
            event=headers["x-github-event"],
            delivery=headers.get("x-github-delivery", ""),
        ),
    ),
    Sender(
        "GitLab",
        lambda headers, document: "x-gitlab-event" in headers and "events" not in document,
        lambda headers, document: gitlab.read(
            document, delivery=headers.get("x-gitlab-event-uuid", "")
        ),
    ),
    Sender(
        "zot",
        lambda headers, _: headers.get("ce-type", "").startswith("zotregistry."),
        lambda headers, document: zot.read(
            document,
            kind=headers["ce-type"],
            event_id=headers.get("ce-id", ""),
            time=headers.get("ce-time", ""),
        ),
    ),
    Sender(
        "zot, structured",
        lambda _, document: _type(document).startswith("zotregistry."),
        lambda _, document: zot.read_structured(document),
    ),
    Sender(
        "Distribution",
        lambda _, document: isinstance(document.get("events"), list),
        lambda _, document: distribution.read(document),
    ),
    Sender(
        "Harbor, CloudEvents",
        lambda _, document: _type(document).startswith("harbor."),
        lambda _, document: harbor.read_cloud(document),
    ),
    Sender(
        "Harbor",
        lambda _, document: "event_data" in document and "type" in document,
        lambda _, document: harbor.read_default(document),
    ),
    Sender(
        "Docker Hub",
        lambda _, document: "push_data" in document,
        lambda _, document: dockerhub.read(document),
    ),
    Sender(
        "Quay",
        lambda _, document: "docker_url" in document or "updated_tags" in document,
        lambda _, document: quay.read(document),
    ),
    Sender(
        "Azure Container Registry",
        lambda _, document: "action" in document,
        lambda _, document: acr.read(document),
    ),
)


def understand(headers: Headers, body: bytes) -> list[tuple[Heard, str]]:
    """What a notification says, each with the words that said it, cut at KEPT_BYTES (where the same
    words said several things, all of them together, and at KEPT_LEAST).

    Never raises, whatever the body is: what makes no sense is a Misread. Empty where it tells of
    nothing but blobs. Takes as long as the body is long: a sender's notification may name thousands
    of things, and be the words of each of them.
    """
    try:
        document = _document(body)
        sender = next((it for it in SENDERS if it.recognised(headers, document)), None)
        if sender is None:
            raise NotUnderstood("It has the form of no sender that Portolan knows.")
        told = list(islice(sender.read(headers, document), MOST_EVENTS + 1))
    except NotUnderstood as error:
        return [(Misread(str(error)), words(body))]
    # The words of all of them: each keeps its share.
    whole = words(body[: max(KEPT_BYTES // max(len(told), 1), KEPT_LEAST)])
    heard = [
        (it, whole if said is document else words(_written(said) or body))
        for it, said in told[:MOST_EVENTS]
    ]
    if len(told) > MOST_EVENTS:
        why = f"It has more than {MOST_EVENTS} events; the first {MOST_EVENTS} were taken."
        heard.append((Misread(why), ""))
    return heard


def _written(said: object) -> bytes:
    """One event's own words out of many; empty where it is nested deeper than can be written."""
    try:
        return orjson.dumps(said)
    except orjson.JSONEncodeError:
        return b""


def words(raw: bytes) -> str:
    """As text that a database takes and a page shows."""
    return raw[:KEPT_BYTES].decode(errors="replace").replace("\0", "\ufffd")


def _document(body: bytes) -> Document:
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as error:  # nested too deep is one, too
        raise NotUnderstood("It is no JSON.") from error
    if not isinstance(document, dict):
        raise NotUnderstood("It is no JSON object.")
    return document
