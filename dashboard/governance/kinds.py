"""The kinds of values that fields have: how each is read, kept, written, shown, and described.

A kept value is in its one form (a scope, a moment in UTC, a list in its order), so that two of them
mean the same exactly when they are equal.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from hashlib import sha256
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError

from access.management.granting import end_of
from dashboard.governance.tree import Node, Number

REFERENCE = re.compile(r"env:[A-Za-z_][A-Za-z0-9_]*|file:[^\x00-\x1f\x7f]+")
# What no text of several lines has: control characters but tabs and line breaks, and halves of pairs.
_UNSEEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff]")
_SPAN = re.compile(r"([0-9]{1,6})([smhd])")
_UNITS = {"d": timedelta(days=1), "h": timedelta(hours=1), "m": timedelta(minutes=1)}
_UNITS["s"] = timedelta(seconds=1)


class Wrong(ValueError):  # noqa: N818  named for what it is
    """A value that cannot be; the text is a sentence. `inside` is where in the value: `[2]`."""

    def __init__(self, sentence: str, *, inside: str = "", line: int = 0) -> None:
        super().__init__(sentence)
        self.inside, self.line = inside, line


class Kind(ABC):
    """What all kinds can."""

    @abstractmethod
    def read(self, node: Node) -> Any:
        """The kept form of what stands in a file; raises Wrong."""

    @abstractmethod
    def schema(self) -> dict[str, Any]:
        """It as JSON Schema (draft 2020-12) describes it."""

    def write(self, value: Any) -> Any:
        """A kept value as the file has it: text, bool, list or mapping."""
        return value

    def show(self, value: Any) -> str:
        """A kept value on one line, for people."""
        return str(value)


@dataclass(frozen=True)
class Text(Kind):
    """A line of text, or with `lines` several; in the form that `parse` gives it, if there is one,
    which raises ValueError or ValidationError."""

    limit: int = 255
    pattern: str = ""
    hint: str = ""
    lines: bool = False
    parse: Callable[[str], str] | None = None
    empty: bool = False

    def read(self, node: Node) -> str:
        text = _text(node)
        if len(text) > self.limit:
            raise Wrong(f"At most {self.limit} characters.")
        if not text and not self.empty:
            raise Wrong("Say something here, or leave the key out.")
        if _UNSEEN.search(text) if self.lines else not text.isprintable():
            raise Wrong("It has characters that cannot be seen.")
        if self.pattern and not re.fullmatch(self.pattern, text):
            raise Wrong(f"“{text[:80]}” cannot be: {self.hint}.")
        return _parsed(self.parse, text) if self.parse else text

    def schema(self) -> dict[str, Any]:
        said: dict[str, Any] = {"type": "string", "maxLength": self.limit}
        if not self.empty:
            said["minLength"] = 1
        if self.pattern:
            said["pattern"] = f"^({self.pattern})$"
        return said

    def show(self, value: Any) -> str:
        text = str(value)
        if text.startswith("-----BEGIN"):
            return "PEM sha256:" + sha256(text.encode()).hexdigest()[:16]
        return text


@dataclass(frozen=True)
class Choice(Kind):
    """One of these words."""

    words: tuple[str, ...]

    def read(self, node: Node) -> str:
        text = _text(node)
        if text not in self.words:
            raise Wrong(f"There is no “{text[:80]}”{nearest(text, self.words)}")
        return text

    def schema(self) -> dict[str, Any]:
        return {"enum": list(self.words)}


@dataclass(frozen=True)
class Choices(Kind):
    """Some of these words, each once, in their own order."""

    words: tuple[str, ...]

    def read(self, node: Node) -> tuple[str, ...]:
        found = set(_each(Choice(self.words), node))
        if not found:
            raise Wrong("Name one at least.")
        return tuple(word for word in self.words if word in found)

    def write(self, value: Any) -> list[str]:
        return list(value)

    def show(self, value: Any) -> str:
        return ", ".join(value)

    def schema(self) -> dict[str, Any]:
        words = {"enum": list(self.words)}
        return {"type": "array", "items": words, "minItems": 1, "uniqueItems": True}


@dataclass(frozen=True)
class Texts(Kind):
    """A list of texts, each once; sorted, unless their order says something."""

    item: Text
    ordered: bool = False

    def read(self, node: Node) -> tuple[str, ...]:
        found = dict.fromkeys(_each(self.item, node))
        return tuple(found if self.ordered else sorted(found))

    def write(self, value: Any) -> list[str]:
        return list(value)

    def show(self, value: Any) -> str:
        return ", ".join(value)

    def schema(self) -> dict[str, Any]:
        return {"type": "array", "items": self.item.schema(), "uniqueItems": True}


@dataclass(frozen=True)
class Named(Kind):
    """Texts by name; a number or a flag is the text that it is written as."""

    item: Kind

    def read(self, node: Node) -> dict[str, str]:
        if not isinstance(node.value, dict):
            raise Wrong("Write names and values here, such as “tenant: contoso”.")
        if node.wrong:
            raise Wrong(
                node.wrong[0].sentence, inside=f".{node.wrong[0].path}", line=node.wrong[0].line
            )
        found = {}
        for name, value in node.value.items():
            if not name.isprintable() or not name:
                raise Wrong("This is no name.", line=value.line)
            scalar = value if isinstance(value.value, list | dict) else Node(value.raw, value.line)
            found[name] = _inside(self.item, scalar, f".{name[:80]}")
        return dict(sorted(found.items()))

    def show(self, value: Any) -> str:
        return " ".join(f"{name}={self.item.show(text)}" for name, text in value.items())

    def schema(self) -> dict[str, Any]:
        plain = {"type": ["number", "boolean"]}
        return {"type": "object", "additionalProperties": {"anyOf": [self.item.schema(), plain]}}


@dataclass(frozen=True)
class Flag(Kind):
    """true or false."""

    def read(self, node: Node) -> bool:
        if not isinstance(node.value, bool):
            raise Wrong("Write true or false.")
        return node.value

    def show(self, value: Any) -> str:
        return "yes" if value else "no"

    def schema(self) -> dict[str, Any]:
        return {"type": "boolean"}


@dataclass(frozen=True)
class Span(Kind):
    """A length of time such as 15m, 6h or 7d; with `never`, that word is none at all."""

    least: timedelta
    most: timedelta
    never: bool = False

    def read(self, node: Node) -> timedelta | None:
        text = _text(node)
        if self.never and text == "never":
            return None
        found = _SPAN.fullmatch(text)
        if found is None:
            raise Wrong(f"Write how long, such as 15m, 6h or 7d{', or never' * self.never}.")
        span = int(found[1]) * _UNITS[found[2]]
        if not self.least <= span <= self.most:
            raise Wrong(f"Between {self.show(self.least)} and {self.show(self.most)}.")
        return span

    def write(self, value: Any) -> str:
        return self.show(value)

    def show(self, value: Any) -> str:
        if value is None:
            return "never"
        unit = next((word for word, one in _UNITS.items() if not value % one), "s")
        return f"{value // _UNITS[unit]}{unit}"

    def schema(self) -> dict[str, Any]:
        return {"type": "string", "pattern": f"^({_SPAN.pattern}{'|never' * self.never})$"}


@dataclass(frozen=True)
class Moment(Kind):
    """A day, meant with all of it, or a moment; kept as a moment in UTC."""

    def read(self, node: Node) -> datetime:
        try:
            moment = end_of(_text(node))
            if moment is not None:
                return moment.astimezone(UTC)
        except (CommandError, OverflowError):
            pass
        raise Wrong(f"“{node.raw[:80]}” is no date such as 2027-01-31 or 2027-01-31T18:00:00Z.")

    def write(self, value: Any) -> str:
        return self.show(value)

    def show(self, value: Any) -> str:
        return str(value.isoformat()).replace("+00:00", "Z") if value else ""

    def schema(self) -> dict[str, Any]:
        return {"type": "string", "pattern": r"^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}.*)?$"}


@dataclass(frozen=True)
class Secret(Kind):
    """Where a secret is to be had: `env:NAME` or `file:PATH`. `literal` says that the value itself
    may stand here, for what is a secret in some cases only. Never written: nothing reads them back."""

    literal: bool = False

    def read(self, node: Node) -> str:
        text = _text(node)
        if REFERENCE.fullmatch(text) or (self.literal and text and text.isprintable()):
            return text
        # What was written is not repeated: it is a secret, in a place where none belongs.
        raise Wrong("A secret is not written here, but where it is: env:NAME or file:PATH.")

    def show(self, value: Any) -> str:
        return f"from {value}" if REFERENCE.fullmatch(str(value)) else "as the file says"

    def schema(self) -> dict[str, Any]:
        pattern = {} if self.literal else {"pattern": f"^({REFERENCE.pattern})$"}
        return {"type": "string", "minLength": 1, **pattern}


# With more words than these, looking for the nearest one takes longer than it helps.
_COMPARED = 200


def nearest(word: str, known: Iterable[str]) -> str:
    """The end of a sentence that says what somebody may have meant."""
    words = list(known)
    if len(words) > _COMPARED:
        return "."
    if close := get_close_matches(word, words, n=1):
        return f": did you mean “{close[0]}”?"
    return f". There are: {', '.join(words)}." if len(words) <= 16 else "."


def _text(node: Node) -> str:
    match node.value:
        case Number() | bool() | int():
            raise Wrong(f"This is to be a text: write it in quotes, “{node.raw[:80]}”.")
        case str():
            return node.value
        case None:
            raise Wrong("There is nothing here.")
        case _:
            raise Wrong("This is to be a text.")


def _parsed(parse: Callable[[str], str], text: str) -> str:
    try:
        return parse(text)
    except ValidationError as error:
        raise Wrong(" ".join(error.messages)) from None
    except ValueError as error:
        raise Wrong(str(error)) from None


def _each(item: Kind, node: Node) -> list[Any]:
    if not isinstance(node.value, list):
        raise Wrong("This is to be a list: [one, two].")
    return [_inside(item, one, f"[{place}]") for place, one in enumerate(node.value)]


def _inside(item: Kind, node: Node, place: str) -> Any:
    try:
        return item.read(node)
    except Wrong as wrong:
        line = wrong.line or node.line
        raise Wrong(str(wrong), inside=place + wrong.inside, line=line) from None
