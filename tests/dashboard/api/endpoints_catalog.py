"""Registries, what they hold, and the runs that read them."""

from access.scopes import EVERYTHING, Scope
from tests.dashboard.api.lines import ApiLine
from tests.dashboard.endpoints import ANYTHING, HANDING_OUT, SIGNED_IN, needs
from tests.dashboard.endpoints import MANAGING as MANAGING_ACCESS

READING = needs("registry read")
MANAGING = needs("registry manage")
MANAGING_ALL = needs("registry manage", EVERYTHING)
# Where nobody answers, and quickly.
CLOSED = {"url": "http://127.0.0.1:9", "allow_private": True, "kind": "distribution"}
# Not dialled at all.
REFUSED = {"url": "https://127.0.0.1:9", "kind": "distribution"}
_DOCKER = "/registries/harbour/docker"
_AZURE = Scope("azure")
_READING_AZURE = needs("registry read", _AZURE)
_MANAGING_AZURE = needs("registry manage", _AZURE)
_VENDOR = "/registries/azure/vendor"
_WEBHOOK = f"{_VENDOR}/webhooks/portolanazure"

DOCKER = [
    ApiLine("GET", _DOCKER, MANAGING_ACCESS, 403, 200, 404),
    ApiLine(
        "PATCH", _DOCKER, MANAGING_ACCESS, 403, 200, 404, {"admin_account": {"enabled": False}}
    ),
    # Who may do it comes with a session here, and is asked who he is.
    ApiLine("POST", f"{_DOCKER}/passwords/1", HANDING_OUT, 403, 403, 404),
    ApiLine("GET", f"{_DOCKER}/tokens", MANAGING_ACCESS, 403, 200, 404),
    ApiLine(
        "GET",
        f"{_DOCKER}/trial?principal=anonymous&scope=repository:b:pull",
        MANAGING_ACCESS,
        403,
        200,
        404,
    ),
]
VENDOR = [
    ApiLine("GET", _VENDOR, _READING_AZURE, 403, 200, 404),
    ApiLine("GET", f"{_VENDOR}/access", needs("access manage", _AZURE), 403, 200, 404),
    ApiLine("GET", f"{_VENDOR}/webhooks", _MANAGING_AZURE, 403, 200, 404),
    ApiLine("GET", _WEBHOOK, _MANAGING_AZURE, 403, 200, 404),
    # It has no credential for its vendor's API: what is asked of that is refused, before it is dialled.
    ApiLine("POST", f"{_VENDOR}/readings", _MANAGING_AZURE, 403, 200, 404),
    ApiLine("POST", f"{_VENDOR}/remedies/acr-admin-enabled", _MANAGING_AZURE, 403, 422, 404),
    ApiLine("POST", f"{_VENDOR}/webhooks", _MANAGING_AZURE, 403, 422, 404),
    ApiLine("POST", f"{_WEBHOOK}/pings", _MANAGING_AZURE, 403, 422, 404),
    ApiLine("DELETE", _WEBHOOK, _MANAGING_AZURE, 403, 422, 404),
]

LINES = [
    *DOCKER,
    *VENDOR,
    ApiLine("GET", "/", SIGNED_IN, 200, 200, 200),
    ApiLine("GET", "/registries", SIGNED_IN, 200, 200, 200),
    ApiLine("GET", "/registries/harbour", ANYTHING, 404, 200, 404),
    ApiLine("DELETE", "/registries/harbour", MANAGING, 403, 204, 404),
    ApiLine("POST", "/registries", MANAGING_ALL, 403, 422, 403, {"name": "new", **CLOSED}),
    ApiLine("GET", "/registry-kinds", SIGNED_IN, 200, 200, 200),
    ApiLine("POST", "/registry-checks", MANAGING_ALL, 403, 200, 403, CLOSED),
    ApiLine("GET", "/registries/harbour/settings", MANAGING, 403, 200, 404),
    ApiLine("PATCH", "/registries/harbour/settings", MANAGING, 403, 200, 404, {"sync_minutes": 5}),
    ApiLine("POST", "/registries/harbour/check", MANAGING, 403, 200, 404, REFUSED),
    ApiLine("POST", "/registries/harbour/check", MANAGING_ALL, 403, 200, 404, CLOSED),
    ApiLine("GET", "/registries/harbour/runs", READING, 403, 200, 404),
    ApiLine("POST", "/registries/harbour/runs", MANAGING, 403, 202, 404),
    ApiLine("GET", "/registries/harbour/runs/{run}", READING, 403, 200, 404),
    ApiLine("POST", "/registries/harbour/runs/{run}/cancel", MANAGING, 403, 202, 404),
    ApiLine("GET", "/registries/harbour/runs/{run}/problems", READING, 403, 200, 404),
    ApiLine("GET", "/registries/harbour/runs/{run}/causes", READING, 403, 200, 404),
    ApiLine("GET", "/registries/harbour/namespaces", ANYTHING, 404, 200, 404),
    ApiLine("GET", "/registries/harbour/storage", ANYTHING, 404, 200, 404),
    ApiLine("GET", "/storage", SIGNED_IN, 200, 200, 200),
]
