from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registries.oci import errors, failures

NOW = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("", None),
        ("0", 0.0),
        (" 120 ", 120.0),
        ("Mon, 23 Nov 2026 12:01:30 GMT", 90.0),
        ("Mon, 23 Nov 2026 11:00:00 GMT", 0.0),
        ("soon", None),
        ("-5", None),
        ("1.5", None),
    ],
)
def test_a_retry_after_is_seconds_or_a_date(header: str | None, seconds: float | None) -> None:
    assert failures.retry_after_seconds(header, NOW) == seconds


@given(st.text())
def test_any_retry_after_is_read_without_failing(header: str) -> None:
    seconds = failures.retry_after_seconds(header, NOW)
    assert seconds is None or seconds >= 0


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (301, errors.NotARegistry),
        (400, errors.Unsupported),
        (401, errors.AuthenticationFailed),
        (403, errors.AccessDenied),
        (404, errors.NotFound),
        (405, errors.Unsupported),
        (418, errors.InvalidDocument),
        (429, errors.Throttled),
        (500, errors.ServerFailed),
    ],
)
def test_each_status_has_its_error(status: int, kind: type[errors.RegistryError]) -> None:
    error = failures.from_response(status, "text/plain", b"", "tags of a")
    assert type(error) is kind
    assert "tags of a" in str(error) or status == 429
    assert error.advice


def test_what_the_registry_says_is_passed_on_cut_short_and_storable() -> None:
    body = b'{"errors":[{"code":"DENIED","message":"no\\u0000pe ' + b"x" * 1000 + b'"}]}'
    text = str(failures.from_response(403, "application/json", body, "tags of a"))
    assert ": nope xxx" in text
    assert len(text) < 300


@given(st.integers(200, 599), st.binary())
def test_any_answer_makes_an_error(status: int, body: bytes) -> None:
    error = failures.from_response(status, "application/json", body, "it")
    assert str(error).endswith(".")
    failures.error_codes(body)
