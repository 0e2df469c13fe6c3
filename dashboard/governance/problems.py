"""What is wrong with a document, all of it at once, each with its line and its place."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

# More than anybody mends in one go.
TOLD = 100
# With so many, a document is read no further: it is no mistake any more.
ENOUGH = 1000


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """`line` is 0 for what stands in no file; `path` is `grants[3].role`, empty for the whole."""

    line: int
    path: str
    sentence: str

    def __str__(self) -> str:
        place = f"{self.path}: " if self.path else ""
        return f"line {self.line}: {place}{self.sentence}" if self.line else place + self.sentence


def at_most(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """In the order of the file, as many as anybody mends in one go; and then how many more there
    are."""
    found = sorted(problems)
    rest = (Problem(0, "", f"And {_more(found)}."),) if len(found) > TOLD else ()
    return (*found[:TOLD], *rest)


def _more(found: Sequence[Problem]) -> str:
    return f"{'at least ' * (len(found) >= ENOUGH)}{len(found) - TOLD} more"


class _Refusal(Exception):  # noqa: N818  named for what it is
    """Carries its problems, in the order of the file."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        found = sorted(problems)
        self.problems: tuple[Problem, ...] = tuple(found[:TOLD])
        self.told = at_most(found)
        self.left_out = len(found) - len(self.problems)
        lines = [str(one) for one in self.problems]
        if self.left_out:
            lines.append(f"and {_more(found)}")
        super().__init__("\n".join(lines))


class InvalidDocument(_Refusal):
    """A text that is no governance."""


class Refused(_Refusal):
    """A document that makes sense by itself and cannot be applied; nothing was changed."""
