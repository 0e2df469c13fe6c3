"""What every address of the API does besides its own: counts its callers, and bounds what they send."""

from __future__ import annotations

from typing import Any, ClassVar

from django.core.exceptions import RequestDataTooBig
from django.utils.cache import patch_cache_control, patch_vary_headers
from django.utils.translation import gettext as _
from rest_framework.exceptions import Throttled
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from dashboard.api import limits
from dashboard.api.callers import Caller, caller_of
from dashboard.api.repeating import once

# In bytes, where a resource does not say otherwise.
LARGEST_BODY = 2 * 1024**2
_WITH_BODY = ("POST", "PUT", "PATCH")


class Resource(APIView):
    """An address of the API; subclasses have a method for each of its own (`get`, `post`, …)."""

    largest_body: ClassVar[int] = LARGEST_BODY
    # A POST that only asks needs no answer kept: it may be asked again.
    only_asks: ClassVar[bool] = False
    standing: limits.Standing | None = None

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "post" in vars(cls) and not cls.only_asks:
            cls.post = once(vars(cls)["post"])  # type: ignore[attr-defined]  # it is there

    @property
    def caller(self) -> Caller:
        return caller_of(self.request)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        self.standing = limits.count(str(self.caller.principal))
        if self.standing and self.standing.is_over:
            raise Throttled(wait=self.standing.seconds_left, detail=_("Too many requests."))
        if request.method in _WITH_BODY and _bytes_sent(request) > self.largest_body:
            raise RequestDataTooBig

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


def _bytes_sent(request: Request) -> int:
    """How large the body is: the server reads no more than this header says, and nothing without."""
    said = request.META.get("CONTENT_LENGTH") or ""
    return int(said) if said.isdecimal() else 0
