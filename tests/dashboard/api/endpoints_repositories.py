"""Repositories, their tags and content, and what is changed in them."""

from tests.dashboard.api.lines import ApiLine
from tests.dashboard.endpoints import ANYTHING, DELETING, LOCKING, PULLING, SIGNED_IN

APP = "/registries/harbour/repositories/team-a/app"
DRY_RUN = {"tags": [{"tag": "1.0", "digest": "{digest}"}], "dry_run": True}

LINES = [
    ApiLine("GET", "/repositories", SIGNED_IN, 200, 200, 200),
    ApiLine("GET", "/registries/harbour/repositories", ANYTHING, 404, 200, 404),
    ApiLine("GET", APP, PULLING, 403, 200, 404),
    ApiLine("GET", f"{APP}/-/tags", PULLING, 403, 200, 404),
    ApiLine("GET", f"{APP}/-/tags/1.0", PULLING, 403, 200, 404),
    ApiLine("GET", f"{APP}/-/tags/1.0/history", PULLING, 403, 200, 404),
    ApiLine("GET", f"{APP}/-/activity", PULLING, 403, 200, 404),
    ApiLine("GET", f"{APP}/-/manifests", PULLING, 403, 200, 404),
    ApiLine("GET", f"{APP}/-/manifests/{{digest}}", PULLING, 403, 200, 404),
    ApiLine("GET", f"{APP}/-/manifests/{{digest}}/raw", PULLING, 403, 200, 404),
    ApiLine("GET", f"{APP}/-/manifests/{{digest}}/readings", PULLING, 403, 200, 404),
    ApiLine("POST", f"{APP}/-/manifests/{{digest}}/readings", PULLING, 403, 202, 404),
    ApiLine("GET", f"{APP}/-/compare?from=1.0&to={{digest}}", PULLING, 403, 200, 404),
    # Distribution takes no tag away and deletes no repository: who may is told so.
    ApiLine("DELETE", APP, DELETING, 403, 422, 404),
    ApiLine("DELETE", f"{APP}/-/tags/1.0", DELETING, 403, 422, 404),
    # The image has a tag that the caller did not say that he knows of.
    ApiLine("DELETE", f"{APP}/-/manifests/{{digest}}", DELETING, 403, 422, 404),
    ApiLine("POST", f"{APP}/-/deletions", DELETING, 403, 200, 404, DRY_RUN),
    ApiLine("GET", f"{APP}/-/locks", LOCKING, 403, 200, 404),
    ApiLine("PATCH", f"{APP}/-/locks", LOCKING, 403, 422, 404, {"delete": True}),
    ApiLine("GET", "/tags", SIGNED_IN, 200, 200, 200),
    ApiLine("GET", "/search?q=app", SIGNED_IN, 200, 200, 200),
    # The other registry has the same image: who looks into that one is told of that one.
    ApiLine("GET", "/digests/{digest}", PULLING, 404, 200, 200),
    ApiLine("GET", "/digests/{digest}/places", PULLING, 404, 200, 200),
    ApiLine("GET", "/digests/{digest}/tags", PULLING, 404, 200, 200),
    ApiLine("GET", "/digests/{digest}/left", PULLING, 404, 200, 200),
]
