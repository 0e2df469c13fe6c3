"""When a delivery is tried again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.conf import settings
from hypothesis import given
from hypothesis import strategies as st

from webhooks.outbound.schedule import JITTER, LONGEST_WAIT, Next, judge, parse_retry_after

PAUSES = [5.0, 300.0, 1800.0, 7200.0, 18000.0, 36000.0, 36000.0]
AT = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)

failing = st.none() | st.integers(100, 599).filter(lambda it: not 200 <= it < 300 and it != 410)
luck = st.floats(0, 1)
waits = st.none() | st.timedeltas(timedelta(), timedelta(days=1000))


def test_the_tries_reach_over_about_a_day() -> None:
    assert settings.WEBHOOK_RETRY_SECONDS == PAUSES
    assert timedelta(hours=20) < timedelta(seconds=sum(PAUSES)) < timedelta(hours=30)


@given(st.integers(1, 50), st.integers(200, 299), waits, luck)
def test_any_2xx_is_a_delivery(
    tries: int, status: int, wait: timedelta | None, luck: float
) -> None:
    assert judge(tries, status, wait, pauses=PAUSES, luck=luck) == Next(delivered=True)


@given(st.integers(1, len(PAUSES)), failing, waits, luck)
def test_what_failed_is_tried_again_after_its_pause_give_or_take(
    tries: int, status: int | None, wait: timedelta | None, luck: float
) -> None:
    following = judge(tries, status, wait, pauses=PAUSES, luck=luck)
    assert following.after is not None
    assert not following.delivered
    assert not following.given_up
    seconds = following.after.total_seconds()
    assert seconds >= PAUSES[tries - 1] * (1 - JITTER) - 1e-3
    most = max(PAUSES[tries - 1] * (1 + JITTER), min(wait or AT - AT, LONGEST_WAIT).total_seconds())
    assert seconds <= most + 1e-3


@given(st.integers(len(PAUSES) + 1, 1000), failing, waits, luck)
def test_after_the_last_pause_it_is_given_up(
    tries: int, status: int | None, wait: timedelta | None, luck: float
) -> None:
    assert judge(tries, status, wait, pauses=PAUSES, luck=luck).given_up


@given(st.integers(1, len(PAUSES)), waits.filter(bool))
def test_a_receiver_is_not_asked_before_the_time_that_it_named(tries: int, wait: timedelta) -> None:
    following = judge(tries, 503, wait, pauses=PAUSES, luck=0.5)
    assert following.after is not None
    assert following.after >= min(wait, LONGEST_WAIT)


def test_jitter_spreads_what_failed_together() -> None:
    first, last = (judge(2, 500, pauses=PAUSES, luck=luck).after for luck in (0.0, 1.0))
    assert first == timedelta(seconds=240)
    assert last == timedelta(seconds=360)


def test_410_ends_it_and_stops_the_subscription() -> None:
    following = judge(1, 410, pauses=PAUSES, luck=0.5)
    assert following.stops
    assert following.given_up


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_who_is_overloaded_is_left_alone_altogether(status: int) -> None:
    assert judge(1, status, pauses=PAUSES, luck=0.5).slow == timedelta(seconds=5)
    asked = judge(1, status, timedelta(minutes=9), pauses=PAUSES, luck=0.5)
    assert asked.slow == timedelta(minutes=9)
    forever = judge(1, status, timedelta(days=900), pauses=PAUSES, luck=0.5)
    assert forever.slow == forever.after == LONGEST_WAIT


@pytest.mark.parametrize("status", [None, 301, 400, 401, 404, 500])
def test_other_failures_are_of_the_one_message(status: int | None) -> None:
    assert judge(1, status, pauses=PAUSES, luck=0.5).slow is None


@pytest.mark.parametrize(
    ("value", "wait"),
    [
        ("0", timedelta()),
        (" 120 ", timedelta(seconds=120)),
        ("Fri, 20 Nov 2026 12:01:00 GMT", timedelta(minutes=1)),
        ("Fri, 20 Nov 2026 11:00:00 GMT", timedelta()),
        ("-5", None),
        ("1.5", None),
        ("soon", None),
        ("", None),
        ("²", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(value: str, wait: timedelta | None) -> None:
    assert parse_retry_after(value, at=AT) == wait


@given(st.text() | st.integers().map(str))
def test_no_retry_after_is_more_than_can_be_waited_for(value: str) -> None:
    wait = parse_retry_after(value, at=AT)
    assert wait is None or wait >= timedelta()
