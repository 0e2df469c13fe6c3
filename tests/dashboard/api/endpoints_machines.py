"""Machines, whatever signs in, and the audit log."""

from tests.dashboard.api.lines import ApiLine
from tests.dashboard.endpoints import MAINTAINING, MANAGING_ALL, SIGNED_IN

CI = "/service-principals/ci"

LINES = [
    ApiLine("GET", "/service-principals", SIGNED_IN, 200, 200, 200),
    ApiLine(
        "POST",
        "/service-principals",
        MAINTAINING,
        403,
        201,
        422,
        {"name": "new", "team": "crew"},
    ),
    ApiLine("GET", CI, MAINTAINING, 200, 200, 404),
    ApiLine("PATCH", CI, MAINTAINING, 403, 200, 404, {"description": "New"}),
    # Nobody who manages access in a part sees machines that are no team's of his.
    ApiLine("DELETE", CI, MANAGING_ALL, 404, 204, 404),
    ApiLine("POST", f"{CI}/disable", MAINTAINING, 403, 200, 404),
    ApiLine("POST", f"{CI}/enable", MAINTAINING, 403, 200, 404),
]
