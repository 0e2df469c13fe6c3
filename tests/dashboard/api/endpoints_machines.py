"""Machines, whatever signs in, and the audit log."""

from access.scopes import EVERYTHING
from tests.dashboard.api.lines import ApiLine
from tests.dashboard.endpoints import BEING_PAULA, MAINTAINING, MANAGING_ALL, SIGNED_IN, needs

CI = "/service-principals/ci"
KEY = f"{CI}/secrets/{{key}}"
DEPLOY = "/trust-rules/deploy"
ENDED = {"expires_at": "2026-01-01T00:00:00Z"}
READING = needs("audit read")
READING_ALL = needs("audit read", EVERYTHING)

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
    ApiLine("GET", f"{CI}/secrets", MAINTAINING, 200, 200, 404),
    # Who comes with a session says once more who he is, before one is made for him.
    ApiLine("POST", f"{CI}/secrets", MAINTAINING, 403, 403, 404),
    ApiLine("GET", KEY, MAINTAINING, 200, 200, 404),
    ApiLine("PATCH", KEY, MAINTAINING, 403, 200, 404, ENDED),
    ApiLine("DELETE", KEY, MAINTAINING, 403, 204, 404),
    ApiLine("POST", f"{KEY}/rotation", MAINTAINING, 403, 403, 404),
    ApiLine("GET", "/trust-rules", SIGNED_IN, 200, 200, 200),
    ApiLine("POST", "/trust-rules", MAINTAINING, 403, 403, 403),
    ApiLine("POST", "/trust-rules/-/trials", SIGNED_IN, 422, 422, 422, {"token": "none"}),
    ApiLine("GET", DEPLOY, MAINTAINING, 200, 200, 404),
    ApiLine("PATCH", DEPLOY, MAINTAINING, 403, 403, 404),
    ApiLine("DELETE", DEPLOY, MAINTAINING, 403, 204, 404),
    ApiLine("POST", f"{DEPLOY}/disable", MAINTAINING, 403, 200, 404),
    ApiLine("POST", f"{DEPLOY}/enable", MAINTAINING, 403, 200, 404),
    ApiLine("GET", f"{DEPLOY}/snippets", MAINTAINING, 200, 200, 404),
    ApiLine("GET", "/tokens", SIGNED_IN, 200, 200, 200),
    ApiLine("POST", "/tokens", SIGNED_IN, 403, 403, 403),
    ApiLine("GET", "/tokens/{token}", BEING_PAULA, 200, 200, 404),
    ApiLine("DELETE", "/tokens/{token}", BEING_PAULA, 204, 204, 404),
    ApiLine("GET", "/credentials", SIGNED_IN, 200, 200, 200),
    ApiLine("GET", "/credentials/export", SIGNED_IN, 200, 200, 200),
    ApiLine("GET", "/audit", READING, 403, 200, 200),
    ApiLine("GET", "/audit/export", READING, 403, 200, 200),
    ApiLine("GET", "/audit/{entry}", READING, 403, 200, 404),
    ApiLine("GET", "/audit/verification", READING_ALL, 403, 200, 403),
    ApiLine("POST", "/audit/verification", READING_ALL, 403, 200, 403),
]
