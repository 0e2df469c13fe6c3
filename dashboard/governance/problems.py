"""What is wrong with a document, all of it at once, each with its line and its place."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

# More than anybody mends in one go.
TOLD = 100


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """`line` is 0 for what stands in no file; `path` is `grants[3].role`, empty for the whole."""

    line: int
    path: str
    sentence: str

    def __str__(self) -> str:
        place = f"{self.path}: " if self.path else ""
        return f"line {self.line}: {place}{self.sentence}" if self.line else place + self.sentence


class _Refusal(Exception):  # noqa: N818  named for what it is
    """Carries its problems, in the order of the file."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        found = sorted(problems)
        self.problems: tuple[Problem, ...] = tuple(found[:TOLD])
        self.left_out = len(found) - len(self.problems)
        lines = [str(one) for one in self.problems]
        if self.left_out:
            lines.append(f"and {self.left_out} more")
        super().__init__("\n".join(lines))


class InvalidDocument(_Refusal):
    """A text that is no governance."""


class Refused(_Refusal):
    """A document that makes sense by itself and cannot be applied; nothing was changed."""
