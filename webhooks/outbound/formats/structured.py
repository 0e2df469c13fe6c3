"""CloudEvents 1.0 in structured mode: everything in one JSON document.

Source: cloudevents/spec, cloudevents/bindings/http-protocol-binding.md section 3.2, and
cloudevents/formats/json-format.md.
"""

from __future__ import annotations

from typing import Any

import orjson

from webhooks.models import Event
from webhooks.outbound.formats import words
from webhooks.outbound.message_id import message_id

CONTENT_TYPE = "application/cloudevents+json; charset=utf-8"


def write(event: Event, public_url: str) -> tuple[dict[str, str], bytes]:
    """Headers and body of an event; links and `source` begin with `public_url`."""
    document = attributes(event, public_url) | {
        "datacontenttype": "application/json",
        "data": data(event, public_url),
    }
    return {"Content-Type": CONTENT_TYPE}, orjson.dumps(document)


def attributes(event: Event, public_url: str) -> dict[str, str]:
    """The CloudEvents attributes; `source` and `id` together name the event."""
    said = {
        "specversion": "1.0",
        "id": message_id(event),
        "source": f"{public_url}/r/{event.registry}" if event.registry else public_url,
        "type": f"portolan.{event.topic}",
        "time": event.at.isoformat().replace("+00:00", "Z"),
    }
    return said | ({"subject": subject} if (subject := words.subject(event)) else {})


def data(event: Event, public_url: str) -> dict[str, Any]:
    """What the topic tells; fields that say nothing are left out."""
    named = {
        "registry": event.registry,
        "repository": event.repository,
        "tag": event.tag,
        "digest": event.digest,
        "old_digest": event.old_digest,
    }
    return {
        **{name: value for name, value in named.items() if value},
        **event.data,
        "actor": {"kind": event.actor_kind, "label": event.actor_label},
        "url": words.link(event, public_url),
    }
