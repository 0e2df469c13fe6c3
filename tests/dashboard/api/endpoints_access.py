"""Roles, grants, explanations, teams, people, requests and reviews."""

from tests.dashboard.api.lines import ApiLine
from tests.dashboard.endpoints import MANAGING_ALL, SIGNED_IN

A_ROLE = {"name": "granter", "label": "Granter", "actions": ["access manage"]}

ROLES = [
    ApiLine("GET", "/actions", SIGNED_IN, 200, 200, 200),
    ApiLine("GET", "/roles", SIGNED_IN, 200, 200, 200),
    ApiLine("POST", "/roles", MANAGING_ALL, 403, 201, 403, A_ROLE),
    ApiLine("GET", "/roles/own-role", SIGNED_IN, 200, 200, 200),
    ApiLine("PATCH", "/roles/reader", MANAGING_ALL, 403, 422, 403, {"label": "Other"}),
    ApiLine("DELETE", "/roles/own-role", MANAGING_ALL, 403, 204, 403),
]

LINES = [
    *ROLES,
]
