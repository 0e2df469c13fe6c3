"""JSON in and out, by the parser and writer that the rest of the product uses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import IO, Any

import orjson
from django.utils.translation import gettext as _
from rest_framework import parsers, renderers
from rest_framework.exceptions import ParseError
from rest_framework.negotiation import DefaultContentNegotiation


def dumps(data: Any) -> bytes:
    """JSON, times in UTC as RFC 3339 has them with a Z."""
    return orjson.dumps(data, default=_plain, option=orjson.OPT_UTC_Z)


class JSONRenderer(renderers.BaseRenderer):
    media_type = "application/json"
    format = "json"
    charset = None  # JSON is UTF-8 (RFC 8259, 8.1)
    render_style = "binary"

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,  # noqa: ARG002  REST framework's signature
        renderer_context: Mapping[str, Any] | None = None,  # noqa: ARG002  as above
    ) -> bytes:
        return b"" if data is None else dumps(data)


class LinesRenderer(JSONRenderer):
    """For who asks for this type alone: streams are written by their resources, and what is no stream
    is a problem, which is JSON."""

    media_type = "application/jsonl"
    format = "jsonl"


class TableRenderer(JSONRenderer):
    media_type = "text/csv"
    format = "csv"


class JSONParser(parsers.BaseParser):
    """Strict: no NaN, no duplicate meaning, nothing but UTF-8."""

    media_type = "application/json"

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,  # noqa: ARG002  REST framework's signature
        parser_context: Mapping[str, Any] | None = None,  # noqa: ARG002  as above
    ) -> Any:
        try:
            return orjson.loads(stream.read())
        except orjson.JSONDecodeError as error:
            raise ParseError(_("The body is not JSON: %s.") % error) from None


def _plain(value: Any) -> Any:
    """Translated texts and REST framework's own dictionaries and lists, as what they are."""
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, list | tuple):
        return list(value)
    return str(value)


class OwnType(DefaultContentNegotiation):
    """Whatever is accepted gets what there is: the bytes have one type, their own."""

    def select_renderer(
        self,
        request: Any,  # noqa: ARG002  REST framework's signature
        renderers: Any,
        format_suffix: Any = None,  # noqa: ARG002  as above
    ) -> tuple[Any, str]:
        return renderers[0], renderers[0].media_type
