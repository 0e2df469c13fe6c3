"""Where the secrets of a document come from: the machine of a shell, or what a caller sent along.

A resolver takes a reference and gives its value. Which one is used decides who calls: a server that
resolved what somebody sent it would hand out its own environment and files.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

from dashboard.governance.kinds import REFERENCE

LIMIT = 65_536

Resolver = Callable[[str], str]


class MissingSecret(Exception):  # noqa: N818  named for what it is
    """A reference that leads to nothing; the text is a sentence without any value in it."""


def from_here(reference: str) -> str:
    """The value in this process's environment, or in a file of this machine. For shells alone."""
    kind, _colon, place = reference.partition(":")
    if kind == "env":
        value = os.environ.get(place, "")
        if not value:
            raise MissingSecret(f"{place} is not set in the environment, or is empty.")
        return _usable(value, reference)
    try:
        with Path(place).open("rb") as file:
            content = file.read(LIMIT + 1)
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else "no such path"
        raise MissingSecret(f"{place} cannot be read: {why}.") from None
    try:
        # An editor ends a file with a line break; a password has none.
        return _usable(content.decode().rstrip("\r\n"), reference)
    except UnicodeDecodeError:
        raise MissingSecret(f"{place} is no text in UTF-8.") from None


def sent_along(values: Mapping[str, str]) -> Resolver:
    """A resolver that knows what a caller sent, by reference, and looks nowhere else."""

    def resolve(reference: str) -> str:
        if reference not in values:
            raise MissingSecret(
                f"{reference} is not looked up here: resolve it where it is, and send its value"
                " along, by this reference."
            )
        return _usable(values[reference], reference)

    return resolve


def once(resolver: Resolver) -> Resolver:
    """A resolver that looks up each reference once; what is no reference is the value itself."""
    known = cache(resolver)
    return lambda text: known(text) if REFERENCE.fullmatch(text) else text


def _usable(value: str, reference: str) -> str:
    if not value:
        raise MissingSecret(f"What {reference} leads to is empty.")
    if len(value.encode(errors="replace")) > LIMIT:
        raise MissingSecret(f"What {reference} leads to is longer than any secret.")
    return value
