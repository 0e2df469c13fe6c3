"""Files of lists: nothing in them runs in a spreadsheet, and nothing is lost."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from dashboard.exports import cell, csv_lines, json_lines

TEXT = st.text(max_size=40)
VALUE = st.none() | st.integers() | TEXT | st.dictionaries(TEXT, TEXT, max_size=3)


@given(TEXT)
def test_no_cell_begins_as_a_formula_does(text: str) -> None:
    assert not cell(text).startswith(tuple("=+-@\t\r\n＝＋－＠"))


@given(TEXT)
def test_an_apostrophe_in_front_is_all_that_a_cell_may_gain(text: str) -> None:
    assert cell(text) in (text, f"'{text}")


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
