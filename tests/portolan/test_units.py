"""Sizes and times in words."""

from datetime import UTC, datetime

import pytest

from portolan.units import short_digest, since, size

NOW = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "–"), (0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (1536, "1.5 KiB"),
     (150 * 1024**2, "150 MiB"), (5 * 1024**6, "5120 PiB")],
)  # fmt: skip
def test_a_size_is_in_binary_units(value: int | None, text: str) -> None:
    assert size(value) == text


@pytest.mark.parametrize(
    ("at", "text"),
    [
        (None, "–"),
        ("2026-11-26T11:59:30Z", "just now"),
        ("2026-11-26T11:59:00Z", "1 minute ago"),
        ("2026-11-26T09:00:00+00:00", "3 hours ago"),
        ("2026-11-28T12:00:00Z", "in 2 days"),
        ("2024-11-20T12:00:00", "2 years ago"),
        ("whenever", "whenever"),
    ],
)
def test_a_time_is_told_from_now(at: str | None, text: str) -> None:
    assert since(at, NOW) == text


def test_a_digest_is_shown_as_docker_shows_it() -> None:
    assert short_digest("sha256:" + "0123456789abcdef" * 4) == "sha256:0123456789ab"
    assert short_digest(None) == "–"
