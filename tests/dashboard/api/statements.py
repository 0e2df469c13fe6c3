"""How many statements a request takes, for lists that must not take more for more rows."""

from __future__ import annotations

from typing import Any

from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.dashboard.api.client import Api


def statements(api: Api, path: str, *, rows: int, **query: Any) -> int:
    """Of a list, which has so many rows."""
    with CaptureQueriesContext(
        connection,
    ) as captured:
        answer = api.get(path, **query)
    assert len(answer.json()["items"]) == rows, answer.content.decode()[:500]
    return len(captured)
