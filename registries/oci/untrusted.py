"""Reading JSON that somebody else wrote.

Every function returns a value of the type it says, whatever it was given: a wrong type is dropped,
never a TypeError deep in the code that trusted it.
"""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import orjson

from registries.oci.errors import InvalidDocument

# PostgreSQL stores neither in text nor in jsonb.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_LONE_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")
_MAX_SIZE = 2**63 - 1
# A million names in one answer, and what may come beside them (Google's tells of manifests, too).
# Two bytes of JSON can be an object of a hundred, so a small document could fill the memory.
_MOST_VALUES = 1_500_000


def load_object(raw: bytes, what: str) -> dict[str, Any]:
    """Return the JSON object in `raw`, or raise `InvalidDocument` naming `what`."""
    if len(raw) > _MOST_VALUES and sum(map(raw.count, (b",", b"[", b"{"))) > _MOST_VALUES:
        raise InvalidDocument(f"The {what} holds more than {_MOST_VALUES:,} things.")
    try:
        document = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        document = _load_leniently(raw)
        if document is None:
            raise InvalidDocument(f"The {what} is not valid JSON: {error}.") from None
    if not isinstance(document, dict):
        raise InvalidDocument(f"The {what} is JSON, but not an object.")
    return document


def _load_leniently(raw: bytes) -> Any:
    """Read what orjson refuses for a lone surrogate in some label, which is no reason to refuse."""
    if _LONE_SURROGATE.search(raw) is None:
        return None
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        return None


def scrub(text: str) -> str:
    """Return `text` without NUL characters and lone surrogates."""
    # isprintable() is one pass in C and true for nearly every text there is.
    return text if text.isprintable() else _UNSTORABLE.sub("", text)


def text(value: object) -> str | None:
    """Return a non-empty text, else None."""
    return scrub(value) or None if isinstance(value, str) else None


def texts(value: object) -> tuple[str, ...]:
    """Return the texts of a list; a single text counts as a list of one."""
    if isinstance(value, str):
        return (scrub(value),)
    if not isinstance(value, list):
        return ()
    return tuple(scrub(item) for item in value if isinstance(item, str))


def text_map(value: object) -> dict[str, str]:
    """Return the pairs of texts in an object: labels, annotations."""
    if not isinstance(value, dict):
        return {}
    return {scrub(key): scrub(item) for key, item in value.items() if isinstance(item, str)}


def keys(value: object) -> tuple[str, ...]:
    """Return the keys of an object, sorted: how Docker writes ports and volumes."""
    return tuple(sorted(scrub(key) for key in value)) if isinstance(value, dict) else ()


def mapping(value: object) -> dict[str, Any]:
    """Return an object, or an empty one."""
    return value if isinstance(value, dict) else {}


def objects(value: object) -> Iterator[dict[str, Any]]:
    """Return the objects in a list."""
    return (
        (item for item in value if isinstance(item, dict)) if isinstance(value, list) else iter(())
    )


def size(value: object) -> int | None:
    """Return a size in bytes that a bigint column can hold, else None."""
    is_whole = isinstance(value, int) and not isinstance(value, bool)
    return value if is_whole and 0 <= value <= _MAX_SIZE else None  # type: ignore[operator,return-value]


def moment(value: object) -> datetime | None:
    """Return an RFC 3339 time in UTC, or None for what is absent, broken or a zero value.

    Reproducible builds write 1970, Go's zero time is year 1: neither says when anything happened.
    """
    if not isinstance(value, str):
        return None
    try:
        parsed = datetime.fromisoformat(value)
        parsed = parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return parsed if parsed.year > 1970 else None
