"""So many requests a minute for each caller, counted in Redis, and said in the standard headers.

draft-ietf-httpapi-ratelimit-headers-10: RateLimit-Policy says what is allowed, RateLimit what is left.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass

from django.conf import settings
from django.core.cache import cache

logger = logging.getLogger(__name__)

WINDOW_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Standing:
    """How a caller stands in the running minute."""

    quota: int
    used: int
    seconds_left: int

    @property
    def is_over(self) -> bool:
        return self.used > self.quota

    def as_headers(self) -> dict[str, str]:
        left = max(0, self.quota - self.used)
        return {
            "RateLimit-Policy": f'"caller";q={self.quota};w={WINDOW_SECONDS}',
            "RateLimit": f'"caller";r={left};t={self.seconds_left}',
        }


def count(caller: str) -> Standing | None:
    """Count one request; None where nothing is limited, or where Redis does not answer."""
    quota: int = settings.API_REQUESTS_PER_MINUTE
    if not quota:
        return None
    minute, seconds = divmod(int(time.time()), WINDOW_SECONDS)
    key = f"api:{caller}:{minute}"
    try:
        cache.add(key, 0, 2 * WINDOW_SECONDS)
        used = cache.incr(key)
    except Exception:  # noqa: BLE001  whatever the cache's library raises: nobody waits for Redis
        logger.warning("Requests are not being limited: the cache does not answer.")
        return None
    return Standing(quota, used, WINDOW_SECONDS - seconds)
