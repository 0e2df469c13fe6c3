"""Sizes and times as people read them."""

from __future__ import annotations

from datetime import UTC, datetime

_UNITS = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")
_SPANS = (
    (86400 * 365, "year"),
    (86400 * 30, "month"),
    (86400, "day"),
    (3600, "hour"),
    (60, "minute"),
)


def size(value: float | None) -> str:
    """Bytes in binary units: `1.4 GiB`; a dash for what is not known."""
    if value is None:
        return "–"
    amount, unit = float(value), 0
    while abs(amount) >= 1024 and unit < len(_UNITS) - 1:
        amount, unit = amount / 1024, unit + 1
    return (
        f"{amount:.0f} {_UNITS[unit]}"
        if unit == 0 or amount >= 100
        else f"{amount:.1f} {_UNITS[unit]}"
    )


def count(value: int | None) -> str:
    return "–" if value is None else f"{value:,}"


def since(text: str | None, now: datetime | None = None) -> str:
    """How long ago a time of the API was: `3 hours ago`, `in 2 days`; a dash for none."""
    if not text:
        return "–"
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return text
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    seconds = ((now or datetime.now(UTC)) - at).total_seconds()
    for length, name in _SPANS:
        if abs(seconds) >= length:
            number = int(abs(seconds) // length)
            said = f"{number} {name}{'' if number == 1 else 's'}"
            return f"{said} ago" if seconds > 0 else f"in {said}"
    return "just now" if seconds >= 0 else "in a moment"


def short_digest(text: str | None) -> str:
    """`sha256:` and the first twelve, as docker shows them."""
    if not text:
        return "–"
    algorithm, _colon, encoded = text.partition(":")
    return f"{algorithm}:{encoded[:12]}"
