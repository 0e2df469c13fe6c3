"""`/tags`: every tag of everything that one may look into, as a stream of lines.

All of it is of one moment, and none of it lies in memory together: a cursor of the database's, read
some thousand rows at a time, in a transaction that sees what was there when it began.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

import orjson
from django.db import connection, transaction
from django.db.models import CharField, F, Func
from django.http import StreamingHttpResponse
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.request import Request

from access.actions import Action
from access.policy import Someone, visible_registries, visible_repositories
from access.shortcuts import get_registry_or_404
from dashboard.api.bodies import FilterField, Query, Row
from dashboard.api.catalog.images import KINDS
from dashboard.api.examples import DIGEST, shows
from dashboard.api.problems import InvalidParameter
from dashboard.api.rendering import LinesRenderer, TableRenderer
from dashboard.api.resources import Resource
from dashboard.exports import CSV, JSON_LINES, cell
from registries.models import Registry, Tag
from registries.models.registry import RepositoryQuerySet

ROWS_AT_A_TIME = 2000
_ABOUT = (
    "A line for each tag: an object as JSON (https://jsonlines.org), or a row of CSV (RFC 4180) after"
    " a head with the names. In CSV a text that a spreadsheet would run as a formula has an"
    " apostrophe in front."
)
_EXAMPLE = {
    "registry": "prod",
    "repository": "shop/app",
    "tag": "1.4.2",
    "digest": DIGEST,
    "kind": "index",
    "size": 61200311,
    "dated_at": "2026-11-26T08:01:12.000000Z",
    "dated_by": "pushed",
    "pushed_at": "2026-11-26T08:01:12.000000Z",
    "pulled_at": None,
}


class ExportedTagRow(Row):
    """A line of the export."""

    registry = serializers.CharField()
    repository = serializers.CharField()
    tag = serializers.CharField()
    digest = serializers.CharField()
    kind = serializers.ChoiceField(choices=KINDS)
    size = serializers.IntegerField(help_text="Compressed bytes; of an index, of all platforms.")
    dated_at = serializers.DateTimeField(help_text="The best date that is known.")
    dated_by = serializers.ChoiceField(choices=[by.value for by in Tag.DatedBy])
    pushed_at = serializers.DateTimeField(allow_null=True)
    pulled_at = serializers.DateTimeField(allow_null=True, help_text="By this name.")


COLUMNS = tuple(ExportedTagRow().fields)


class ExportQuery(Query):
    registry = FilterField(help_text="Only the tags of this registry.")
    format_ = serializers.ChoiceField(
        choices=[JSON_LINES, CSV], required=False, help_text="Instead of an Accept header."
    )


class _ByParameter(DefaultContentNegotiation):
    """`?format=` says more than an Accept header that a library sends by itself."""

    def select_renderer(
        self, request: Any, renderers: Any, format_suffix: Any = None
    ) -> tuple[Any, str]:
        if wanted := request.query_params.get("format", ""):
            for renderer in renderers:
                if renderer.format == wanted:
                    return renderer, renderer.media_type
            raise InvalidParameter("format", _("“format” is jsonl or csv."))
        found: tuple[Any, str] = super().select_renderer(request, renderers, format_suffix)
        return found


class AllTags(Resource):
    renderer_classes = [LinesRenderer, TableRenderer]
    content_negotiation_class = _ByParameter

    @extend_schema(
        operation_id="export_tags",
        tags=["tags"],
        summary="Export all tags",
        parameters=[ExportQuery],
        responses={
            (200, LinesRenderer.media_type): OpenApiResponse(ExportedTagRow, description=_ABOUT),
            (200, TableRenderer.media_type): OpenApiResponse(str, description=_ABOUT),
        },
        examples=[
            shows("A line", _EXAMPLE, media_type=LinesRenderer.media_type),
            shows(
                "Head and a line",
                f"{','.join(_EXAMPLE)}\r\n{','.join(str(value or '') for value in _EXAMPLE.values())}\r\n",
                media_type=TableRenderer.media_type,
            ),
        ],
    )
    def get(self, request: Request) -> StreamingHttpResponse:
        """Every tag in every repository where the caller has `content read`, in order of registry,
        path and name, as a stream: `Accept: application/jsonl` (the schema below is of one line) or
        `text/csv`. All lines are of one moment. A stream that breaks off is not whole: one that is
        ends with its last chunk."""
        query = ExportQuery.read(request)
        somebody = self.caller.somebody
        if name := query["registry"]:
            registries = [get_registry_or_404(somebody, name)]
        else:
            registries = list(visible_registries(somebody).order_by("name"))
        form = request.accepted_renderer.format
        return StreamingHttpResponse(
            lines_of(somebody, registries, form),
            content_type=_TYPES[form],
            headers={"Content-Disposition": f'attachment; filename="tags.{form}"'},
        )


# The lines ----------------------------------------------------------------------------------------


class _Moment(Func):
    """A time as the rest of the API writes it; made by the database, as a million Python objects
    would cost more than all the rest."""

    template = "to_char(%(expressions)s AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')"
    output_field = CharField()


def lines_of(somebody: Someone, registries: Sequence[Registry], form: str) -> Iterator[bytes]:
    """All lines, a batch at a time."""
    write = _WRITERS[form]
    if form == CSV:
        yield _HEAD
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        seen = visible_repositories(somebody, Action.CONTENT_READ).present()
        for registry in registries:
            rows = tags_in(seen.filter(registry=registry))
            for batch in _batches(rows.iterator(chunk_size=ROWS_AT_A_TIME)):
                yield write(registry.name, batch)


def tags_in(repositories: RepositoryQuerySet) -> Any:
    """A tuple for each tag of these repositories, without the registry; in order."""
    pushed = _Moment(F("tags__artifact__pushed_at"))
    return (
        repositories.filter(tags__isnull=False)
        .order_by("path", "tags__name")
        .values_list(
            "path",
            "tags__name",
            "tags__artifact__manifest__digest",
            "tags__artifact__manifest__kind",
            "tags__size",
            _Moment(F("tags__dated_at")),
            "tags__dated_by",
            pushed,
            _Moment(F("tags__pulled_at")),
        )
    )


def _batches(rows: Iterator[tuple[Any, ...]]) -> Iterator[list[tuple[Any, ...]]]:
    while batch := list(islice(rows, ROWS_AT_A_TIME)):
        yield batch


def _as_json(registry: str, rows: Sequence[tuple[Any, ...]]) -> bytes:
    return b"".join(
        orjson.dumps(
            dict(zip(COLUMNS, (registry, *row), strict=True)), option=orjson.OPT_APPEND_NEWLINE
        )
        for row in rows
    )


def _as_csv(registry: str, rows: Sequence[tuple[Any, ...]]) -> bytes:
    """Of all that stands in a row, a path and a tag alone are words of strangers."""
    text = io.StringIO(newline="")
    first = cell(registry)
    csv.writer(text).writerows((first, cell(path), cell(tag), *rest) for path, tag, *rest in rows)
    return text.getvalue().encode()


_HEAD = ",".join(COLUMNS).encode() + b"\r\n"
_WRITERS = {JSON_LINES: _as_json, CSV: _as_csv}
_TYPES = {JSON_LINES: "application/jsonl", CSV: "text/csv; charset=utf-8"}
