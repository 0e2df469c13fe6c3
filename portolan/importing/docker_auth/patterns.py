"""The patterns of docker_auth's rules, read into trees: globs and regular expressions.

Facts: auth_server/authz/acl.go (`matchString`): a pattern between slashes is a regular expression of
Go (regexp/syntax), searched for anywhere in the text; any other is a glob (Go's path.Match), in which
neither * nor ? stands for a slash. Of regular expressions the common part is read, where Go and
everybody mean the same. All else raises Unread, and who asks takes that for “perhaps”.
"""

from __future__ import annotations

from dataclasses import dataclass

LONGEST = 1_000
_DEEPEST = 40
_MOST_TIMES = 255
_DIGITS = frozenset("0123456789")
_WORD = _DIGITS | frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_")
_CLASSES = {"d": _DIGITS, "w": _WORD, "s": frozenset("\t\n\f\r ")}
_SPECIAL = frozenset("\\.+*?()|[]{}^$")
_PUNCTUATION = _SPECIAL | frozenset("/-_@:,;=!#%&~'\"<> `")


class Unread(ValueError):  # noqa: N818  named for what happened
    """A pattern whose meaning is not known for sure."""


@dataclass(frozen=True, slots=True)
class Characters:
    """One of these characters, or of all but these."""

    named: frozenset[str]
    negated: bool = False

    def __contains__(self, character: str) -> bool:
        return (character in self.named) != self.negated


@dataclass(frozen=True, slots=True)
class Row:
    """One after the other; none is nothing at all."""

    parts: tuple[Tree, ...] = ()


@dataclass(frozen=True, slots=True)
class Choice:
    """Any of these."""

    parts: tuple[Tree, ...]


@dataclass(frozen=True, slots=True)
class Times:
    """It, so often; `most` is none where there is no limit."""

    part: Tree
    least: int = 0
    most: int | None = None


@dataclass(frozen=True, slots=True)
class Edge:
    """The beginning of the text, or its end."""

    is_end: bool


Tree = Characters | Row | Choice | Times | Edge

NOT_A_SLASH = Characters(frozenset("/"), negated=True)
EVERY = Characters(frozenset(), negated=True)
_BUT_A_NEW_LINE = Characters(frozenset("\n"), negated=True)


def read(pattern: str) -> Tree:
    """The tree of a pattern in which nothing is to be put in any more. It is to match the whole of
    a text: what a regular expression is searched in is part of it."""
    if len(pattern) > LONGEST:
        raise Unread("it is too long")
    if is_regex(pattern):
        return Row((Times(EVERY), regex(pattern[1:-1]), Times(EVERY)))
    return _glob(pattern)


def regex(text: str) -> Tree:
    """The tree of a regular expression by itself."""
    return _Regex(text).tree()


def is_regex(pattern: str) -> bool:
    """Whether docker_auth takes it for a regular expression."""
    return len(pattern) > 2 and pattern[0] == pattern[-1] == "/"


def quoted(text: str) -> str:
    """A text in which nothing means anything, as Go's regexp.QuoteMeta makes it."""
    return "".join(f"\\{one}" if one in _SPECIAL else one for one in text)


# Globs ------------------------------------------------------------------------------------------


def _glob(pattern: str) -> Tree:
    parts: list[Tree] = []
    place = 0
    while place < len(pattern):
        character = pattern[place]
        place += 1
        if character == "*":
            parts.append(Times(NOT_A_SLASH))
        elif character == "?":
            parts.append(NOT_A_SLASH)
        elif character == "[":
            wanted, place = _class(pattern, place, in_glob=True)
            parts.append(wanted)
        elif character == "\\":
            if place >= len(pattern):
                raise Unread("it ends with a backslash")
            parts.append(Characters(frozenset(pattern[place])))
            place += 1
        else:
            parts.append(Characters(frozenset(character)))
    return Row(tuple(parts))


def _class(text: str, place: int, *, in_glob: bool) -> tuple[Characters, int]:
    """The class that begins behind a bracket, and the place behind it."""
    negated = text[place : place + 1] == "^"
    place += negated
    named: set[str] = set()
    while (character := text[place : place + 1]) != "]" or not named:
        # Those that begin with ], or hold [ as [:alpha:] does, are not the same everywhere.
        if character in ("", "[", "]"):
            raise Unread("it has a class that is not read")
        is_last = text[place + 1 : place + 2] == "]"
        if character == "-" and (in_glob or (named and not is_last)):
            raise Unread("it has a class that is not read")
        some, place = _member(text, place, in_glob=in_glob)
        if text[place : place + 1] == "-" and text[place + 1 : place + 2] not in ("]", ""):
            end, place = _member(text, place + 1, in_glob=in_glob)
            some = _span(some, end)
        named |= some
    if in_glob and (negated or "/" in named):
        raise Unread("it has a class that is not read")
    return Characters(frozenset(named), negated), place + 1


def _member(text: str, place: int, *, in_glob: bool) -> tuple[set[str], int]:
    character = text[place : place + 1]
    if character != "\\":
        return {character}, place + 1
    escaped = text[place + 1 : place + 2]
    if not in_glob and escaped in _CLASSES:
        return set(_CLASSES[escaped]), place + 2
    if not escaped or (not in_glob and escaped not in _PUNCTUATION):
        raise Unread("it has a class that is not read")
    return {escaped}, place + 2


def _span(begin: set[str], end: set[str]) -> set[str]:
    if len(begin) == len(end) == 1:
        low, high = ord(*begin), ord(*end)
        if low <= high <= 0x17F:
            return {chr(one) for one in range(low, high + 1)}
    raise Unread("it has a class that is not read")


# Regular expressions ----------------------------------------------------------------------------


class _Regex:
    """Reads by recursion."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._place = 0
        self._depth = 0

    def tree(self) -> Tree:
        found = self._choice()
        if self._place < len(self._text):
            raise Unread("it has a bracket that nothing opens")
        return found

    def _peek(self) -> str:
        return self._text[self._place : self._place + 1]

    def _choice(self) -> Tree:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise Unread("it is nested too deep")
        parts = [self._row()]
        while self._peek() == "|":
            self._place += 1
            parts.append(self._row())
        self._depth -= 1
        return parts[0] if len(parts) == 1 else Choice(tuple(parts))

    def _row(self) -> Tree:
        parts: list[Tree] = []
        while self._peek() not in ("", "|", ")"):
            parts.append(self._repeated(self._atom()))
        return Row(tuple(parts))

    def _atom(self) -> Tree:
        character = self._peek()
        self._place += 1
        match character:
            case "(":
                return self._group()
            case "^" | "$":
                return Edge(is_end=character == "$")
            case "*" | "+" | "?" | "{" | "}" | "]":
                raise Unread(f"{character} stands where nothing is read")
            case "[":
                wanted, self._place = _class(self._text, self._place, in_glob=False)
                return wanted
            case ".":
                return _BUT_A_NEW_LINE
            case "\\":
                return self._escaped()
            case _:
                return Characters(frozenset(character))

    def _group(self) -> Tree:
        if self._peek() == "?":
            if self._text[self._place : self._place + 2] != "?:":
                raise Unread("it has a group with flags or a name")
            self._place += 2
        inner = self._choice()
        if self._peek() != ")":
            raise Unread("it has a bracket that nothing closes")
        self._place += 1
        return inner

    def _escaped(self) -> Characters:
        character = self._peek()
        self._place += 1
        if character in _CLASSES:
            return Characters(_CLASSES[character])
        if character.lower() in _CLASSES:
            return Characters(_CLASSES[character.lower()], negated=True)
        if not character or character not in _PUNCTUATION:
            raise Unread(f"\\{character} is not read")
        return Characters(frozenset(character))

    def _repeated(self, part: Tree) -> Tree:
        """The part with what stands behind it: how often it is there."""
        times = self._times()
        if times is None:
            return part
        if isinstance(part, Edge):
            raise Unread("it repeats an end of the text")
        # Lazy or not is the same for whether there is a match at all.
        if self._peek() == "?":
            self._place += 1
        if self._peek() in ("*", "+", "?", "{") and self._peek():
            raise Unread("it repeats a repetition")
        return Times(part, *times)

    def _times(self) -> tuple[int, int | None] | None:
        match self._peek():
            case "*":
                found: tuple[int, int | None] = (0, None)
            case "+":
                found = (1, None)
            case "?":
                found = (0, 1)
            case "{":
                return self._counted()
            case _:
                return None
        self._place += 1
        return found

    def _counted(self) -> tuple[int, int | None]:
        inside, bracket, _rest = self._text[self._place + 1 :].partition("}")
        least, comma, most = inside.partition(",")
        numbers = [least] + ([most] if most else [])
        if not bracket or not all(it.isascii() and it.isdigit() and len(it) < 5 for it in numbers):
            raise Unread("{ stands where nothing is read")
        low, high = int(least), int(most or least)
        if not low <= high <= _MOST_TIMES:
            raise Unread("it repeats too often")
        self._place += len(inside) + 2
        return low, None if comma and not most else high
