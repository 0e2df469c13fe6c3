"""Secrets of a governance file, read where it is applied: `env:NAME` and `file:PATH`.

Only what the server found to be a reference in a place for a secret is looked up, so that no other
line of a file can make us read and send anything.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from portolan.failures import Failure

_LONGEST = 65_536


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
