"""The database's clock, by which readings of all workers are put in order.

Which of two readings is newer decides whose tags stay. A worker whose own clock is ahead would
otherwise keep every later reading out, and one that is behind would never be believed.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from registries.sync.staging import fetch

_ahead = timedelta()


def set_by_database() -> None:
    """Ask the database what time it is; call it where reading a registry begins."""
    global _ahead  # noqa: PLW0603  a process has one clock
    before = datetime.now(UTC)
    ((there,),) = fetch("SELECT clock_timestamp()")
    _ahead = there - (before + (datetime.now(UTC) - before) / 2)


def now() -> datetime:
    """The time there, as far as it is known; asks nobody."""
    return datetime.now(UTC) + _ahead
