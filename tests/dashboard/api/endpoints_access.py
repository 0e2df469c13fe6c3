"""Roles, grants, explanations, teams, people, oneself, requests and reviews."""

from access.actions import ALL
from tests.dashboard.api.lines import ApiLine
from tests.dashboard.endpoints import (
    ANYTHING,
    GIVE_LESS,
    MAINTAINING,
    MANAGING,
    MANAGING_ALL,
    OWNING,
    SIGNED_IN,
    needs,
)

MASTERING_ALL = needs("access manage", MANAGING_ALL.scope, ALL)
A_RULE = {"provider": "nobody", "value": "x"}
A_PERSON = {"username": "new", "email": "new@example.com"}
ASKING = {"role": "owner", "scope": "harbour", "reason": "to own it"}
REFUSING = {"decision": "refuse", "answer": "No."}
# A review of it is open already.
REVIEWING = {"scope": "harbour", "due": "2099-01-01"}
DECIDING = {"items": ["{item}"], "decision": "confirmed"}
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
CREW = "/teams/crew"
TEAMS = [
    ApiLine("GET", "/teams", SIGNED_IN, 200, 200, 200),
    ApiLine("POST", "/teams", MANAGING_ALL, 403, 201, 403, {"name": "crew-2"}),
    ApiLine("GET", CREW, MAINTAINING, 200, 200, 404),
    # Who is in no team and does not manage access everywhere knows of none.
    ApiLine("PATCH", CREW, MANAGING_ALL, 404, 200, 404, {"description": "Ours."}),
    ApiLine("DELETE", CREW, MANAGING_ALL, 404, 422, 404),
    ApiLine("GET", f"{CREW}/members", MAINTAINING, 200, 200, 404),
    ApiLine("PUT", f"{CREW}/members/paula", MAINTAINING, 403, 200, 404, {}),
    ApiLine("DELETE", f"{CREW}/members/paula", MAINTAINING, 403, 204, 404),
    ApiLine("GET", f"{CREW}/claim-rules", MAINTAINING, 200, 200, 404),
    ApiLine("POST", f"{CREW}/claim-rules", MANAGING_ALL, 404, 422, 404, A_RULE),
    ApiLine("DELETE", f"{CREW}/claim-rules/{{rule}}", MANAGING_ALL, 404, 204, 404),
]
ONESELF = [
    ApiLine("GET", "/profile", SIGNED_IN, 200, 200, 200),
    ApiLine("PATCH", "/profile", SIGNED_IN, 200, 200, 200, {"first_name": "P"}),
    ApiLine("GET", "/profile/ways-in", SIGNED_IN, 200, 200, 200),
    ApiLine("GET", "/sessions", SIGNED_IN, 200, 200, 200),
    ApiLine("DELETE", "/sessions", SIGNED_IN, 204, 204, 204),
    ApiLine("GET", "/sessions/999999", SIGNED_IN, 404, 404, 404),
    ApiLine("DELETE", "/sessions/999999", SIGNED_IN, 404, 404, 404),
]
PAULA = "/people/paula"
PEOPLE = [
    ApiLine("GET", "/people", MANAGING_ALL, 403, 200, 403),
    ApiLine("POST", "/people", MANAGING_ALL, 403, 201, 403, A_PERSON, reassured=True),
    ApiLine("GET", PAULA, MANAGING_ALL, 403, 200, 403),
    ApiLine("PATCH", PAULA, MASTERING_ALL, 403, 200, 403, {"last_name": "P"}, reassured=True),
    ApiLine("POST", f"{PAULA}/link", MASTERING_ALL, 403, 201, 403, reassured=True),
    ApiLine("GET", f"{PAULA}/ways-in", MANAGING_ALL, 403, 200, 403),
    ApiLine("DELETE", f"{PAULA}/sessions", MASTERING_ALL, 403, 204, 403),
    ApiLine("DELETE", f"{PAULA}/second-factors", MASTERING_ALL, 403, 204, 403, reassured=True),
]
A_REQUEST = "/access-requests/{request}"
A_REVIEW = "/access-reviews/{review}"
REQUESTS_AND_REVIEWS = [
    ApiLine("GET", "/access-requests", SIGNED_IN, 200, 200, 200),
    ApiLine("POST", "/access-requests", ANYTHING, 422, 201, 422, ASKING),
    # Somebody else's request is there for who answers it, and for nobody else.
    ApiLine("GET", A_REQUEST, MANAGING, 404, 200, 404),
    ApiLine("POST", f"{A_REQUEST}/withdraw", MANAGING, 404, 403, 404),
    ApiLine("POST", f"{A_REQUEST}/decision", MANAGING, 404, 200, 404, REFUSING),
    ApiLine("GET", "/access-reviews", MANAGING, 403, 200, 200),
    ApiLine("POST", "/access-reviews", MANAGING, 403, 422, 403, REVIEWING),
    ApiLine("GET", A_REVIEW, MANAGING, 403, 200, 404),
    ApiLine("GET", f"{A_REVIEW}/items", MANAGING, 403, 200, 404),
    ApiLine("POST", f"{A_REVIEW}/decisions", MANAGING, 403, 200, 404, DECIDING),
    ApiLine("POST", f"{A_REVIEW}/close", MANAGING, 403, 200, 404),
    ApiLine("GET", "/unused-rights", MANAGING, 403, 200, 200),
    ApiLine("POST", "/unused-rights/replacements", OWNING, 403, 201, 404, GIVE_LESS),
]

LINES = [
    *ROLES,
    *GRANTS,
    *EXPLAINING,
    *TEAMS,
    *ONESELF,
    *PEOPLE,
    *REQUESTS_AND_REVIEWS,
]
