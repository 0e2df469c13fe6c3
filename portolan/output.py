"""What a command prints: tables for people, JSON for programs, and nothing that a terminal obeys.

On a terminal a table has colours and fits its width; in a pipe it is plain columns that are never cut.
Notes and errors go to standard error, so that what is piped on is the answer alone.
"""

from __future__ import annotations

import json
import os
import sys
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import Any

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

GAP = "  "
_SIGNS = {"+": "green", "-": "red", "~": "yellow"}
NOTHING = "–"
# Characters to which a column is folded; what is narrower cannot be read.
LEAST = 16
_KEPT = "\n\t"


@dataclass(frozen=True, slots=True)
class Column:
    """`of` gives a cell of a row; what is `spare` is left out first where the terminal is narrow, and
    what is `long` goes over several lines then. All others are names, and stay in one."""

    title: str
    of: Callable[[Any], Any]
    right: bool = False
    style: str = ""
    spare: bool = False
    long: bool = False
    # In a pipe, where it differs: a time as ISO, a digest in full.
    piped: Callable[[Any], Any] | None = None


class _Console(Console):
    """Rich's own leaves with 1 where the reader of a pipe has gone, which can-i says for no."""

    def __init__(self, on_broken_pipe: Callable[[], None]) -> None:
        super().__init__(highlight=False, markup=False, emoji=False)
        self._on_broken_pipe = on_broken_pipe

    def on_broken_pipe(self) -> None:
        self._on_broken_pipe()


class Output:
    """Where a command writes. `as_json` is what was asked for with --json. A reader that goes (`| head`)
    ends what only lists; what changes something, or answers by its exit code, goes `to_the_end`."""

    def __init__(self, *, as_json: bool = False, to_the_end: bool = False) -> None:
        self.as_json = as_json
        self._to_the_end = to_the_end
        self.console: Console = _Console(self._reader_left)
        self.notes = Console(stderr=True, highlight=False, markup=False, emoji=False)

    @cached_property
    def is_terminal(self) -> bool:
        """Whether it is to look as on a terminal, which FORCE_COLOR can say, too."""
        return self.console.is_terminal

    @cached_property
    def is_watched(self) -> bool:
        """Whether it is a terminal, whatever variables say: there escapes are obeyed, and what is
        printed is in no pipeline's log."""
        return sys.stdout.isatty()

    # For programs ----------------------------------------------------------------------------------

    def document(self, value: Any) -> None:
        """One JSON document."""
        self._write(as_json(value, indent=2 if self.is_terminal else None) + "\n")

    def line(self, value: Any) -> None:
        """One JSON document in one line, seen at once by who reads along."""
        self._write(as_json(value) + "\n")
        self._flush()

    def documents(self, rows: Iterable[Any]) -> None:
        """A JSON list, written while its rows come in."""
        before = "["
        for row in rows:
            self._write(f"{before}\n{as_json(row)}")
            before = ","
        self._write("[]\n" if before == "[" else "\n]\n")

    # For people ------------------------------------------------------------------------------------

    def rows(
        self, columns: Sequence[Column], rows: Iterable[Any], *, empty: str = "Nothing."
    ) -> None:
        """A list: a table, or JSON. `empty` is said where there is no row."""
        if self.as_json:
            self.documents(rows)
            return
        found = list(rows)
        if not found:
            self.note(empty)
        elif self.is_terminal:
            self._table(columns, found)
        else:
            self._plain(columns, found)

    def facts(self, value: Any, facts: Iterable[tuple[str, Any]]) -> None:
        """One thing: its facts below each other, or `value` as JSON. Empty facts are left out."""
        if self.as_json:
            self.document(value)
            return
        known = [(title, clean(text)) for title, text in facts if text not in (None, "", [])]
        width = max((cell_len(title) for title, _text in known), default=0)
        for title, text in known:
            first, *others = text.splitlines() or [""]
            self.print(Text(_padded(title, width), style="dim"), GAP + first)
            for line in others:
                self.print(" " * width + GAP + line)

    def print(self, *parts: Any) -> None:
        """A line of text, in which a stranger's words give the terminal no orders."""
        line = Text()
        for part in parts:
            line.append_text(part if isinstance(part, Text) else Text(in_line(part)))
        self.console.print(line, soft_wrap=True)

    def whole(self, text: str) -> None:
        """A text as it is; on a terminal, without what a terminal would obey."""
        self._write(clean(text) if self.is_watched else text)

    def content(self, content: bytes) -> None:
        """Bytes as they are; on a terminal as text, without what a terminal would obey."""
        if self.is_watched:
            self.whole(content.decode(errors="replace"))
        else:
            sys.stdout.buffer.write(content)

    def say(self, word: str, style: str, rest: str) -> None:
        """A word that matters most, and the rest of its line."""
        self.print(Text(in_line(word), style=style), rest)

    def heading(self, text: str) -> None:
        """Before a part of an answer."""
        self.console.print(Text(f"\n{in_line(text)}", style="bold"))

    def changed(self, sign: str, text: str) -> None:
        """A line of a difference: `+` what comes, `-` what goes, `~` what becomes another."""
        self.console.print(
            Text(f"{sign} {in_line(text)}", style=_SIGNS.get(sign, "")), soft_wrap=True
        )

    def event(self, at: str, what: str, about: Sequence[str]) -> None:
        """A line of what happened, seen at once by who reads along."""
        rest = GAP.join(one for one in about if one)
        self.print(
            Text(f"{in_line(at)}{GAP}", style="dim"),
            Text(f"{in_line(what):<20}{GAP}", style="cyan"),
            rest,
        )
        self._flush()

    def note(self, text: str) -> None:
        """Something beside the answer."""
        self.notes.print(Text(in_line(text)), soft_wrap=True)

    def failed(self, text: str, details: Iterable[str] = ()) -> None:
        """Why a command stops."""
        line = Text("portolan: ", style="bold red") + Text(in_line(text))
        self.notes.print(line, soft_wrap=True)
        for detail in details:
            self.notes.print(Text(f"  {in_line(detail)}"), soft_wrap=True)

    def _table(self, columns: Sequence[Column], rows: Sequence[Any]) -> None:
        cells = [[in_line(column.of(row)) for column in columns] for row in rows]
        widths = _fitting(columns, cells, self.console.width)
        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
        for number, width in widths.items():
            column = columns[number]
            table.add_column(
                column.title,
                justify="right" if column.right else "left",
                style=column.style or None,
                width=width,
                overflow="fold",
            )
        for row in cells:
            table.add_row(*(Text(row[number]) for number in widths))
        self.console.print(table)

    def _plain(self, columns: Sequence[Column], rows: Sequence[Any]) -> None:
        """As many columns as there are, wide enough for all; a line is a row."""
        heads = [column.title.upper() for column in columns]
        # An empty cell would be none to a program that splits lines at spaces.
        cells = [
            [in_line((column.piped or column.of)(row)) or NOTHING for column in columns]
            for row in rows
        ]
        widths = [max(map(cell_len, column)) for column in zip(heads, *cells, strict=True)]
        for row in chain([heads], cells):
            line = GAP.join(
                _padded(cell, width, right=column.right)
                for cell, width, column in zip(row, widths, columns, strict=True)
            )
            self._write(line.rstrip() + "\n")

    def _write(self, text: str) -> None:
        try:
            sys.stdout.write(text)
        except BrokenPipeError:
            self._reader_left()

    def _flush(self) -> None:
        try:
            sys.stdout.flush()
        except BrokenPipeError:
            self._reader_left()

    def _reader_left(self) -> None:
        if not self._to_the_end:
            raise BrokenPipeError
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


def clean(value: Any) -> str:
    """A value as text without control characters, and without those that turn the direction of
    writing: names and descriptions are other people's."""
    text = NOTHING if value is None else str(value)
    if text.isprintable():
        return text
    return "".join(
        "\N{REPLACEMENT CHARACTER}"
        if one not in _KEPT and unicodedata.category(one) in ("Cc", "Cf", "Cs", "Zl", "Zp")
        else one
        for one in text
    )


def in_line(value: Any) -> str:
    """The same in one line, so that nobody's words can look like another line of ours."""
    return clean(value).replace("\n", " ")


def as_json(value: Any, indent: int | None = None) -> str:
    """JSON in which every character stands as it is, but for those that a terminal might obey."""
    text = json.dumps(value, ensure_ascii=False, indent=indent)
    if text.isprintable():
        return text
    return "".join(
        one if one == "\n" or one.isprintable() else json.dumps(one)[1:-1] for one in text
    )


def _fitting(
    columns: Sequence[Column], cells: Sequence[Sequence[str]], width: int
) -> dict[int, int]:
    """Which columns there is room for, and how wide they are. Spare ones go first, from the right;
    then long texts are folded, and last whatever is widest: nothing is cut."""
    wanted = {
        number: max(cell_len(column.title), *(cell_len(row[number]) for row in cells))
        for number, column in enumerate(columns)
        # A spare one that says nothing at all is not worth its room.
        if not column.spare or any(row[number] not in ("", NOTHING) for row in cells)
    }
    long = [number for number in wanted if columns[number].long]
    for number in reversed(list(wanted)):
        least = {**wanted, **{one: min(wanted[one], LEAST) for one in long if one in wanted}}
        if _whole(least) <= width:
            break
        if columns[number].spare:
            del wanted[number]
    _fold(wanted, [number for number in long if number in wanted], width)
    _fold(wanted, list(wanted), width)
    return wanted


def _fold(widths: dict[int, int], columns: Sequence[int], width: int) -> None:
    """Makes these columns narrower, the widest first, until all fit."""
    while columns and _whole(widths) > width:
        widest = max(columns, key=lambda number: widths[number])
        if widths[widest] <= LEAST:
            return
        widths[widest] -= 1


def _whole(widths: Mapping[int, int]) -> int:
    return sum(widths.values()) + len(GAP) * (len(widths) - 1)


def _padded(text: str, width: int, *, right: bool = False) -> str:
    filling = " " * (width - cell_len(text))
    return filling + text if right else text + filling
