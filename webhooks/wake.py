"""Waking a worker soon after a row was committed, without a task a row.

The rows are the truth: a wake that is lost (no broker, a worker killed) costs a few seconds, until
beat asks. Wakes are bundled: while one waits in the queue, further ones are not sent.
"""

from __future__ import annotations

import logging
from functools import partial

from celery import Task
from django.core.cache import cache
from django.db import transaction

log = logging.getLogger(__name__)

# A wake that the broker lost must not silence those after it for longer.
_REMEMBERED_SECONDS = 2


def after_commit(task: Task[..., None]) -> None:
    """Have `task` run once this transaction is committed; call `begun` first thing in it."""
    transaction.on_commit(partial(now, task), robust=True)


def begun(task: Task[..., None]) -> None:
    """The task is about to look at the rows: whatever is committed from now on wakes it again."""
    try:
        cache.delete(_key(task))
    except Exception:  # whatever the cache's client raises: the rows are what matters
        log.warning("The cache does not answer; beat finds what is due.", exc_info=True)


def now(task: Task[..., None]) -> None:
    """The same for rows that are committed. Never raises."""
    try:
        if cache.add(_key(task), 1, timeout=_REMEMBERED_SECONDS):
            task.apply_async(retry=False)
    except Exception:  # the change is committed, and beat finds the row
        log.warning("The broker does not answer; beat finds what is due.", exc_info=True)


def _key(task: Task[..., None]) -> str:
    return f"wake:{task.name}"
