"""Files of lists: nothing in them runs in a spreadsheet, and nothing is lost."""

from __future__ import annotations

import csv
import io
import json
import re
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from dashboard.exports import cell, csv_lines, json_lines

# What makes formulas is likely: of all characters they would hardly ever come together.
TEXT = st.text(max_size=40) | st.text(st.sampled_from(",;\t\r\n\v '\"\\=+-@＝x1"), max_size=12)
VALUE = (
    st.none()
    | st.integers()
    | TEXT
    | st.dictionaries(TEXT, TEXT, max_size=3)
    | st.lists(TEXT, max_size=3)
)


@given(VALUE)
def test_no_cell_begins_as_a_formula_does_wherever_a_line_is_split(value: Any) -> None:
    written = "".join(csv_lines([{"a": value}], ["a"])).split("\r\n", 1)[1]
    for piece in re.split(r"[,;\t\r\n]", written):
        assert not re.match(r'[\s"]*[=+@＝＋－＠-]', piece), piece
    assert not written.startswith(tuple("\t\r\n"))


@given(TEXT)
def test_apostrophes_are_all_that_a_cell_may_gain(text: str) -> None:
    assert cell(text).replace("'", "") == text.replace("'", "")


@given(st.dictionaries(TEXT, TEXT, max_size=3) | st.lists(TEXT | st.integers(), max_size=3))
def test_json_in_a_cell_reads_back_as_it_was(value: Any) -> None:
    assert json.loads(cell(value)) == value


def test_a_program_that_splits_at_semicolons_runs_nothing() -> None:
    assert cell("x;=HYPERLINK(1)") == "x;'=HYPERLINK(1)"
    assert cell('x; "@SUM(1)') == "x; \"'@SUM(1)"
    assert cell("Mozilla/5.0 (X11; Linux x86_64; rv:1)") == "Mozilla/5.0 (X11; Linux x86_64; rv:1)"
    assert cell({"agent": "x;=1"}) == '{"agent": "x;\\u003d1"}'


@given(st.lists(st.fixed_dictionaries({"a": VALUE, "b": VALUE}), max_size=5))
def test_csv_reads_back_as_it_was_written(rows: list[dict[str, Any]]) -> None:
    text = "".join(csv_lines(rows, ["b", "a"]))
    head, *read = csv.reader(io.StringIO(text, newline=""))
    assert head == ["b", "a"]
    assert read == [[cell(row["b"]), cell(row["a"])] for row in rows]


@given(st.lists(st.fixed_dictionaries({"a": VALUE}), max_size=5))
def test_json_lines_are_a_value_a_line(rows: list[dict[str, Any]]) -> None:
    lines = list(json_lines(rows))
    assert all(line.count("\n") == 1 for line in lines)
    assert [json.loads(line) for line in lines] == rows
