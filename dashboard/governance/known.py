"""Whether what a document names is there, or is made by the document itself. Read set by set."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from access.models import Role, ServicePrincipal, Team, User
from access.policy import Rights
from access.scopes import Scope
from dashboard.governance.changes import Change
from dashboard.governance.document import Document, Item, Key
from dashboard.governance.kinds import nearest
from dashboard.governance.problems import TOLD, Problem
from dashboard.governance.sections import (
    GRANTS,
    REGISTRIES,
    ROLES,
    SECTIONS,
    SERVICE_PRINCIPALS,
    TEAMS,
)
from dashboard.governance.state import State
from registries.models import Registry

PEOPLE = "people"
_SORTS = {"user": PEOPLE, "team": TEAMS.name, "sp": SERVICE_PRINCIPALS.name}
_WORDS = {
    REGISTRIES.name: "registry",
    ROLES.name: "role",
    TEAMS.name: "team",
    SERVICE_PRINCIPALS.name: "service principal",
}


@dataclass(frozen=True, slots=True)
class Mention:
    """A name in a field of a thing, and of which sort it is."""

    field: str
    sort: str
    name: str


def mentions(item: Item) -> Iterator[Mention]:
    """What a thing names besides itself."""
    values = item.values
    match item.section.name:
        case "mirrors":
            yield from (_of_scope(values[end], end) for end in ("source", "target"))
        case "members":
            yield Mention("", PEOPLE, values["user"])
        case "trust_rules":
            yield Mention("service_principal", SERVICE_PRINCIPALS.name, values["service_principal"])
        case "grants":
            kind, colon, name = values["principal"].partition(":")
            if colon:
                yield Mention("principal", _SORTS[kind], name)
            yield Mention("role", ROLES.name, values["role"])
            yield _of_scope(values["scope"], "scope")
        case "admin_accounts":
            yield Mention("registry", REGISTRIES.name, values["registry"])
        case "webhooks":
            yield _of_scope(values["where"].partition(":")[0], "where")
    if values.get("team") and not item.section.parent:
        yield Mention("team", TEAMS.name, values["team"])


def _of_scope(text: str, field: str) -> Mention:
    return Mention(field, REGISTRIES.name, Scope.parse(text).registry or "")


def missing(
    document: Document,
    rights: Rights,
    deleted: Sequence[Change],
    *,
    untold: Collection[tuple[str, Key]] = (),
) -> Iterator[Problem]:
    """What is named and neither there nor made; `deleted` is what will not be there any more, and of
    what `untold` things (by section and key) name nothing is said."""
    named = [
        (item, mention)
        for section in SECTIONS.values()
        for item in document.of(section)
        if (section.name, item.key) not in untold
        for mention in mentions(item)
        if mention.name
    ]
    there = _there({(one.sort, one.name) for _item, one in named}, rights)
    there -= {(one.section.name, one.item.key[0]) for one in deleted}
    for section in (REGISTRIES, ROLES, TEAMS, SERVICE_PRINCIPALS):
        there |= {(section.name, item.key[0]) for item in document.of(section)}
    known: dict[str, list[str]] = {}
    for sort, name in sorted(there):
        known.setdefault(sort, []).append(name)
    absent = [(item, one) for item, one in named if (one.sort, one.name) not in there]
    for place, (item, one) in enumerate(absent):
        # Of more than are told, nobody reads what was meant.
        meant = known.get(one.sort, []) if place < TOLD else []
        yield item.problem(_sentence(one, meant), one.field)


def _there(named: set[tuple[str, str]], rights: Rights) -> set[tuple[str, str]]:
    """Those of the names that there are, as (sort, name): a registry only if one may know of it."""
    wanted: dict[str, set[str]] = {}
    for sort, name in named:
        wanted.setdefault(sort, set()).add(name)
    found = {
        PEOPLE: User.objects.filter(username__in=wanted.get(PEOPLE, ())).values_list(
            "username", flat=True
        ),
        TEAMS.name: Team.objects.filter(name__in=wanted.get(TEAMS.name, ())).values_list(
            "name", flat=True
        ),
        SERVICE_PRINCIPALS.name: ServicePrincipal.objects.filter(
            name__in=wanted.get(SERVICE_PRINCIPALS.name, ())
        ).values_list("name", flat=True),
        # All of them, to say what was meant: what roles there are everybody may know.
        ROLES.name: Role.objects.values_list("name", flat=True) if ROLES.name in wanted else (),
        REGISTRIES.name: [
            name
            for name in Registry.objects.filter(
                name__in=wanted.get(REGISTRIES.name, ())
            ).values_list("name", flat=True)
            if any(one.scope.touches(Scope(name)) for one in rights.entitlements)
        ],
    }
    return {(sort, name) for sort, names in found.items() for name in names}


def _sentence(one: Mention, known: list[str]) -> str:
    if one.sort == PEOPLE:
        return (
            f"There is nobody of the user name “{one.name}”. People are not made by files: invite"
            " this person, or let single sign-on bring him; then plan again."
        )
    told = nearest(one.name, known) if known else "."
    return f"There is no {_WORDS[one.sort]} “{one.name}”{told}"


def still_used(document: Document, state: State, deleted: Sequence[Change]) -> Iterator[Problem]:
    """Teams and roles that are to go while something has them that the document does not name."""
    gone = {(one.section.name, one.item.key[0]) for one in deleted}
    if not any(sort in (TEAMS.name, ROLES.name) for sort, _name in gone):
        return
    going = {(one.section.name, one.item.key) for one in deleted}
    for section, field, sort in (
        (SERVICE_PRINCIPALS, "team", TEAMS.name),
        (GRANTS, "role", ROLES.name),
    ):
        named = {item.key for item in document.of(section)}
        for row in state.of(section):
            key, name = row.item.key, row.item.values[field]
            if (sort, name) in gone and key not in named and (section.name, key) not in going:
                sentence = (
                    f"The {_WORDS[sort]} “{name}” is to go, and “{row.item.title}” still has it."
                )
                yield Problem(0, section.name, sentence)
