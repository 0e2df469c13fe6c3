"""Mirrors and comparisons."""

from tests.dashboard.api.lines import ApiLine
from tests.dashboard.endpoints import PULLING, SIGNED_IN, needs

MANAGING = needs("registry manage")
MIRROR = "/mirrors/{mirror}"
PLACES = "source=harbour/team-a/*&target=harbour/copy/*"

LINES = [
    ApiLine("GET", "/mirrors", SIGNED_IN, 200, 200, 200),
    ApiLine(
        "POST",
        "/mirrors",
        MANAGING,
        403,
        201,
        422,
        {"source": "harbour/team-a/*", "target": "harbour/other/*"},
    ),
    # Who manages the registry knows of its mirrors, too.
    ApiLine("GET", MIRROR, PULLING, 200, 200, 404),
    ApiLine("PATCH", MIRROR, MANAGING, 403, 200, 404, {"tags": "v1.*"}),
    ApiLine("DELETE", MIRROR, MANAGING, 403, 204, 404),
    ApiLine("GET", f"{MIRROR}/health", PULLING, 403, 200, 404),
    ApiLine("GET", f"{MIRROR}/tags", PULLING, 403, 200, 404),
    ApiLine("GET", f"{MIRROR}/repositories", PULLING, 403, 200, 404),
    # A registry that one may not know of is none to compare.
    ApiLine("GET", f"/mirrors/compare?{PLACES}", PULLING, 403, 200, 400),
    ApiLine("GET", f"/mirrors/compare/repositories?{PLACES}", PULLING, 403, 200, 400),
]
