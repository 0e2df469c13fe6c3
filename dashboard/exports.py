"""Lists as files, line by line: the rows never lie in memory together.

A spreadsheet takes a cell that begins with one of a few characters for a formula and runs it, and
names are chosen by strangers. Such a cell gets an apostrophe in front, as OWASP advises; JSON lines
have the values as they are.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from django.http import StreamingHttpResponse

CSV, JSON_LINES = "csv", "jsonl"
_TYPES = {CSV: "text/csv; charset=utf-8", JSON_LINES: "application/jsonl; charset=utf-8"}
# Also full-width, as which some programs read them.
_STARTS_FORMULA = tuple("=+-@\t\r\n＝＋－＠")


def stream(
    rows: Iterable[Mapping[str, Any]], *, columns: Iterable[str], form: str, name: str
) -> StreamingHttpResponse:
    """A download of the rows as CSV or JSON lines, called `name` with the form's ending."""
    lines = csv_lines(rows, list(columns)) if form == CSV else json_lines(rows)
    return StreamingHttpResponse(
        lines,
        content_type=_TYPES[form],
        headers={"Content-Disposition": f'attachment; filename="{name}.{form}"'},
    )


def csv_lines(rows: Iterable[Mapping[str, Any]], columns: list[str]) -> Iterator[str]:
    """A head, then a line a row; lines end as RFC 4180 has it."""
    writer = csv.writer(_Echo())
    yield writer.writerow(columns)
    for row in rows:
        yield writer.writerow([cell(row[column]) for column in columns])


def json_lines(rows: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    for row in rows:
        yield json.dumps(row, ensure_ascii=False) + "\n"


def cell(value: Any) -> str:
    """A value as a spreadsheet may have it: text, and never a formula."""
    if value is None:
        return ""
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False)
    text = str(value)
    return f"'{text}" if text.startswith(_STARTS_FORMULA) else text


class _Echo:
    """A file that hands back what is written."""

    def write(self, line: str) -> str:
        return line
