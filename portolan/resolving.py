"""Secrets of a governance file, read where it is applied: `env:NAME` and `file:PATH`.

Only what stands in the file itself, in a place for a secret, is looked up, and of that only what the
server asks for: no other line of a file can make us read and send anything, and neither can a server.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import yaml

from portolan.failures import Failure, Unreachable

# What the server takes for a reference, and where (dashboard.governance): a test compares them.
REFERENCE = re.compile(r"env:[A-Za-z_][A-Za-z0-9_]*|file:[^\x00-\x1f\x7f]+")
PLACES = frozenset(
    {
        ("registries", "password"),
        ("registries", "api_secret"),
        ("webhooks", "url"),
        ("webhooks", "headers"),
    }
)
_LONGEST = 65_536
# Deeper than any file that the server takes.
_DEEPEST = 12
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_Keys = tuple[str, ...]


def wanted(text: str, asked: object, *, by: str) -> list[str]:
    """The references of a file that its server asks for. Raises Unreachable where it asks for
    another: that is an answer to another file, or an attempt to get at what lies here."""
    if asked == []:
        return []
    ours = references_in(text)
    listed = asked if isinstance(asked, list) else [asked]
    for one in listed:
        if not isinstance(one, str) or one not in ours:
            raise Unreachable(
                f"{by} asks for a secret that the file does not name ({_shown(one)})."
                " Nothing was read or sent."
            )
    return sorted(set(listed))


def references_in(text: str) -> frozenset[str]:
    """Those that a file names where a secret has its place; what is no YAML names none."""
    try:
        found = list(_scalars(yaml.parse(text, Loader=_LOADER), (), _DEEPEST))
    except (yaml.YAMLError, ValueError):
        return frozenset()
    return frozenset(one for keys, one in found if keys[:2] in PLACES and REFERENCE.fullmatch(one))


def _scalars(
    events: Iterator[Any], above: _Keys, deepest: int, *, named: bool = False
) -> Iterator[tuple[_Keys, str]]:
    """The values of a list or, `named`, a mapping as they stand there, with the keys that lead to
    each. Of the parser's events: no tag, alias or merge, which the server refuses, makes a value."""
    if not deepest:
        raise ValueError("It is nested too deep.")
    key: str | None = None
    for event in events:
        match event:
            case yaml.CollectionEndEvent() | yaml.DocumentEndEvent():
                return
            case yaml.ScalarEvent() if named and key is None:
                key = event.value
                continue
            case yaml.ScalarEvent():
                yield _below(above, key), event.value
            case yaml.CollectionStartEvent():
                is_mapping = isinstance(event, yaml.MappingStartEvent)
                yield from _scalars(events, _below(above, key), deepest - 1, named=is_mapping)
        key = None


def _below(above: _Keys, key: str | None) -> _Keys:
    return above if key is None else (*above, key)


def _shown(reference: object) -> str:
    text = " ".join(str(reference).split())
    return text if len(text) <= 80 else f"{text[:79]}…"


def resolved(references: Iterable[str]) -> dict[str, str]:
    """Their values; raises Failure that names all which lead to nothing, and shows no value."""
    values: dict[str, str] = {}
    problems = []
    for reference in references:
        try:
            values[reference] = _value(reference)
        except ValueError as error:
            problems.append(str(error))
    if problems:
        raise Failure("Secrets of the file are not here. Nothing was changed.", details=problems)
    return values


def _value(reference: str) -> str:
    kind, _colon, place = reference.partition(":")
    if kind == "env":
        if value := os.environ.get(place, ""):
            return value
        raise ValueError(f"{place} is not set in the environment, or is empty.")
    if kind != "file":
        raise ValueError(f"{reference} is no reference: env:NAME or file:PATH.")
    try:
        with Path(place).open("rb") as file:
            content = file.read(_LONGEST + 1)
        # An editor ends a file with a line break; a password has none.
        value = content.decode().rstrip("\r\n")
    except UnicodeDecodeError:
        raise ValueError(f"{place} is no text in UTF-8.") from None
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else "no such path"
        raise ValueError(f"{place} cannot be read: {why}.") from None
    if not value or len(content) > _LONGEST:
        raise ValueError(f"{place} is empty, or longer than any secret.")
    return value
