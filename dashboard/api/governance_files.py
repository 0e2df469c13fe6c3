"""`/export` and `/export/schema`: what is set up as one file, and what such a file may hold."""

from __future__ import annotations

import hashlib
from http import HTTPStatus
from typing import cast

from django.http import HttpRequest, HttpResponse
from django.utils.cache import get_conditional_response
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from dashboard.api.etags import answer_one
from dashboard.api.examples import shows
from dashboard.api.rendering import OwnType
from dashboard.api.resources import Resource
from dashboard.governance.document import dump
from dashboard.governance.export import export
from dashboard.governance.schema import schema

YAML = "application/yaml"
FILE = {
    "version": 1,
    "grants": [{"principal": "team:shop", "role": "pusher", "scope": "prod/shop/*"}],
}


class Export(Resource):
    content_negotiation_class = OwnType

    @extend_schema(
        operation_id="export_governance",
        tags=["governance"],
        summary="Export what is set up",
        parameters=[
            OpenApiParameter(
                "ETag", str, OpenApiParameter.HEADER, response=[200], description="Of this text."
            )
        ],
        responses={
            (200, YAML): OpenApiTypes.OBJECT,
            304: OpenApiResponse(description=HTTPStatus.NOT_MODIFIED.phrase),
        },
        examples=[shows("A grant", FILE, media_type=YAML)],
    )
    def get(self, request: Request) -> HttpResponse | Response:
        """Registries (without secrets), mirrors, roles, teams, machines, trust rules, grants, admin
        accounts and webhooks as one YAML file, which `plan` and `apply` take. It holds what the
        caller may manage."""
        caller = self.caller
        text = dump(export(caller.rights, caller.maintainer)).encode()
        etag = f'"{hashlib.sha256(text).hexdigest()[:32]}"'
        fresh = HttpResponse(text, content_type=f"{YAML}; charset=utf-8", headers={"ETag": etag})
        http = cast("HttpRequest", request)
        return get_conditional_response(http, etag=etag, response=fresh) or fresh


class GovernanceSchema(Resource):
    @extend_schema(
        operation_id="show_governance_schema",
        tags=["governance"],
        summary="Show the JSON Schema of governance files",
        responses=OpenApiTypes.OBJECT,
        examples=[
            shows(
                "Its beginning",
                {
                    "$schema": "https://json-schema.org/draft/2020-12/schema",
                    "$id": "urn:portolan:governance:1",
                    "title": "Governance of Portolan",
                    "type": "object",
                    "additionalProperties": False,
                    "required": ["version"],
                    "properties": {"version": {"const": 1}},
                },
            )
        ],
    )
    def get(self, request: Request) -> Response:
        """For editors and pipelines (draft 2020-12)."""
        return answer_one(request, schema())
