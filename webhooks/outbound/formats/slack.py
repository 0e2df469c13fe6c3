"""A message for Slack's incoming webhooks, in blocks.

Source: docs.slack.dev, "Formatting message text" (what is escaped) and "Blocks" (limits).
"""

from __future__ import annotations

import orjson

from webhooks.models import Event
from webhooks.outbound.formats import words

TEXT_LIMIT = 3000  # characters of a section's text
FACT_LIMIT = 300


def write(event: Event, public_url: str) -> tuple[dict[str, str], bytes]:
    """Headers and body of an event, with a link to its page below `public_url`."""
    title, subject = escape(words.title(event)), words.subject(event)
    link = words.link(event, public_url)
    line = f"*{title}*"
    if subject:
        line += f"\n<{link}|{_label(subject)}>"
    blocks: list[dict[str, object]] = [_section(line)]
    if facts := words.facts(event):
        told = "  ·  ".join(f"{escape(name)}: {code(value)}" for name, value in facts)
        blocks.append({"type": "context", "elements": [_text(told)]})
    # What notifications show, where blocks are not.
    summary = f"{title}: {escape(subject)}" if subject else title
    document = {"text": summary[:TEXT_LIMIT], "blocks": blocks}
    return {"Content-Type": "application/json; charset=utf-8"}, orjson.dumps(document)


def escape(text: str) -> str:
    """Slack's three: without them a name such as `<!channel>` would call everybody."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def code(text: str) -> str:
    """As code, in which nothing is formatting."""
    return f"`{escape(_plain(text)[:FACT_LIMIT])}`"


def _label(text: str) -> str:
    """The text of a link, which ends at a bar or line break; formatting has no meaning in names."""
    return escape(_plain(text)[:FACT_LIMIT].replace("|", "¦"))


def _plain(text: str) -> str:
    return " ".join(text.replace("`", "'").split())


def _section(text: str) -> dict[str, object]:
    return {"type": "section", "text": _text(text)}


def _text(text: str) -> dict[str, object]:
    # Verbatim: names that look like addresses or channels stay text.
    return {"type": "mrkdwn", "text": text[:TEXT_LIMIT], "verbatim": True}
