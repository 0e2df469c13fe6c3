"""When a grant ends, as people type it."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portolan.ends import end_of
from portolan.failures import Misused

NOW = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "day"), [("30d", "2026-12-26"), ("12h", "2026-11-27"), ("4w", "2026-12-24")]
)
def test_a_span_counts_from_now(text: str, day: str) -> None:
    ends = datetime.fromisoformat(str(end_of(text, NOW))).astimezone(UTC)
    assert ends.date().isoformat() == day


def test_a_day_counts_to_its_end_where_it_was_typed() -> None:
    ends = datetime.fromisoformat(str(end_of("2027-01-31")))
    assert ends.utcoffset() is not None
    assert (ends.date().isoformat(), ends.hour, ends.minute) == ("2027-01-31", 23, 59)
    at = datetime.fromisoformat(str(end_of("2027-01-31T10:00:00Z")))
    assert at == datetime(2027, 1, 31, 10, 0, tzinfo=UTC)


def test_nothing_is_no_end() -> None:
    assert end_of("  ") is None


@given(st.text(max_size=20))
def test_any_other_text_is_said_to_be_none(text: str) -> None:
    try:
        ends = end_of(text)
    except Misused:
        return
    assert ends is None or datetime.fromisoformat(ends).utcoffset() is not None
