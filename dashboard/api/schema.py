"""The description as a document."""

from __future__ import annotations

import hashlib
from functools import cache
from typing import cast

import orjson
from django.http import HttpRequest, HttpResponse
from django.utils.cache import get_conditional_response
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from dashboard.api.resources import Resource


@cache
def document() -> bytes:
    """The description as JSON; made once, as it changes with the program alone."""
    return orjson.dumps(SchemaGenerator().get_schema(request=None, public=True))  # type: ignore[no-untyped-call]  # it has no types


class Schema(Resource):
    """The OpenAPI document itself."""

    @extend_schema(exclude=True)
    def get(self, request: Request) -> Response | HttpResponse:
        body = document()
        etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
        fresh = HttpResponse(
            body,
            content_type="application/vnd.oai.openapi+json;version=3.1",
            headers={"ETag": etag},
        )
        return (
            get_conditional_response(cast("HttpRequest", request), etag=etag, response=fresh)
            or fresh
        )
