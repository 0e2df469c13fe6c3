"""When something is to end, as it is typed: `2027-01-31`, `30d`, `12h`."""

from __future__ import annotations

import re
from datetime import UTC, datetime, time, timedelta

from portolan.failures import Misused

_SPAN = re.compile(r"([0-9]{1,5})([hdw])")
_UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}


def end_of(text: str, now: datetime | None = None) -> str | None:
    """The moment as the API takes it; a day counts to its end, here where it was typed. None for an
    empty text; raises Misused."""
    text = text.strip()
    if not text:
        return None
    now = (now or datetime.now(UTC)).astimezone()
    if found := _SPAN.fullmatch(text):
        return (now + int(found[1]) * _UNITS[found[2]]).isoformat()
    try:
        at = datetime.fromisoformat(text)
        if len(text) <= len("2027-01-31"):
            at = datetime.combine(at, time.max)
        return at.astimezone().isoformat()
    except (ValueError, OverflowError):
        raise Misused(f"“{text}” is no end: write 2027-01-31, or 30d, 12h, 4w.") from None
