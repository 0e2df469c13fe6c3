"""The document as YAML: every text that could be taken for something else stands in quotes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

# What no version of YAML takes for anything but a text: the rest is quoted.
_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_./@*+-]*(?:[: ][A-Za-z0-9_./@*+-]+)*")
_WORDS = frozenset(
    {"true", "false", "yes", "no", "on", "off", "null", "y", "n", "t", "f", "nan", "inf", "e"}
)
# Printable to Python, and breaks or marks to some reader of YAML.
_SPECIAL = frozenset("\x85\xa0\u2028\u2029\ufeff")
HEAD = (
    "# Made by “portolan import”; nothing was changed by it. Read it, then: portolan plan FILE\n"
    "# Do not use --prune with it: it says nothing of what else is there.\n"
)


def write(document: Mapping[str, Any]) -> str:
    """The file of a document's data: the same text for the same data."""
    lines: list[str] = []
    for name, value in document.items():
        if lines:
            lines.append("")
        lines += _entry(name, value, "")
    return HEAD + "\n".join(lines) + "\n"


def _entry(name: str, value: Any, indent: str) -> Iterator[str]:
    """A key and its value: a text, a number, a flag, a list of these, or a list of mappings."""
    if not isinstance(value, list):
        yield f"{indent}{name}: {_scalar(value)}"
        return
    if not value:
        yield f"{indent}{name}: []"
        return
    yield f"{indent}{name}:"
    for one in value:
        if not isinstance(one, dict):
            yield f"{indent}  - {_scalar(one)}"
            continue
        inside = [line for key, it in one.items() for line in _entry(key, it, f"{indent}    ")]
        yield f"{indent}  - {inside[0].lstrip()}"
        yield from inside[1:]


def _scalar(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    text = str(value)
    if isinstance(value, int) or (_PLAIN.fullmatch(text) and text.lower() not in _WORDS):
        return text
    return '"' + "".join(_escaped(character) for character in text) + '"'


def _escaped(character: str) -> str:
    if character in '"\\':
        return f"\\{character}"
    if character.isprintable() and character not in _SPECIAL:
        return character
    code = ord(character)
    return f"\\U{code:08x}" if code > 0xFFFF else f"\\u{code:04x}"
