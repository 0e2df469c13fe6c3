"""How far a run is, from its numbers and a clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from dashboard.runs.problems import Cause, _grouped
from dashboard.runs.progress import progress_of
from dashboard.templatetags.durations import text_of
from registries.models import SyncProblem, SyncRun

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)


def a_run(**fields: Any) -> SyncRun:
    defaults = {
        "state": SyncRun.State.RUNNING,
        "phase": SyncRun.Phase.TAGS,
        "started_at": NOW - timedelta(seconds=30),
    }
    return SyncRun(**(defaults | fields))


def test_what_is_left_follows_from_what_was_done() -> None:
    progress = progress_of(
        a_run(repositories_found=100, repositories_done=25, requests=300), now=NOW
    )
    assert (progress.done, progress.total, progress.percent) == (25, 100, 25)
    assert progress.left == timedelta(seconds=90)
    assert progress.rate == 10.0


def test_details_are_estimated_by_the_rate_of_requests() -> None:
    """The phase began later than the run; its own share of the time is not known."""
    run = a_run(phase=SyncRun.Phase.DETAILS, details_found=150, details_done=50, requests=300)
    assert progress_of(run, now=NOW).left == timedelta(seconds=10)


@pytest.mark.parametrize(
    "fields",
    [
        {"repositories_found": 100, "repositories_done": 0},
        {"repositories_found": 10, "repositories_done": 12},  # the catalog is still being listed
        {"phase": SyncRun.Phase.DISCOVER},
        {"phase": SyncRun.Phase.FINISH},
        {"phase": SyncRun.Phase.DETAILS, "details_found": 9, "details_done": 1, "requests": 0},
        {
            "repositories_found": 100,
            "repositories_done": 1,
            "started_at": NOW - timedelta(seconds=1),
        },
        {
            "repositories_found": 100,
            "repositories_done": 25,
            "state": SyncRun.State.FAILED,
            "finished_at": NOW,
        },
    ],
)
def test_where_nothing_can_be_known_nothing_is_promised(fields: dict[str, Any]) -> None:
    assert progress_of(a_run(**fields), now=NOW).left is None


def test_a_waiting_run_has_taken_no_time() -> None:
    progress = progress_of(a_run(state=SyncRun.State.QUEUED, started_at=None), now=NOW)
    assert (progress.elapsed, progress.rate, progress.percent) == (timedelta(0), 0.0, 0)


def test_an_ended_run_took_as_long_as_it_took() -> None:
    run = a_run(state=SyncRun.State.SUCCEEDED, finished_at=NOW - timedelta(seconds=10))
    assert progress_of(run, now=NOW + timedelta(days=3)).elapsed == timedelta(seconds=20)


def test_clocks_that_disagree_do_not_run_backwards() -> None:
    assert progress_of(a_run(started_at=NOW + timedelta(5)), now=NOW).elapsed == timedelta(0)


def test_the_phases_before_this_one_are_done() -> None:
    states = [step.state for step in progress_of(a_run(), now=NOW).steps]
    assert states == ["done", "current", "ahead", "ahead"]
    over = progress_of(a_run(state=SyncRun.State.SUCCEEDED, finished_at=NOW), now=NOW)
    assert {step.state for step in over.steps} == {"done"}


@pytest.mark.parametrize(
    ("span", "text"),
    [
        (timedelta(0), "0 s"),
        (timedelta(seconds=-5), "0 s"),
        (timedelta(seconds=0.44), "0.4 s"),
        (timedelta(milliseconds=3), "0.1 s"),
        (timedelta(seconds=0.98), "0.9 s"),
        (timedelta(seconds=45.9), "45 s"),
        (timedelta(minutes=3, seconds=20), "3 min 20 s"),
        (timedelta(minutes=3), "3 min"),
        (timedelta(hours=2, minutes=5, seconds=59), "2 h 5 min"),
        (timedelta(hours=2, seconds=59), "2 h"),
        (timedelta(days=9, hours=4), "9 d 4 h"),
    ],
)
def test_a_time_is_told_in_two_units_at_most(span: timedelta, text: str) -> None:
    assert text_of(span).replace("\N{NO-BREAK SPACE}", " ") == text


def problem(code: str, message: str) -> SyncProblem:
    return SyncProblem(code=code, message=message, advice=f"advice on {code}")


def summed(cause: Cause) -> tuple[str, int, bool, str]:
    return cause.code, cause.count.value, cause.count.capped, cause.message


def test_problems_of_one_kind_are_one_cause_and_the_commonest_comes_first() -> None:
    found = _grouped(
        [problem("rare", "one"), problem("common", "first"), problem("common", "second")],
        capped=False,
    )
    assert [summed(cause) for cause in found] == [
        ("common", 2, False, "first"),
        ("rare", 1, False, "one"),
    ]


def test_a_waiting_run_is_in_no_phase() -> None:
    run = SyncRun(state=SyncRun.State.QUEUED)
    steps = progress_of(run, now=datetime.now(UTC)).steps
    assert {step.state for step in steps} == {"ahead"}
