"""What a command ends with: a number for programs, a sentence for people."""

# ruff: noqa: N818 - errors are named for what happened, not for being errors

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from enum import IntEnum
from typing import Any


class Ending(IntEnum):
    """Exit codes, the same for every command (docs/COMMAND.md)."""

    OK = 0
    NO = 1  # `can-i` says no, a sync failed, the server refused what was asked
    CHANGES = 2  # of `plan` only
    NOT_SIGNED_IN = 3
    NOT_ALLOWED = 4  # or not there: Portolan does not tell the two apart
    UNREACHABLE = 5
    USAGE = 64  # not 2, which would look like a plan with changes
    MISTAKE = 70  # in the command itself; sysexits.h calls it EX_SOFTWARE
    INTERRUPTED = 130


class Failure(Exception):
    """Why a command stops. `details` are lines below the sentence."""

    def __init__(
        self, sentence: str, ending: Ending = Ending.NO, details: Sequence[str] = ()
    ) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.ending = ending
        self.details = tuple(details)


class NotSignedIn(Failure):
    def __init__(self, sentence: str) -> None:
        super().__init__(sentence, Ending.NOT_SIGNED_IN)


class Unreachable(Failure):
    """No answer, or none of Portolan's."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence, Ending.UNREACHABLE)


class Misused(Failure):
    """What was typed makes no sense."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence, Ending.USAGE)


class Refused(Failure):
    """The server understood, and said no. `more` is the problem, for commands that go on."""

    def __init__(
        self,
        sentence: str,
        ending: Ending,
        details: Sequence[str] = (),
        *,
        status: int = 0,
        more: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(sentence, ending, details)
        self.status = status
        self.more = more or {}

    @property
    def fields(self) -> set[str]:
        """Names of what was refused of a body or query, the outermost of each."""
        errors = self.more.get("errors")
        listed = errors if isinstance(errors, list) else []
        named = (str(one.get("field") or "") for one in listed if isinstance(one, dict))
        return {name.partition(".")[0] for name in named if name}


@contextlib.contextmanager
def answered() -> Iterator[None]:
    """For a question whose answer may be 1: where the server refuses it, it was asked wrongly, and
    that is no answer."""
    try:
        yield
    except Refused as refused:
        if refused.ending is Ending.NO:
            refused.ending = Ending.USAGE
        raise
