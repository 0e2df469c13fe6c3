"""What every address of the API does besides its own: counts its callers and keeps answers of POST."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import wraps
from typing import Any

import orjson
from django.utils.cache import patch_cache_control, patch_vary_headers
from django.utils.translation import gettext as _
from rest_framework.exceptions import Throttled
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from access import kept_answers
from access.kept_answers import Answer
from dashboard.api import limits
from dashboard.api.callers import Caller, caller_of
from dashboard.api.problems import InvalidParameter, is_refusal
from dashboard.api.rendering import dumps

IDEMPOTENCY_HEADER = "Idempotency-Key"
LONGEST_KEY = 255
# Of a kept answer; the others are made anew.
_KEPT_HEADERS = ("Cache-Control", "ETag", "Location")

Handler = Callable[..., Response]


class Resource(APIView):
    """An address of the API; subclasses have a method for each of its own (`get`, `post`, …)."""

    standing: limits.Standing | None = None

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "post" in vars(cls):
            cls.post = _once(vars(cls)["post"])  # type: ignore[attr-defined]  # it is there

    @property
    def caller(self) -> Caller:
        return caller_of(self.request)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        self.standing = limits.count(str(self.caller.principal))
        if self.standing and self.standing.is_over:
            raise Throttled(wait=self.standing.seconds_left, detail=_("Too many requests."))

    def finalize_response(
        self, request: Request, response: Any, *args: Any, **kwargs: Any
    ) -> Response:
        finished: Response = super().finalize_response(request, response, *args, **kwargs)
        for name, value in (self.standing.as_headers() if self.standing else {}).items():
            finished[name] = value
        # Two callers are told different things at the same address.
        patch_vary_headers(finished, ("Authorization", "Cookie"))
        patch_cache_control(finished, private=True, no_cache=True)
        if isinstance(finished, Response):  # and not a stream
            finished.add_post_render_callback(self._let_go)
        return finished

    def _let_go(self, response: Response) -> None:
        """The answer, its view and its request hold each other; without this, thousands of rows
        that are long written would wait for the garbage collector, and then others for it."""
        del response.renderer_context  # type: ignore[attr-defined]  # unknown to the stubs
        del self.response


def _once(post: Handler) -> Handler:
    """The same, made once for each idempotency key that a caller sends."""

    @wraps(post)
    def posting(self: Resource, request: Request, *args: Any, **kwargs: Any) -> Response:
        key = request.headers.get(IDEMPOTENCY_HEADER, "")
        if not key:
            return post(self, request, *args, **kwargs)
        claimed = kept_answers.claim(
            str(self.caller.principal), _readable(key), _fingerprint(request)
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
            IDEMPOTENCY_HEADER, _("An Idempotency-Key has at most %d characters.") % LONGEST_KEY
        )
    return key


def _fingerprint(request: Request) -> str:
    parts = (request.method or "", request.get_full_path())
    return hashlib.sha256("\n".join(parts).encode() + b"\n" + request.body).hexdigest()


def _kept(response: Response) -> Answer:
    headers = {name: response[name] for name in _KEPT_HEADERS if name in response}
    body = "" if response.data is None else dumps(response.data).decode()
    return Answer(response.status_code, headers, body)


def _again(answer: Answer) -> Response:
    headers = {**answer.headers, "Idempotency-Replayed": "true"}
    data = orjson.loads(answer.body) if answer.body else None
    return Response(data, status=answer.status, headers=headers)
