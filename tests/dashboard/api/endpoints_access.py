"""Roles, grants, explanations, teams, people, requests and reviews."""

from tests.dashboard.api.lines import ApiLine
from tests.dashboard.endpoints import MANAGING, MANAGING_ALL, OWNING, SIGNED_IN

A_ROLE = {"name": "granter", "label": "Granter", "actions": ["access manage"]}
A_GRANT = {"principals": ["user:paula"], "roles": ["reader"], "scopes": ["harbour"]}
ABOUT_PAULA = "principal=user:paula&scope=harbour"

ROLES = [
    ApiLine("GET", "/actions", SIGNED_IN, 200, 200, 200),
    ApiLine("GET", "/roles", SIGNED_IN, 200, 200, 200),
    ApiLine("POST", "/roles", MANAGING_ALL, 403, 201, 403, A_ROLE),
    ApiLine("GET", "/roles/own-role", SIGNED_IN, 200, 200, 200),
    ApiLine("PATCH", "/roles/reader", MANAGING_ALL, 403, 422, 403, {"label": "Other"}),
    ApiLine("DELETE", "/roles/own-role", MANAGING_ALL, 403, 204, 403),
]
# An owner of another registry has such lists, too, with what is his.
GRANTS = [
    ApiLine("GET", "/grants", MANAGING, 403, 200, 200),
    ApiLine("POST", "/grants", OWNING, 403, 201, 403, A_GRANT),
    ApiLine("GET", "/grants/{grant}", MANAGING, 403, 200, 404),
    ApiLine("PATCH", "/grants/{grant}", OWNING, 403, 200, 404, {"reason": "Why not."}),
    ApiLine("DELETE", "/grants/{grant}", OWNING, 403, 204, 404),
    ApiLine("POST", "/grants/revocations", OWNING, 403, 200, 404, {"grants": ["{grant}"]}),
    ApiLine("GET", "/principals/user:paula/grants", MANAGING, 403, 200, 200),
]
EXPLAINING = [
    ApiLine("GET", f"/effective-access?{ABOUT_PAULA}", MANAGING, 403, 200, 404),
    ApiLine("GET", f"/check-access?{ABOUT_PAULA}&action=content+read", MANAGING, 403, 200, 404),
    ApiLine("GET", "/who-can?scope=harbour", MANAGING, 403, 200, 404),
]

LINES = [
    *ROLES,
    *GRANTS,
    *EXPLAINING,
]
