"""Whose turn it is: to bring the outbox out, to handle notifications.

One loop serves every receiver, and looks for what became due ten times a second. Without turns, a
receiver that hangs would hold each worker process in a loop of its own, and nothing would be left to
handle notifications. More loops than one are for who has several machines.
"""

from __future__ import annotations

import logging
import time
from uuid import uuid4

from django.conf import settings
from django.core.cache import cache

log = logging.getLogger(__name__)

# A killed worker's turn ends after so long; a living one keeps it well before.
SECONDS = 5
_KEPT_EVERY = 1.0


class Turn:
    """A place among the loops; where the cache does not answer there is always one, as rows are
    claimed in the database and nothing is sent twice by two loops."""

    def __init__(self, what: str = "delivering", places: int | None = None) -> None:
        """`places` are the loops there may be at a time, WEBHOOK_LOOPS if none is given."""
        self._what = what
        self._places = settings.WEBHOOK_LOOPS if places is None else places
        self._token = uuid4().hex
        self._key = ""
        self._kept_at = 0.0

    def take(self) -> bool:
        """Whether there is a place for us."""
        try:
            for place in range(self._places):
                key = f"{self._what}:{place}"
                if cache.add(key, self._token, timeout=SECONDS):
                    self._key, self._kept_at = key, time.monotonic()
                    return True
        except Exception:  # whatever the cache's client raises: the rows are what matters
            log.warning("The cache does not answer; nobody takes turns.", exc_info=True)
            return True
        return False

    def keep(self) -> None:
        """Say that we are at it; call it often."""
        if self._key and time.monotonic() - self._kept_at > _KEPT_EVERY:
            self._kept_at = time.monotonic()
            try:
                cache.set(self._key, self._token, timeout=SECONDS)
            except Exception:
                log.warning("The cache does not answer; delivering goes on.", exc_info=True)

    def give_back(self) -> None:
        """Let another have it; look once more for what is due after that."""
        try:
            if self._key and cache.get(self._key) == self._token:
                cache.delete(self._key)
        except Exception:
            log.warning("The cache does not answer; the turn ends by itself.", exc_info=True)
