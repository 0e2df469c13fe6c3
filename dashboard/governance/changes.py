"""What differs between what a document wants and what is there. Values only; nothing asks anybody."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from access.scopes import Scope
from dashboard.governance.document import Document, Item, Key
from dashboard.governance.sections import (
    REGISTRIES,
    SECTIONS,
    SERVICE_PRINCIPALS,
    TEAMS,
    Section,
)
from dashboard.governance.state import Row, State


class Verb(StrEnum):
    """What is done to a thing."""

    CREATE = "create"
    CHANGE = "change"
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class FieldChange:
    """A field, and what people read of it before and after; of a secret only where it comes from."""

    name: str
    old: str
    new: str
    is_secret: bool = False


@dataclass(frozen=True, slots=True)
class Change:
    """A thing to be made, changed or removed. `item` is it as wanted (of one to be removed, as it
    is), `row` what is there."""

    verb: Verb
    item: Item
    fields: tuple[FieldChange, ...] = ()
    row: Row | None = field(default=None, compare=False, repr=False)

    @property
    def section(self) -> Section:
        return self.item.section

    @property
    def name(self) -> str:
        return self.item.title

    @property
    def told(self) -> tuple[object, ...]:
        """What makes two changes the same to who looked at a plan."""
        return (self.verb, self.section.name, self.item.key, self.fields)

    def as_data(self) -> dict[str, Any]:
        """It as JSON's values."""
        return {
            "verb": str(self.verb),
            "section": self.section.name,
            "name": self.name,
            "fields": [{"name": one.name, "old": one.old, "new": one.new} for one in self.fields],
        }


# The secrets of a thing that differ from what is stored.
SecretsOf = Callable[[Item, Row | None], Sequence[FieldChange]]


def compare(
    document: Document, state: State, secrets: SecretsOf
) -> tuple[list[Change], list[Change]]:
    """What is to be made or changed, and what the document leaves out of what it names all of; each
    in the order in which it can be done."""
    wanted: list[Change] = []
    unnamed: list[Change] = []
    gone: set[tuple[str, str]] = set()
    for section in SECTIONS.values():
        pairs, rest = _paired(document.of(section), state.of(section))
        for item, row in pairs:
            if (change := _change(item, row, secrets)) is not None:
                wanted.append(change)
        for row in rest:
            if document.names_all(section, row.item.key) or gone & set(_lies_in(row.item)):
                gone.add((section.name, row.item.key[0]))
                unnamed.append(Change(Verb.DELETE, row.item, row=row))
    # What is removed with its team needs no line of its own.
    teams = {change.item.key for change in unnamed if change.section is TEAMS}
    left = [one for one in unnamed if not (one.section.parent and one.item.key[:1] in teams)]
    return wanted, left[::-1]


def _paired(
    items: Iterable[Item], rows: Iterable[Row]
) -> tuple[list[tuple[Item, Row | None]], list[Row]]:
    """Each wanted thing with the one there that has its key, and what is left over. Where several
    share a key (webhooks may), equals find each other first."""
    there: defaultdict[Key, list[Row]] = defaultdict(list)
    for row in rows:
        there[row.item.key].append(row)
    pairs: list[tuple[Item, Row | None]] = []
    waiting: list[Item] = []
    for item in items:
        same = there.get(item.key)
        if same and len(same) > 1:
            found = next((row for row in same if not _differences(item, row.item)), None)
            if found is None:
                waiting.append(item)
                continue
            same.remove(found)
            pairs.append((item, found))
        else:
            pairs.append((item, same.pop() if same else None))
    pairs += [(item, there[item.key].pop() if there[item.key] else None) for item in waiting]
    return pairs, [row for same in there.values() for row in same]


def _change(item: Item, row: Row | None, secrets: SecretsOf) -> Change | None:
    if row is None:
        if item.section.name == "admin_accounts" and not item.values["enabled"]:
            return None  # it is off already
        return Change(Verb.CREATE, item, (*_said(item), *secrets(item, None)))
    fields = (*_differences(item, row.item), *secrets(item, row))
    return Change(Verb.CHANGE, item, fields, row) if fields else None


def _differences(wanted: Item, there: Item) -> list[FieldChange]:
    return [
        FieldChange(one.name, one.kind.show(old), one.kind.show(new))
        for one in wanted.section.fields
        if not one.is_secret
        and not one.hint
        and (old := there.values[one.name]) != (new := wanted.values[one.name])
    ]


def _said(item: Item) -> list[FieldChange]:
    """What is said of a new thing beyond its name."""
    return [
        FieldChange(one.name, "", one.kind.show(item.values[one.name]))
        for one in item.section.fields
        if one.name in item.values
        and not one.is_secret
        and one.name not in item.section.key
        and (one.required or item.values[one.name] != one.default)
    ]


def _lies_in(item: Item) -> Iterable[tuple[str, str]]:
    """What it goes with, if that is removed: as (section, name)."""
    values = item.values
    match item.section.name:
        case "mirrors":
            yield from (_registry(values["source"]), _registry(values["target"]))
        case "trust_rules":
            yield SERVICE_PRINCIPALS.name, values["service_principal"]
        case "grants":
            kind, _colon, name = values["principal"].partition(":")
            yield {"team": TEAMS.name, "sp": SERVICE_PRINCIPALS.name}.get(kind, "people"), name
            yield _registry(values["scope"])
        case "webhooks":
            yield _registry(values["where"].partition(":")[0])
        case "admin_accounts":
            yield REGISTRIES.name, values["registry"]
        case "members" | "claim_rules":
            yield TEAMS.name, values["team"]


def _registry(scope: str) -> tuple[str, str]:
    return REGISTRIES.name, Scope.parse(scope).registry or "*"
