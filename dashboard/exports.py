"""Lists as files, line by line: the rows never lie in memory together.

A spreadsheet takes a cell that begins with one of a few characters for a formula and runs it, and
names are chosen by strangers. Such a cell gets an apostrophe in front, as OWASP advises. In many
countries a spreadsheet splits such a file at semicolons, and one can be told any separator: what
would begin a cell then is protected, too. JSON lines have the values as they are.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from django.http import StreamingHttpResponse

CSV, JSON_LINES = "csv", "jsonl"
_TYPES = {CSV: "text/csv; charset=utf-8", JSON_LINES: "application/jsonl; charset=utf-8"}
# Also full-width, as which some programs read them.
_FORMULA = "=+@＝＋－＠-"
# The beginning of a cell, here or for who splits at something else, and what is trimmed there.
_BEGINS_CELL = r'(?:^|[,;\t\r\n])(?:"|[^\S\t\r\n])*+'
_BEFORE_FORMULA = re.compile(f"({_BEGINS_CELL})(?=[{_FORMULA}])")
_FORMULA_SIGN = re.compile(f"({_BEGINS_CELL})([{_FORMULA}])")
_JSON_STRING = re.compile(r'"((?:[^"\\]|\\.)*+)"')


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
        text = json.dumps(value, ensure_ascii=False)
        return _JSON_STRING.sub(lambda found: f'"{_escaped(found[1])}"', text)
    text = _BEFORE_FORMULA.sub(r"\1'", str(value))
    return f"'{text}" if text.startswith(("\t", "\r", "\n")) else text


def _escaped(text: str) -> str:
    """What is in a JSON string, for every reader of JSON the same: an apostrophe would change it."""
    return _FORMULA_SIGN.sub(lambda found: f"{found[1]}\\u{ord(found[2]):04x}", text)


class _Echo:
    """A file that hands back what is written."""

    def write(self, line: str) -> str:
        return line
