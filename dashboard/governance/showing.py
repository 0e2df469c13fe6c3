"""A plan as lines for a terminal: one a thing, with + ~ or -, and what changes in it below."""

from __future__ import annotations

from collections.abc import Iterator

from dashboard.governance.changes import Change, Verb
from dashboard.governance.plan import Plan
from dashboard.governance.problems import at_most

_MARKS = {Verb.CREATE: "+", Verb.CHANGE: "~", Verb.DELETE: "-"}
_COLOURS = {Verb.CREATE: "\x1b[32m", Verb.CHANGE: "\x1b[33m", Verb.DELETE: "\x1b[31m"}
_RESET = "\x1b[0m"
_WORDS = {Verb.CREATE: "to create", Verb.CHANGE: "to change", Verb.DELETE: "to delete"}
# Of what is left out, that many are named; the rest is counted.
NAMED = 20


def lines(shown: Plan, *, colour: bool = False) -> Iterator[str]:
    """All that a plan says, in the order of its changes."""
    for change in shown.changes:
        yield from _change(change, colour)
    for note in at_most(shown.notes):
        yield f"note: {note}"
    yield from _left(shown.left)
    for problem in at_most(shown.problems):
        yield f"problem: {problem}"
    yield summary(shown)


def summary(shown: Plan) -> str:
    """One sentence on all of it."""
    counts = [
        f"{count} {word}"
        for verb, word in _WORDS.items()
        if (count := sum(change.verb is verb for change in shown.changes))
    ]
    said = f"{', '.join(counts)}." if counts else "No changes."
    if shown.problems:
        return f"{said} It cannot be applied: {_number(len(shown.problems), 'problem')}."
    return said


def _change(change: Change, colour: bool) -> Iterator[str]:
    begin, end = (_COLOURS[change.verb], _RESET) if colour else ("", "")
    yield f"{begin}{_MARKS[change.verb]} {change.section.name:<18} {_one_line(change.name)}{end}"
    if change.verb is Verb.CHANGE:
        for one in change.fields:
            yield f"    {one.name}: {_value(one.old)} -> {_value(one.new)}"


def _left(left: tuple[Change, ...]) -> Iterator[str]:
    if not left:
        return
    yield f"Not in the file, and left as they are ({len(left)}); --prune would remove them:"
    for change in left[:NAMED]:
        yield f"    {change.section.name:<18} {_one_line(change.name)}"
    if len(left) > NAMED:
        yield f"    and {len(left) - NAMED} more"


def _value(text: str) -> str:
    return _one_line(text) or "(nothing)"


def _one_line(text: str) -> str:
    """Nothing that somebody stored moves a terminal's cursor."""
    return "".join(character if character.isprintable() else "·" for character in text)


def _number(count: int, word: str) -> str:
    return f"{count} {word}{'s' * (count != 1)}"
