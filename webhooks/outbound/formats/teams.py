"""An Adaptive Card for Microsoft Teams, posted to a Workflows webhook.

Source: learn.microsoft.com, "Create incoming webhooks with Workflows for Microsoft Teams", and
adaptivecards.io, "RichTextBlock": its text runs know no Markdown, so what registries sent stays text.
"""

from __future__ import annotations

from typing import Any

import orjson
from django.utils.translation import gettext as _

from webhooks.models import Event
from webhooks.outbound.formats import words

VALUE_LIMIT = 300


def write(event: Event, public_url: str) -> tuple[dict[str, str], bytes]:
    """Headers and body of an event, with a button to its page below `public_url`."""
    lines = [_line(_run(words.title(event), weight="Bolder", size="Medium"))]
    if subject := words.subject(event):
        lines.append(_line(_run(subject, fontType="Monospace")))
    lines += [
        _line(_run(f"{name}: ", isSubtle=True), _run(value)) for name, value in words.facts(event)
    ]
    open_page = {
        "type": "Action.OpenUrl",
        "title": _("Open in Portolan"),
        "url": words.link(event, public_url),
    }
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": lines,
        "actions": [open_page],
    }
    attachment = {
        "contentType": "application/vnd.microsoft.card.adaptive",
        "contentUrl": None,
        "content": card,
    }
    document = {"type": "message", "attachments": [attachment]}
    return {"Content-Type": "application/json; charset=utf-8"}, orjson.dumps(document)


def _line(*runs: dict[str, Any]) -> dict[str, Any]:
    return {"type": "RichTextBlock", "inlines": list(runs)}


def _run(text: str, **style: Any) -> dict[str, Any]:
    return {"type": "TextRun", "text": text[:VALUE_LIMIT], **style}
