"""As Azure Container Registry sends it, so that what was made for it (Flux's `acr` receiver, Kargo,
Argo CD image updater, Azure's own pipelines) reads it: a flat document, told apart by `action`.

Source: MicrosoftDocs/azure-management-docs,
articles/container-registry/container-registry-webhook-reference.md.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import orjson

from webhooks.catalog import Topic
from webhooks.models import Event

# What Azure calls the same; other topics keep their own words, with an underscore.
_ACTIONS = {Topic.CHART_PUSH: "chart_push", Topic.CHART_DELETE: "chart_delete"}
_CHARTS = frozenset(_ACTIONS)
_DELETES = frozenset({Topic.DELETE, Topic.TAG_DELETED})
_CHART_TYPE = "application/vnd.acr.helm.chart"


def write(event: Event, public_url: str) -> tuple[dict[str, str], bytes]:  # noqa: ARG001  as all forms
    """Headers and body of an event. `request.host` is the registry's host in pull commands, which
    receivers put before `target.repository`."""
    topic = Topic(event.topic)
    document: dict[str, Any] = {
        "id": str(event.uid),
        "timestamp": timestamp(event.at),
        "action": _ACTIONS.get(topic, event.topic.replace(".", "_")),
    }
    if event.repository:
        document["target"] = _chart(event) if topic in _CHARTS else _image(event)
    if topic not in _CHARTS:
        document["request"] = {
            "id": str(event.uid),
            "host": event.data.get("host", ""),
            "method": "DELETE" if topic in _DELETES else "PUT",
            "useragent": "Portolan",
        }
    return {"Content-Type": "application/json; charset=utf-8"}, orjson.dumps(document)


def timestamp(at: datetime) -> str:
    """RFC 3339 in UTC with nine digits of fraction."""
    return at.strftime("%Y-%m-%dT%H:%M:%S.%f000Z")


def _image(event: Event) -> dict[str, Any]:
    size = event.data.get("size")
    # Of what was deleted Azure tells the type and digest alone.
    sizes = {} if size is None or event.topic in _DELETES else {"size": size, "length": size}
    named = {
        "mediaType": event.data.get("media_type"),
        **sizes,
        "digest": event.digest or event.old_digest,
        "repository": event.repository,
        "tag": event.tag,
    }
    return {name: value for name, value in named.items() if value not in (None, "")}


def _chart(event: Event) -> dict[str, Any]:
    # Helm writes the plus of a version as an underscore where it becomes a tag (hip-0006).
    named = {
        "mediaType": _CHART_TYPE,
        "size": event.data.get("size"),
        "digest": event.digest or event.old_digest,
        "repository": event.repository,
        "tag": event.tag,
        "name": event.repository.rpartition("/")[2],
        "version": event.tag.replace("_", "+"),
    }
    return {name: value for name, value in named.items() if value not in (None, "")}
