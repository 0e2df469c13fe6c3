"""Events, webhooks, notifications, and what one follows."""

from tests.dashboard.api.lines import ApiLine
from tests.dashboard.endpoints import BEING_PAULA, KEEPING, SIGNED_IN, needs

WEBHOOK = "/webhooks/{webhook}"
TOLD = "/registries/harbour/notifications"
FOLLOW = "/following/{follow}"
READING = needs("registry read")
MANAGING = needs("registry manage")
MADE = {
    "name": "new",
    "where": "harbour",
    "topics": ["push"],
    "url": "https://ci.example.com/hook",
}

LINES = [
    ApiLine("GET", "/events", SIGNED_IN, 200, 200, 200),
    # Who manages none is told so before; an owner of another registry may not have this one's.
    ApiLine("GET", "/webhooks", KEEPING, 403, 200, 200),
    ApiLine("POST", "/webhooks", KEEPING, 403, 201, 403, MADE),
    ApiLine("GET", "/webhooks/topics", SIGNED_IN, 200, 200, 200),
    ApiLine("GET", "/webhooks/preview?where=harbour&topics=push", KEEPING, 403, 200, 403),
    ApiLine("GET", WEBHOOK, KEEPING, 403, 200, 404),
    ApiLine("PATCH", WEBHOOK, KEEPING, 403, 200, 404, {"name": "other"}),
    ApiLine("DELETE", WEBHOOK, KEEPING, 403, 204, 404),
    ApiLine("POST", f"{WEBHOOK}/pause", KEEPING, 403, 200, 404),
    ApiLine("POST", f"{WEBHOOK}/resume", KEEPING, 403, 200, 404),
    ApiLine("POST", f"{WEBHOOK}/rotation", KEEPING, 403, 201, 404),
    ApiLine("GET", f"{WEBHOOK}/preview", KEEPING, 403, 200, 404),
    ApiLine("POST", f"{WEBHOOK}/pings", KEEPING, 403, 202, 404),
    ApiLine("GET", f"{WEBHOOK}/deliveries", KEEPING, 403, 200, 404),
    ApiLine("GET", f"{WEBHOOK}/deliveries/{{delivery}}", KEEPING, 403, 200, 404),
    ApiLine("POST", f"{WEBHOOK}/redeliveries", KEEPING, 403, 202, 404, {"deliveries": []}),
    ApiLine("GET", TOLD, READING, 403, 200, 404),
    ApiLine("GET", f"{TOLD}/setup", READING, 403, 200, 404),
    ApiLine("GET", f"{TOLD}/secrets", READING, 403, 200, 404),
    ApiLine("POST", f"{TOLD}/secrets", MANAGING, 403, 201, 404, reassured=True),
    ApiLine("GET", f"{TOLD}/secrets/{{inbound}}", READING, 403, 200, 404),
    ApiLine("DELETE", f"{TOLD}/secrets/{{inbound}}", MANAGING, 403, 204, 404),
    ApiLine("GET", "/following", SIGNED_IN, 200, 200, 200),
    ApiLine("POST", "/following", SIGNED_IN, 422, 422, 422, {"scope": "nowhere"}),
    ApiLine("GET", "/following/feed", SIGNED_IN, 200, 200, 200),
    ApiLine("POST", "/following/feed", SIGNED_IN, 201, 201, 201, reassured=True),
    ApiLine("DELETE", "/following/feed", SIGNED_IN, 204, 204, 204),
    ApiLine("GET", FOLLOW, BEING_PAULA, 404, 200, 404),
    ApiLine("PATCH", FOLLOW, BEING_PAULA, 404, 200, 404, {"mail": "each"}),
    ApiLine("DELETE", FOLLOW, BEING_PAULA, 404, 204, 404),
]
