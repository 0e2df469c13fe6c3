"""The YAML that a governance file is written in: plain where that is safe, quoted where not.

Of our own, so that the same document is the same bytes with whichever version of a library. What may
stand without quotes is far less than YAML lets: the words that some parser takes for something else
(`no`, `12:30`, `1_000`) are always quoted.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

HEAD = """\
# yaml-language-server: $schema=./portolan.schema.json
# (that file: manage.py export --schema > portolan.schema.json)
"""
WIDTH = 100

# Begins with a letter or a slash, and holds nothing that means anything to YAML; or is a span (15m).
_PLAIN = re.compile(r"[A-Za-z/][A-Za-z0-9_./@+*=-]*(?:[: ][A-Za-z0-9_./@+*=-]+)*|[0-9]{1,6}[smhd]")
_WORDS = frozenset(
    {"true", "false", "yes", "no", "on", "off", "null", "y", "n", "t", "f", "nan", "inf", "e"}
)
_SPECIAL = frozenset("\x85\xa0\u2028\u2029\ufeff")
_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def write(data: Mapping[str, Any]) -> str:
    """The file of a document's data: sections as lists, with an empty line before each."""
    lines = [HEAD.rstrip("\n")]
    for name, value in data.items():
        if isinstance(value, list):
            lines.append("")
        lines += _entry(name, value, "")
    return "\n".join(lines) + "\n"


def _entry(name: str, value: Any, indent: str) -> Iterator[str]:
    """A key and its value."""
    key = f"{indent}{_scalar(name)}:"
    match value:
        case list() | dict() if not value:
            yield f"{key} {'[]' if isinstance(value, list) else '{}'}"
        case [dict(), *_]:
            yield key
            for one in value:
                yield from _element(one, f"{indent}  ")
        case [*_]:
            yield from _texts(key, value, indent)
        case dict():
            yield key
            for inner, text in value.items():
                yield from _entry(inner, text, f"{indent}  ")
        case str() if _is_block(value):
            yield f"{key} |"
            yield from (f"{indent}  {line}" for line in value.splitlines())
        case _:
            yield f"{key} {_scalar(value)}"


def _element(one: Mapping[str, Any], indent: str) -> Iterator[str]:
    """A mapping in a list."""
    lines = [line for name, value in one.items() for line in _entry(name, value, f"{indent}  ")]
    yield f"{indent}- {lines[0].lstrip()}"
    yield from lines[1:]


def _texts(key: str, texts: list[Any], indent: str) -> Iterator[str]:
    """A list of texts: on one line, if it is short."""
    written = [_scalar(text) for text in texts]
    line = f"{key} [{', '.join(written)}]"
    if len(line) <= WIDTH:
        yield line
        return
    yield key
    yield from (f"{indent}  - {text}" for text in written)


def _scalar(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    text = str(value)
    if isinstance(value, int) or (_PLAIN.fullmatch(text) and text.lower() not in _WORDS):
        return text
    return '"' + "".join(_escaped(character) for character in text) + '"'


def _escaped(character: str) -> str:
    if character in _ESCAPES:
        return _ESCAPES[character]
    if character.isprintable() and character not in _SPECIAL:
        return character
    code = ord(character)
    return f"\\U{code:08x}" if code > 0xFFFF else f"\\u{code:04x}"


def _is_block(text: str) -> bool:
    """Whether the text comes back as it is from a block: certificates do."""
    lines = text.split("\n")
    return (
        len(lines) > 2
        and not lines[-1]
        and all(line and line == line.strip() for line in lines[:-1])
        and all(line.isprintable() and _SPECIAL.isdisjoint(line) for line in lines[:-1])
    )
