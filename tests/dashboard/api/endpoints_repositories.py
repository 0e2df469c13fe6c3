"""Repositories, their tags and content, and what is changed in them."""

from tests.dashboard.api.lines import ApiLine
from tests.dashboard.endpoints import ANYTHING, PULLING, SIGNED_IN

APP = "/registries/harbour/repositories/team-a/app"

LINES = [
    ApiLine("GET", "/repositories", SIGNED_IN, 200, 200, 200),
    ApiLine("GET", "/registries/harbour/repositories", ANYTHING, 404, 200, 404),
    ApiLine("GET", APP, PULLING, 403, 200, 404),
    ApiLine("GET", f"{APP}/-/tags", PULLING, 403, 200, 404),
    ApiLine("GET", f"{APP}/-/tags/1.0", PULLING, 403, 200, 404),
]
