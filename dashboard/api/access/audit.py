"""`/audit`: who did what, from where, old and new; exported, and verified."""

from __future__ import annotations

from http import HTTPStatus

from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from access.actions import Action
from access.models import AuditEntry
from access.scopes import EVERYTHING
from access.tasks import verify_trail
from access.trail import Verdict, last_verdict, verify_within
from dashboard.api.bodies import Query, Row
from dashboard.api.etags import answer_one
from dashboard.api.examples import lists, shows
from dashboard.api.pages import PageQuery, answer_page, page_of, sorts, turn_page
from dashboard.api.rendering import JSONRenderer, LinesRenderer, TableRenderer
from dashboard.api.resources import Resource
from dashboard.exports import CSV, JSON_LINES, csv_lines, json_lines, stream
from dashboard.forms_audit import EVENTS, WAYS, narrowed
from dashboard.views.access.audit import (
    CHUNK,
    COLUMNS,
    ORDERS,
    VERIFY_SECONDS,
    entry_or_404,
    plain,
    readable_entries,
)

TAG = "audit log"
_EXAMPLE = {
    "number": 90210,
    "at": "2026-11-26T08:15:00.123456Z",
    "actor_kind": "user",
    "actor_id": "7",
    "actor": "anna",
    "way": "api",
    "address": "192.0.2.7",
    "agent": "portolan/0.5",
    "event": "access granted",
    "registry": "prod",
    "target": "team:shop pusher prod/shop/*",
    "old": None,
    "new": {"until": "2026-12-31T23:59:59+00:00"},
    "previous_hash": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "hash": "60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752",
}
_LINE = _EXAMPLE | {"at": "2026-11-26T08:15:00.123456+00:00"}
_VERDICT = {
    "state": "holds",
    "sentence": "The audit log holds: 90210 entries verified, up to #90210 of 2026-11-26 08:15:00 UTC.",
    "checked_at": "2026-11-26T08:20:00Z",
    "entries": 90210,
    "number": 90210,
    "hash": _EXAMPLE["hash"],
    "broken": None,
}


class AuditEntryRow(Row):
    """One change or refusal. Each entry's hash is made of all of it and of the hash before."""

    number = serializers.IntegerField()
    at = serializers.DateTimeField()
    actor_kind = serializers.CharField(help_text="Such as `user` or `service_principal`.")
    actor_id = serializers.CharField()
    actor = serializers.CharField(source="actor_label")
    way = serializers.CharField(help_text=", ".join(f"`{way}`" for way, _label in WAYS))
    address = serializers.CharField(allow_null=True)
    agent = serializers.CharField(help_text="The client's user agent.")
    event = serializers.CharField(help_text="Such as `access granted`.")
    registry = serializers.CharField(help_text="Empty for what is about none.")
    target = serializers.CharField()
    old = serializers.DictField(allow_null=True)
    new = serializers.DictField(allow_null=True)
    previous_hash = serializers.SerializerMethodField()
    hash = serializers.SerializerMethodField(help_text="SHA-256, in hexadecimal digits.")

    def get_previous_hash(self, entry: AuditEntry) -> str:
        return bytes(entry.previous_hash).hex()

    def get_hash(self, entry: AuditEntry) -> str:
        return bytes(entry.hash).hex()


class _Filter(Query):
    """What the log may be narrowed by."""

    target = serializers.CharField(required=False, max_length=255, help_text="A part of it.")
    actor = serializers.CharField(required=False, max_length=255)
    event = serializers.ChoiceField(choices=EVENTS, required=False)
    registry = serializers.CharField(required=False, max_length=63)
    way = serializers.ChoiceField(choices=[way for way, _label in WAYS], required=False)
    since = serializers.DateField(required=False, help_text="The first day (UTC).")
    until = serializers.DateField(required=False, help_text="The last day, with all of it.")


class AuditQuery(_Filter, PageQuery):
    sort = sorts(ORDERS)


class AuditExportQuery(_Filter):
    form = serializers.ChoiceField(choices=[JSON_LINES, CSV], default=JSON_LINES)


class AuditVerdictRow(Row):
    """What the last verification of the log found."""

    state = serializers.ChoiceField(choices=["holds", "broken", "under way", "unknown"])
    sentence = serializers.CharField(help_text="For people.")
    checked_at = serializers.DateTimeField(allow_null=True)
    entries = serializers.IntegerField(allow_null=True, help_text="How many were looked at.")
    number = serializers.IntegerField(allow_null=True, help_text="The last one's number.")
    hash = serializers.CharField(
        allow_null=True, help_text="The last one's: note it elsewhere from time to time."
    )
    broken = serializers.IntegerField(allow_null=True, help_text="The first broken one's number.")


class AuditLog(Resource):
    @extend_schema(
        operation_id="list_audit_entries",
        tags=[TAG],
        summary="Read the audit log",
        parameters=[AuditQuery],
        responses=page_of(AuditEntryRow),
        examples=[lists("One entry", _EXAMPLE)],
    )
    def get(self, request: Request) -> Response:
        """Newest first; with `sort=number` from the first on. Needs `audit read` on everything, or
        on a whole registry for what is about that."""
        readable = readable_entries(self.caller.rights)
        query = AuditQuery.read(request)
        page = turn_page(request, narrowed(readable, query.values), query, ORDERS)
        return answer_page(request, page, query, AuditEntryRow)


class OneAuditEntry(Resource):
    @extend_schema(
        operation_id="show_audit_entry",
        tags=[TAG],
        summary="Show an entry",
        responses=AuditEntryRow,
        examples=[shows("An entry", _EXAMPLE)],
    )
    def get(self, request: Request, number: int) -> Response:
        """One entry, if it is one that the caller's log has."""
        return answer_one(request, AuditEntryRow(entry_or_404(self.caller.rights, number)).data)


class AuditExport(Resource):
    renderer_classes = [JSONRenderer, LinesRenderer, TableRenderer]

    @extend_schema(
        operation_id="export_audit_log",
        tags=[TAG],
        summary="Export the audit log",
        parameters=[AuditExportQuery],
        responses={
            (200, "application/jsonl"): OpenApiTypes.STR,
            (200, "text/csv"): OpenApiTypes.STR,
        },
        examples=[
            shows("A line", "".join(json_lines([_LINE])), media_type="application/jsonl"),
            shows(
                "Head and a line", "".join(csv_lines([_LINE], list(COLUMNS))), media_type="text/csv"
            ),
        ],
    )
    def get(self, request: Request) -> HttpResponse:
        """The filtered entries as a file, oldest first: all of each, so that its hash can be worked
        out elsewhere. Needs what it takes to read them."""
        readable = readable_entries(self.caller.rights)
        query = AuditExportQuery.read(request)
        entries = narrowed(readable, query.values).order_by("number")
        name = f"audit-{timezone.now():%Y-%m-%d}"
        rows = map(plain, entries.iterator(chunk_size=CHUNK))
        return stream(rows, columns=COLUMNS, form=query["form"], name=name)  # type: ignore[return-value]  # a response, too


class AuditVerification(Resource):
    @extend_schema(
        operation_id="show_audit_verification",
        tags=[TAG],
        summary="What the last verification found",
        responses=AuditVerdictRow,
        examples=[shows("It holds", _VERDICT)],
    )
    def get(self, request: Request) -> Response:
        """Whether the log is whole. Needs `audit read` on everything."""
        self.caller.rights.require(Action.AUDIT_READ, EVERYTHING)
        return answer_one(request, AuditVerdictRow(_shown(last_verdict())).data)

    @extend_schema(
        operation_id="verify_audit_log",
        tags=[TAG],
        summary="Verify the audit log now",
        request=None,
        responses={200: AuditVerdictRow, 202: AuditVerdictRow},
        examples=[
            shows("It holds", _VERDICT, status_codes=["200"]),
            shows(
                "A worker does it",
                dict.fromkeys(_VERDICT) | {"state": "under way", "sentence": ""},
                status_codes=["202"],
            ),
        ],
    )
    def post(self, request: Request) -> Response:  # noqa: ARG002  see Resource
        """Works out each hash anew; `202` for a log so long that a worker does it. Needs
        `audit read` on everything."""
        self.caller.rights.require(Action.AUDIT_READ, EVERYTHING)
        verdict = verify_within(VERIFY_SECONDS)
        if verdict is not None:
            return Response(AuditVerdictRow(_shown(verdict)).data)
        verify_trail.delay()
        under_way = _shown(None) | {"state": "under way"}
        return Response(AuditVerdictRow(under_way).data, status=HTTPStatus.ACCEPTED)


def _shown(verdict: Verdict | None) -> dict[str, object]:
    if verdict is None:
        names = ("checked_at", "entries", "number", "hash", "broken")
        return {"state": "unknown", "sentence": "", **dict.fromkeys(names)}
    return {
        "state": "holds" if verdict.holds else "broken",
        "sentence": verdict.sentence,
        "checked_at": verdict.checked_at,
        "entries": verdict.entries,
        "number": verdict.number,
        "hash": verdict.hash,
        "broken": verdict.broken,
    }
