"""What schemathesis loads for tests/live/test_schema.py: a check that no answer holds a hidden name."""

from __future__ import annotations

import os
from typing import Any

import schemathesis

# Of things that the caller may not see, and that no request of his names.
HIDDEN = tuple(filter(None, os.environ.get("PORTOLAN_HIDDEN_NAMES", "").split()))


@schemathesis.check
def nothing_hidden_is_told(_context: Any, response: Any, _case: Any) -> None:
    """Body and headers alike."""
    said = response.content.decode(errors="replace") + repr(dict(response.headers))
    for name in HIDDEN:
        if name in said:
            raise AssertionError(f"The answer tells of {name}, which the caller may not see.")
