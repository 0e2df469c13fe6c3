"""A governance document: read from YAML or from data, judged by the table of sections, written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from dashboard.governance import tree
from dashboard.governance.kinds import Wrong, nearest
from dashboard.governance.problems import ENOUGH, InvalidDocument, Problem
from dashboard.governance.sections import CLAIM_RULES, MEMBERS, SECTIONS, TOP, WEBHOOKS, Section
from dashboard.governance.tree import Node
from dashboard.governance.writing import write

VERSION = 1
# A team's lists: what stands in the file -> whether these are maintainers.
_LISTS = {"maintainers": True, "members": False}

Key = tuple[str, ...]


@dataclass(frozen=True, slots=True, repr=False)
class Item:
    """One thing of a section. `values` has every field but secrets and hints, in its kept form, and
    of these what was said; `line` is 0 where there is no file."""

    section: Section
    values: Mapping[str, Any]
    line: int = field(default=0, compare=False)
    path: str = field(default="", compare=False)

    def __repr__(self) -> str:
        """Without its values: an address of a webhook is a secret."""
        return f"Item({self.section.name}, {self.title})"

    @property
    def key(self) -> Key:
        return tuple(str(self.values[name]) for name in self.section.key)

    @property
    def title(self) -> str:
        return self.section.called(self.key).strip()

    def problem(self, sentence: str, name: str = "") -> Problem:
        """Something wrong with it, or with a field of it."""
        return Problem(self.line, f"{self.path}.{name}" if name else self.path, sentence)


@dataclass(frozen=True, slots=True)
class Document:
    """What a file says. A section that it does not have is not in `items`, and says nothing; an
    empty one says that there is nothing. `whole` are the lists of teams that it has: of
    ("members", "platform") and the like it names all."""

    items: Mapping[str, tuple[Item, ...]] = field(default_factory=dict)
    whole: frozenset[tuple[str, str]] = frozenset()

    def of(self, section: Section) -> tuple[Item, ...]:
        return self.items.get(section.name, ())

    def names_all(self, section: Section, key: Key) -> bool:
        """Whether it names all things among which this one would stand."""
        return (
            (section.name, key[0]) in self.whole if section.parent else section.name in self.items
        )


def parse(text: str) -> Document:
    """The document of a YAML (or JSON) text. Raises InvalidDocument, with every problem's line, for
    anything else; whether what it names is there is judged by a plan."""
    return _read(tree.read(text))


def build(data: Mapping[str, Any]) -> Document:
    """The document of values as `parse` would find them in a file; raises InvalidDocument."""
    return _read(tree.of_data(data))


def dump(document: Document) -> str:
    """The document as a file: the same text for the same document, and no secret in it."""
    data: dict[str, Any] = {"version": VERSION}
    for name in TOP:
        if name in document.items:
            items = sorted(document.items[name], key=_order)
            data[name] = [_written(item) for item in items]
    _write_lists(document, data.get("teams", ()))
    return write(data)


def _order(item: Item) -> tuple[Key, str]:
    return item.key, repr(sorted(item.values.items(), key=lambda pair: pair[0]))


# Reading --------------------------------------------------------------------------------------


def _read(node: Node) -> Document:
    reading = _Reading()
    with suppress(_TooManyError):
        reading.document(node)
    if reading.problems:
        raise InvalidDocument(reading.problems)
    items = {name: tuple(found) for name, found in reading.items.items()}
    return Document(items, frozenset(reading.whole))


class _TooManyError(Exception):
    """Enough problems for a document that is none."""


class _Reading:
    """Goes through a tree once and collects things and problems."""

    def __init__(self) -> None:
        self.items: dict[str, list[Item]] = {}
        self.whole: set[tuple[str, str]] = set()
        self.problems: list[Problem] = []
        self._keys: dict[tuple[str, Key], int] = {}

    def document(self, node: Node) -> None:
        if not isinstance(node.value, dict):
            self._tell(node.line, "", "A governance file begins with “version: 1” and sections.")
            return
        self._known(node, "", ("version", *TOP))
        version = node.value.get("version")
        if version is None or version.value != VERSION or isinstance(version.value, bool):
            line = version.line if version else node.line
            self._tell(line, "version", f"Write “version: {VERSION}”: it is the one there is.")
        for name in TOP:
            if name in node.value:
                self._section(SECTIONS[name], node.value[name], name)

    def _section(self, section: Section, node: Node, path: str) -> None:
        self.items.setdefault(section.name, [])
        for place, one in enumerate(self._list(node, path)):
            self._item(section, one, f"{path}[{place}]")

    def _item(self, section: Section, node: Node, path: str) -> None:
        nested = (*_LISTS, CLAIM_RULES.name) if section.name == "teams" else ()
        values = self._values(section, node, path, nested)
        if values is None:
            return
        self._add(Item(section, values, node.line, path))
        if nested:
            self._lists(str(values["name"]), node, path)

    def _values(
        self, section: Section, node: Node, path: str, nested: Sequence[str] = ()
    ) -> dict[str, Any] | None:
        """What is said of one thing; None, with the problems told, if it cannot be."""
        if not isinstance(node.value, dict):
            self._tell(node.line, path, f"Write {section.key[0]} and the rest as key: value.")
            return None
        before = len(self.problems)
        fields = [one for one in section.fields if not (section.parent and one.name == "team")]
        self._known(node, path, (*(one.name for one in fields), *nested))
        values: dict[str, Any] = {}
        for one in fields:
            said = node.value.get(one.name)
            if said is None:
                if one.required:
                    self._tell(node.line, path, f"It needs “{one.name}”.")
                elif not one.is_secret and not one.hint:
                    values[one.name] = one.default
                continue
            try:
                values[one.name] = one.kind.read(said)
            except Wrong as wrong:
                self._tell(wrong.line or said.line, f"{path}.{one.name}{wrong.inside}", str(wrong))
        return values if len(self.problems) == before else None

    def _lists(self, team: str, node: Node, path: str) -> None:
        for name, maintains in _LISTS.items():
            if name in node.value:
                self.whole.add((MEMBERS.name, team))
                self._members(team, node.value[name], f"{path}.{name}", maintains)
        if CLAIM_RULES.name in node.value:
            self.whole.add((CLAIM_RULES.name, team))
            inside = f"{path}.{CLAIM_RULES.name}"
            for place, one in enumerate(self._list(node.value[CLAIM_RULES.name], inside)):
                values = self._values(CLAIM_RULES, one, f"{inside}[{place}]")
                if values is not None:
                    item = Item(
                        CLAIM_RULES, {"team": team, **values}, one.line, f"{inside}[{place}]"
                    )
                    self._add(item)

    def _members(self, team: str, node: Node, path: str, maintains: bool) -> None:
        user = MEMBERS.by_name["user"]
        for place, one in enumerate(self._list(node, path)):
            try:
                name = user.kind.read(one)
            except Wrong as wrong:
                self._tell(one.line, f"{path}[{place}]", str(wrong))
                continue
            values = {"team": team, "user": name, "maintainer": maintains}
            self._add(Item(MEMBERS, values, one.line, f"{path}[{place}]"))

    def _add(self, item: Item) -> None:
        """Keeps it, unless it is there: only webhooks may share a name and a place."""
        known = self._keys.get((item.section.name, item.key))
        if known is not None and item.section is not WEBHOOKS:
            where = f" on line {known}" if known else ""
            self._tell(item.line, item.path, f"{item.title} stands here already{where}.")
            return
        self._keys[item.section.name, item.key] = item.line
        self.items.setdefault(item.section.name, []).append(item)

    def _list(self, node: Node, path: str) -> list[Node]:
        if isinstance(node.value, list):
            return node.value
        self._tell(node.line, path, "This is to be a list; write [] for nothing.")
        return []

    def _known(self, node: Node, path: str, names: Sequence[str]) -> None:
        """Tells of keys that nothing reads: they are mistakes, never left unread."""
        dot = f"{path}." if path else ""
        for one in node.wrong:
            self._tell(one.line, f"{dot}{one.path}", one.sentence)
        for name, value in node.value.items():
            if name not in names:
                shown = name[:80] if name.isprintable() else "…"
                self._tell(
                    value.line, f"{dot}{shown}", f"There is no such key{nearest(name, names)}"
                )

    def _tell(self, line: int, path: str, sentence: str) -> None:
        self.problems.append(Problem(line, path, sentence))
        if len(self.problems) >= ENOUGH:
            raise _TooManyError


# Writing --------------------------------------------------------------------------------------


def _written(item: Item) -> dict[str, Any]:
    """Its fields in their order, without those that say what holds anyway."""
    data = {}
    for one in item.section.fields:
        if one.name not in item.values or one.is_secret:
            continue
        value = item.values[one.name]
        if one.required or value != one.default:
            data[one.name] = one.kind.write(value)
    return data


def _write_lists(document: Document, teams: Iterable[dict[str, Any]]) -> None:
    """Puts members and rules into their teams."""
    members: dict[str, list[Item]] = {}
    rules: dict[str, list[Item]] = {}
    for item in sorted(document.of(MEMBERS), key=_order):
        members.setdefault(item.key[0], []).append(item)
    for item in sorted(document.of(CLAIM_RULES), key=_order):
        rules.setdefault(item.key[0], []).append(item)
    for team in teams:
        name = team["name"]
        if (MEMBERS.name, name) in document.whole:
            held = members.get(name, [])
            for key, maintains in _LISTS.items():
                users = [it.values["user"] for it in held if it.values["maintainer"] == maintains]
                if users or not maintains:
                    team[key] = users
        if (CLAIM_RULES.name, name) in document.whole:
            team[CLAIM_RULES.name] = [
                {key: value for key, value in _written(it).items() if key != "team"}
                for it in rules.get(name, [])
            ]
