"""`/credentials`: whatever somebody signs in with, as one list: its owner, end and last use."""

from __future__ import annotations

from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from access.credentials import visible_credentials
from access.models import Credential
from dashboard.api.bodies import Query, Row
from dashboard.api.examples import lists, shows
from dashboard.api.pages import PageQuery, answer_page, page_of, sorts, turn_page
from dashboard.api.rendering import JSONRenderer, LinesRenderer, TableRenderer
from dashboard.api.resources import Resource
from dashboard.exports import CSV, JSON_LINES, csv_lines, json_lines, stream
from dashboard.forms_credentials import narrowed
from dashboard.views.access.credentials import COLUMNS, ORDERS, exported_rows

_EXAMPLE = {
    "kind": "sp",
    "owner": "sp:shop-builds",
    "team": "shop",
    "label": "Jenkins in Basel",
    "key_id": "k3v9x0q2m1",
    "state": "live",
    "created_at": "2026-03-02T09:30:00Z",
    "created_by": "anna",
    "expires_at": "2026-12-31T23:59:59Z",
    "revoked_at": None,
    "last_used_at": "2026-11-26T08:15:00Z",
    "last_used_from": "192.0.2.7",
}

_LINE = {
    "kind": "sp",
    "owner": "sp:shop-builds",
    "team": "shop",
    "name": "Jenkins in Basel",
    "key_id": "k3v9x0q2m1",
    "state": "live",
    "created_at": "2026-03-02T09:30:00+00:00",
    "created_by": "anna",
    "expires_at": "2026-12-31T23:59:59+00:00",
    "revoked_at": None,
    "last_used_at": "2026-11-26T08:15:00+00:00",
    "last_used_from": "192.0.2.7",
}


class CredentialRow(Row):
    """A secret of a machine, person or shared account, or what Portolan signs in to a registry with."""

    kind = serializers.CharField(
        help_text=", ".join(f"`{value.value}`" for value in Credential.Kind)
    )
    owner = serializers.CharField(
        help_text="`user:NAME`, `sp:NAME`, `admin:REGISTRY` or `registry:REGISTRY`."
    )
    team = serializers.CharField(
        source="team.name", default=None, allow_null=True, help_text="The team that owns it."
    )
    label = serializers.CharField(help_text="What it is for.")  # type: ignore[assignment]  # here it is a field's name
    key_id = serializers.CharField(help_text="The part of it that may be seen; empty for none.")
    state = serializers.SerializerMethodField(
        help_text="`live`, `off` (its owner is switched off), `expired` or `revoked`."
    )
    created_at = serializers.DateTimeField()
    created_by = serializers.CharField()
    expires_at = serializers.DateTimeField(allow_null=True, help_text="Null for never.")
    revoked_at = serializers.DateTimeField(allow_null=True)
    last_used_at = serializers.DateTimeField(allow_null=True)
    last_used_from = serializers.CharField(allow_null=True, help_text="The address.")

    def get_state(self, credential: Credential) -> str:
        return credential.state(timezone.now()).value


class _Filter(Query):
    q = serializers.CharField(
        required=False, max_length=150, help_text="A part of the owner, label, key id or team."
    )
    kind = serializers.ChoiceField(
        choices=[value.value for value in Credential.Kind], required=False
    )
    state = serializers.ChoiceField(
        choices=["live", "off", "expired", "revoked", "all"], default="live"
    )
    ending = serializers.IntegerField(
        min_value=1, max_value=36500, required=False, help_text="Ends within so many days."
    )
    unused = serializers.IntegerField(
        min_value=1, max_value=36500, required=False, help_text="Not used for so many days."
    )


class CredentialQuery(_Filter, PageQuery):
    sort = sorts(ORDERS)


class CredentialExportQuery(_Filter):
    form = serializers.ChoiceField(choices=[JSON_LINES, CSV], default=JSON_LINES)


class Credentials(Resource):
    @extend_schema(
        operation_id="list_credentials",
        tags=["credentials"],
        summary="List credentials",
        parameters=[CredentialQuery],
        responses=page_of(CredentialRow),
        examples=[lists("One secret", _EXAMPLE)],
    )
    def get(self, request: Request) -> Response:
        """What ends first comes first. With `access manage` on everything all secrets, on a registry
        its shared account's; with `registry manage` the connection's; for a person who is signed in
        himself, his own and those of his teams' machines. No list has a secret itself."""
        caller = self.caller
        query = CredentialQuery.read(request)
        visible = visible_credentials(caller.maintainer, caller.rights)
        found = narrowed(visible, query.values, timezone.now()).prefetch_related("team")
        page = turn_page(request, found, query, ORDERS)
        return answer_page(request, page, query, CredentialRow)


class CredentialExport(Resource):
    renderer_classes = [JSONRenderer, LinesRenderer, TableRenderer]

    @extend_schema(
        operation_id="export_credentials",
        tags=["credentials"],
        summary="Export credentials",
        parameters=[CredentialExportQuery],
        responses={
            (200, LinesRenderer.media_type): OpenApiTypes.STR,
            (200, TableRenderer.media_type): OpenApiTypes.STR,
        },
        examples=[
            shows("A line", "".join(json_lines([_LINE])), media_type=LinesRenderer.media_type),
            shows(
                "Head and a line",
                "".join(csv_lines([_LINE], list(COLUMNS))),
                media_type=TableRenderer.media_type,
            ),
        ],
    )
    def get(self, request: Request) -> HttpResponse:
        """The filtered list as a file, oldest first: what the list shows to the caller, and no
        more."""
        caller, now = self.caller, timezone.now()
        query = CredentialExportQuery.read(request)
        visible = visible_credentials(caller.maintainer, caller.rights)
        rows = exported_rows(narrowed(visible, query.values, now), now)
        name = f"credentials-{now:%Y-%m-%d}"
        return stream(rows, columns=COLUMNS, form=query["form"], name=name)  # type: ignore[return-value]  # a response, too
