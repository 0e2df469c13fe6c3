"""YAML as a tree that knows its lines, and nothing that YAML can do besides.

Built from the parser's events and not by its loader: no tags, no anchors and aliases (a few of which
make gigabytes), no key twice, and a depth that nothing of ours reaches. Scalars are those of YAML
1.2 (section 10.3, the core schema): `no` and `on` are words, and a date is a text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import yaml

from dashboard.governance.problems import InvalidDocument, Problem

BYTES = 8 * 1024**2
DEPTH = 10

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_CONSTANTS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_WHOLE = re.compile(r"[-+]?[0-9]{1,18}")
_NUMBER = re.compile(
    r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|0x[0-9a-fA-F]+|0o[0-7]+"
    r"|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)"
)


class Number(str):
    """A number that is not whole: nothing takes one, so that its text is all that is needed."""

    __slots__ = ()


@dataclass(slots=True)
class Node:
    """A value with the line on which it (or its key) stands; `value` is a text, bool, int, Number,
    None, a list of nodes, or nodes by name. `raw` is a scalar as it was written."""

    value: Any
    line: int
    raw: str = ""
    # Keys of a mapping that cannot be used, and why.
    wrong: list[Problem] = field(default_factory=list)


def read(text: str) -> Node:
    """The tree of a text; raises InvalidDocument for what is no YAML of ours."""
    if len(text.encode(errors="replace")) > BYTES:
        raise _invalid(0, f"The file is larger than {BYTES // 1024**2} MiB.")
    try:
        return _Builder().build(yaml.parse(text, Loader=_LOADER))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 0
        said = ", ".join(part for part in (error.context, error.problem) if part)
        raise _invalid(line, f"This is not YAML: {said}.") from None
    except (yaml.YAMLError, UnicodeError, ValueError):
        raise _invalid(0, "This is not YAML: it has characters that no text has.") from None


def of_data(data: Any, depth: int = 0) -> Node:
    """The same of values that are there already (of JSON, of a program): no lines are known."""
    if depth > DEPTH:
        raise _invalid(0, "It is nested too deep.")
    if isinstance(data, Mapping):
        named = {str(name): of_data(value, depth + 1) for name, value in data.items()}
        return Node(named, 0)
    if isinstance(data, Sequence) and not isinstance(data, str | bytes):
        return Node([of_data(value, depth + 1) for value in data], 0)
    if data is None or isinstance(data, bool | int | str):
        return Node(data, 0, "" if data is None else str(data))
    return Node(Number(data), 0, str(data))


class _Builder:
    """Puts events together. Its stack holds what is open: a node, and the key that waits for a
    value."""

    def __init__(self) -> None:
        self._open: list[tuple[Node, list[tuple[str, int]]]] = []
        self._root: Node | None = None

    def build(self, events: Iterable[Any]) -> Node:
        for event in events:
            line = event.start_mark.line + 1
            match event:
                case yaml.AliasEvent():
                    raise _invalid(
                        line, "Anchors and aliases (& and *) are not taken: say it twice."
                    )
                case yaml.ScalarEvent() | yaml.SequenceStartEvent() | yaml.MappingStartEvent():
                    self._begin(event, line)
                case yaml.SequenceEndEvent() | yaml.MappingEndEvent():
                    self._open.pop()
                case yaml.DocumentStartEvent() if self._root is not None:
                    raise _invalid(line, "One document a file: leave the second --- out.")
                case _:
                    pass
        if self._root is None:
            raise _invalid(0, "The file is empty.")
        return self._root

    def _begin(self, event: Any, line: int) -> None:
        if event.anchor is not None:
            raise _invalid(line, "Anchors and aliases (& and *) are not taken: say it twice.")
        if event.tag is not None:
            raise _invalid(line, "Tags (!) are not taken.")
        if isinstance(event, yaml.ScalarEvent):
            self._scalar(event, line)
            return
        if len(self._open) >= DEPTH:
            raise _invalid(line, "It is nested too deep.")
        node = Node({} if isinstance(event, yaml.MappingStartEvent) else [], line)
        self._place(node)
        self._open.append((node, []))

    def _scalar(self, event: Any, line: int) -> None:
        if self._wants_key():
            self._open[-1][1].append((event.value, line))
            return
        value = _resolved(event.value) if event.implicit[0] else event.value
        self._place(Node(value, line, event.value))

    def _wants_key(self) -> bool:
        return (
            bool(self._open) and isinstance(self._open[-1][0].value, dict) and not self._open[-1][1]
        )

    def _place(self, node: Node) -> None:
        if not self._open:
            self._root = node
            return
        parent, keys = self._open[-1]
        if isinstance(parent.value, list):
            parent.value.append(node)
            return
        if not keys:
            raise _invalid(node.line, "A key is a single word.")
        key, node.line = keys.pop()
        if key in parent.value:
            parent.wrong.append(Problem(node.line, key[:80], "This key stands here twice."))
        else:
            parent.value[key] = node


def _resolved(text: str) -> Any:
    """What a scalar without quotes is."""
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if _WHOLE.fullmatch(text):
        return int(text)
    return Number(text) if _NUMBER.fullmatch(text) else text


def _invalid(line: int, sentence: str) -> InvalidDocument:
    return InvalidDocument([Problem(line, "", sentence)])
