"""Waking the worker from a thread of its own: no sender waits for the broker, least of all one that
is away. A wake that is lost costs a few seconds, until beat asks.
"""

from __future__ import annotations

import os
import time
from threading import Event, Lock, Thread

from django.conf import settings

from webhooks import wake

PAUSE_SECONDS = 0.02


class _Waker:
    """The thread of this process; started with the first notification, after any fork."""

    def __init__(self) -> None:
        self._wanted = Event()
        self._lock = Lock()
        self._process = 0

    def ask(self) -> None:
        """Have the worker look at the rows soon; those of this moment are committed."""
        if not settings.WAKE_IN_BACKGROUND:
            _wake()
            return
        self._wanted.set()
        if self._process != os.getpid():
            self._start()

    def _start(self) -> None:
        with self._lock:
            if self._process == os.getpid():
                return
            self._process = os.getpid()
        Thread(target=self._run, name="waker", daemon=True).start()

    def _run(self) -> None:
        while self._wanted.wait():
            # Before waking: whatever is committed from here on asks again.
            self._wanted.clear()
            _wake()
            # Under load one wake stands for all that came in between.
            time.sleep(PAUSE_SECONDS)


def _wake() -> None:
    # Celery's application is complete by then, and not while apps are loaded.
    from webhooks.tasks import handle_notifications  # noqa: PLC0415

    wake.now(handle_notifications)


_waker = _Waker()
ask = _waker.ask
