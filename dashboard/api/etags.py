"""Entity tags: a read that nothing changed since is a 304, a change of what changed is refused.

RFC 9110, 8.8.3 (ETag), 13.1 (If-Match, If-None-Match).
"""

from __future__ import annotations

import hashlib
from http import HTTPStatus
from typing import Any

from django.utils.http import parse_etags
from django.utils.translation import gettext as _
from rest_framework.request import Request
from rest_framework.response import Response

from dashboard.api.problems import Code, Problem
from dashboard.api.rendering import JSONRenderer


def etag_of(data: Any) -> str:
    """The strong entity tag of what a resource is now."""
    return f'"{hashlib.sha256(JSONRenderer().render(data)).hexdigest()[:32]}"'


def answer_one(request: Request, data: Any, *, shown: Any = None) -> Response:
    """One thing with its entity tag, or 304; `shown` is what of it was asked for."""
    etag = etag_of(data)
    known = parse_etags(request.headers.get("If-None-Match", ""))
    if "*" in known or etag in (one.removeprefix("W/") for one in known):
        return Response(status=HTTPStatus.NOT_MODIFIED, headers={"ETag": etag})
    return Response(data if shown is None else shown, headers={"ETag": etag})


def require_match(request: Request, data: Any) -> None:
    """Raises Problem (412) if the caller says what he thinks it is, and it is not that any more.

    Call it inside `together()` with the row locked: between looking and changing comes nobody.
    """
    header = request.headers.get("If-Match", "")
    if header and "*" not in (wanted := parse_etags(header)) and etag_of(data) not in wanted:
        raise Problem(
            HTTPStatus.PRECONDITION_FAILED,
            Code.PRECONDITION_FAILED,
            _("It was changed since you read it: read it again, and see whether yours still fits."),
        )
