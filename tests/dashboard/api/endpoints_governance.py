"""Governance as one file. What of it somebody may not do is a problem of his plan."""

from access.scopes import EVERYTHING
from tests.dashboard.api.lines import ApiLine
from tests.dashboard.endpoints import SIGNED_IN, needs

_TEAM = {"document": "version: 1\nteams:\n- name: newcomers\n"}

LINES = [
    ApiLine("GET", "/export", SIGNED_IN, 200, 200, 200),
    ApiLine("GET", "/export/schema", SIGNED_IN, 200, 200, 200),
    ApiLine("POST", "/plan", SIGNED_IN, 200, 200, 200, _TEAM),
    ApiLine(
        "POST", "/apply", needs("access manage", EVERYTHING), 422, 200, 422, _TEAM, reassured=True
    ),
]
