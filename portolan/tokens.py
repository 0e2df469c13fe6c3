"""Tokens as they are handed over: typed, piped in, or in a variable."""

from __future__ import annotations

import sys

from portolan.failures import Misused

# Longer is no token, and no password.
_LONGEST = 4096


def piped() -> str:
    """The secret that standard input has; empty where that is no text."""
    try:
        return sys.stdin.read(_LONGEST).strip()
    except UnicodeDecodeError:
        return ""


def token_in(text: str, where: str) -> str:
    """The token of a text, without the line break that a file ends with. Raises Misused, which names
    where it came from and never says what stood there."""
    token = text.strip()
    if not token or not token.isascii() or not token.isprintable() or " " in token:
        raise Misused(f"{where} is no token of Portolan.")
    return token
