"""When a delivery is tried again, and when it is not: a function of what came back.

Source: Standard Webhooks, spec/standard-webhooks.md, "Retries"; RFC 9110, section 10.2.3.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus

# Each pause is this much longer or shorter, so that what failed together is not tried together.
JITTER = 0.2
# A receiver may ask for more patience than this, and is asked again all the same.
LONGEST_WAIT = timedelta(hours=12)
# The receiver, or what stands before it, is overloaded: whatever else is for it waits, too.
SLOW_DOWN = frozenset(
    {
        HTTPStatus.TOO_MANY_REQUESTS,
        HTTPStatus.BAD_GATEWAY,
        HTTPStatus.SERVICE_UNAVAILABLE,
        HTTPStatus.GATEWAY_TIMEOUT,
    }
)


@dataclass(frozen=True, slots=True)
class Next:
    """What follows an attempt: `delivered`, another try `after` a while, or neither (given up).

    `slow` is how long the receiver is to be left alone altogether, `stops` whether it said that it
    wants nothing any more.
    """

    delivered: bool = False
    after: timedelta | None = None
    slow: timedelta | None = None
    stops: bool = False

    @property
    def given_up(self) -> bool:
        return not self.delivered and self.after is None


def judge(
    tries: int,
    status: int | None,
    retry_after: timedelta | None = None,
    *,
    pauses: Sequence[float],
    luck: float,
) -> Next:
    """What follows the attempt number `tries` (from 1) that was answered with `status`, None if not.

    `pauses` are the seconds between tries, `luck` is a random number from 0 to 1 for the jitter.
    """
    if status is not None and 200 <= status < 300:
        return Next(delivered=True)
    if status == HTTPStatus.GONE:
        return Next(stops=True)
    slow = None
    if status in SLOW_DOWN:
        slow = min(retry_after or timedelta(seconds=pauses[0] if pauses else 0), LONGEST_WAIT)
    if tries > len(pauses):
        return Next(slow=slow)
    pause = timedelta(seconds=pauses[tries - 1] * (1 + JITTER * (2 * luck - 1)))
    if retry_after is not None:
        pause = max(pause, min(retry_after, LONGEST_WAIT))
    return Next(after=pause, slow=slow)


def parse_retry_after(value: str, *, at: datetime) -> timedelta | None:
    """The wait that a `Retry-After` asks for: seconds or a date; None where it says neither."""
    text = value.strip()
    if text.isascii() and text.isdigit():
        # More digits than anybody waits for would not fit into a timedelta.
        return timedelta(seconds=int(text[:9]))
    try:
        when = parsedate_to_datetime(text)
        if when.tzinfo is None:
            when = when.replace(tzinfo=UTC)
        return max(when - at, timedelta())
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
