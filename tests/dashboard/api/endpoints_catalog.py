"""Registries, what they hold, and the runs that read them."""

from tests.dashboard.api.lines import ApiLine
from tests.dashboard.endpoints import ANYTHING, SIGNED_IN, needs

READING = needs("registry read")
MANAGING = needs("registry manage")

LINES = [
    ApiLine("GET", "/", SIGNED_IN, 200, 200, 200),
    ApiLine("GET", "/registries", SIGNED_IN, 200, 200, 200),
    ApiLine("GET", "/registries/harbour", ANYTHING, 404, 200, 404),
    ApiLine("GET", "/registries/harbour/runs", READING, 403, 200, 404),
    ApiLine("POST", "/registries/harbour/runs", MANAGING, 403, 202, 404),
    ApiLine("GET", "/registries/harbour/runs/{run}", READING, 403, 200, 404),
    ApiLine("POST", "/registries/harbour/runs/{run}/cancel", MANAGING, 403, 202, 404),
]
