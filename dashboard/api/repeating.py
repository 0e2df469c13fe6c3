"""A POST with an idempotency key is carried out once: who sends it again gets the first one's answer.

The answer goes to who asked, with the rights that he had. Somebody else of the same name, a narrower
token of the same person, or a person who lost a right since, would have been refused what was made
for the first one, and is not told it either.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import wraps
from typing import Any

import orjson
from django.utils.translation import gettext as _
from rest_framework.request import Request
from rest_framework.response import Response

from access import kept_answers
from access.kept_answers import Answer
from dashboard.api.callers import Caller, caller_of
from dashboard.api.problems import InvalidParameter, is_refusal
from dashboard.api.rendering import dumps

HEADER = "Idempotency-Key"
LONGEST_KEY = 255
# Of a kept answer; the others are made anew.
_KEPT_HEADERS = ("Cache-Control", "ETag", "Location")

Handler = Callable[..., Response]


def once(post: Handler) -> Handler:
    """The same, carried out once for each key that a caller sends."""

    @wraps(post)
    def posting(self: Any, request: Request, *args: Any, **kwargs: Any) -> Response:
        key = request.headers.get(HEADER, "")
        if not key:
            return post(self, request, *args, **kwargs)
        caller = caller_of(request)
        claimed = kept_answers.claim(
            f"{caller.actor.kind}:{caller.actor.id}", _readable(key), _fingerprint(request, caller)
        )
        if isinstance(claimed, Answer):
            return _again(claimed)
        try:
            response = post(self, request, *args, **kwargs)
        except Exception as error:
            # A refusal changed nothing. Of what broke midway nobody knows: that key stays claimed.
            if is_refusal(error):
                kept_answers.release(claimed)
            raise
        kept_answers.keep(claimed, _kept(response))
        return response

    return posting


def _readable(key: str) -> str:
    if len(key) > LONGEST_KEY or not key.isprintable():
        raise InvalidParameter(
            HEADER, _("An Idempotency-Key has at most %d characters.") % LONGEST_KEY
        )
    return key


def _fingerprint(request: Request, caller: Caller) -> str:
    """Of what is asked for, and by what right."""
    asked = [request.method, request.get_full_path(), request.data, _standing_of(caller)]
    return hashlib.sha256(dumps(asked)).hexdigest()


def _standing_of(caller: Caller) -> list[Any]:
    """What he may do, and for who is signed in himself the teams that he is in."""
    held = {
        (str(one.scope), *sorted(action.text for action in one.actions))
        for one in caller.rights.entitlements
    }
    if caller.maintainer is None:
        return [sorted(held)]
    teams = caller.maintainer.memberships.order_by("team").values_list("team", "is_maintainer")
    return [sorted(held), list(teams)]


def _kept(response: Response) -> Answer:
    headers = {name: response[name] for name in _KEPT_HEADERS if name in response}
    body = "" if response.data is None else dumps(response.data).decode()
    return Answer(response.status_code, headers, body)


def _again(answer: Answer) -> Response:
    headers = {**answer.headers, "Idempotency-Replayed": "true"}
    data = orjson.loads(answer.body) if answer.body else None
    return Response(data, status=answer.status, headers=headers)
