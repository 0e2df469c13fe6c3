"""Bodies of requests and answers, as people read them."""

from __future__ import annotations

import json


def readable(body: str) -> str:
    """JSON with a line a value; anything else, or what was cut in the middle, as it came."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return body
    if not isinstance(value, dict | list):
        return body
    return json.dumps(value, indent=2, ensure_ascii=False)
