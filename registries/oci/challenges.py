"""WWW-Authenticate: which ways to sign in a registry offers.

RFC 9110 section 11.6.1. A real tokenizer, because splitting at commas breaks on
`scope="repository:a:pull,push"` and lets a quoted text pass as a challenge (BBOT CVE-2026-12566).
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_EQUALS = re.compile(r"[ \t]*=[ \t]*")
_SEPARATOR = re.compile(r"[ \t,]*")
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')
_BARE = re.compile(r'[^\s",]+')
_TOKEN68 = re.compile(r"[ \t]+[A-Za-z0-9._~+/-]+=*[ \t]*(?=,|$)")


@dataclass(frozen=True, slots=True)
class Challenge:
    """One way to sign in: scheme and parameter names in lower case."""

    scheme: str
    params: Mapping[str, str]


def parse_challenges(headers: Iterable[str]) -> tuple[Challenge, ...]:
    """Return the challenges of all WWW-Authenticate headers, in order.

    Reading a header stops at the first thing that is no challenge; what came before it counts.
    """
    return tuple(challenge for header in headers for challenge in _parse(header))


def _parse(header: str) -> list[Challenge]:
    found: list[Challenge] = []
    position = 0
    while True:
        position = _end(_SEPARATOR, header, position)
        token = _TOKEN.match(header, position)
        if token is None:
            return found
        position = token.end()
        if (equals := _EQUALS.match(header, position)) is None or not found:
            found.append(Challenge(token[0].lower(), {}))
            position = _end(_TOKEN68, header, position)
            continue
        value, position = _value(header, equals.end())
        if value is None:
            return found
        latest = found[-1]
        # The first of a repeated parameter counts: a proxy may add, not replace.
        params = {token[0].lower(): value, **latest.params}
        found[-1] = Challenge(latest.scheme, params)


def _value(header: str, position: int) -> tuple[str | None, int]:
    if quoted := _QUOTED.match(header, position):
        return re.sub(r"\\(.)", r"\1", quoted[1]), quoted.end()
    # Some servers leave a realm unquoted although `:` and `/` are not token characters.
    bare = _BARE.match(header, position)
    return (bare[0], bare.end()) if bare else (None, position)


def _end(pattern: re.Pattern[str], header: str, position: int) -> int:
    found = pattern.match(header, position)
    return found.end() if found else position
