"""One change, one transaction: an action is done whole or not at all, and is kept when it returns.

`durable` refuses to run inside another transaction, which could still take back what the action has
told its caller. Who wants several of them at once (a file that is applied) says so with `together`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from typing import ParamSpec, TypeVar

from django.db import transaction

P = ParamSpec("P")
R = TypeVar("R")

_as_one: ContextVar[bool] = ContextVar("as_one", default=False)


def durable(act: Callable[P, R]) -> Callable[P, R]:
    """The action in a transaction of its own; raises RuntimeError inside any but `together`'s."""

    @wraps(act)
    def acting(*args: P.args, **kwargs: P.kwargs) -> R:
        with transaction.atomic(durable=not _as_one.get()):
            return act(*args, **kwargs)

    return acting


@contextmanager
def together() -> Iterator[None]:
    """What is done inside is kept as a whole when it ends, or not at all when it raises."""
    with transaction.atomic(durable=True):
        token = _as_one.set(True)
        try:
            yield
        finally:
            _as_one.reset(token)
