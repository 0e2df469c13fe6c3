"""Whom a rule of docker_auth's is for: surely, perhaps, or not at all.

Besides accounts there are two subjects that stand for many: everybody, and everybody with a label (the
members of a group). For them a rule that names an account is a “perhaps”. What only perhaps matches can
take rights away (it may come first), and never gives any.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import product

from portolan.importing.docker_auth import patterns
from portolan.importing.docker_auth.automata import Automaton
from portolan.importing.docker_auth.beginnings import beginnings
from portolan.importing.docker_auth.patterns import EVERY, Choice, Row, Times, Tree, Unread
from portolan.importing.docker_auth.rules import Rule

_MOST_WAYS = 50


@dataclass(frozen=True, slots=True, eq=False)
class Names:
    """The names that a rule is for; each begins with one of `begins`."""

    automaton: Automaton
    begins: tuple[str, ...] = ("",)


ALWAYS = Names(Automaton.of(Times(EVERY)))


@dataclass(frozen=True, slots=True)
class Subject:
    """`account` is none for one that stands for many. `knows_labels` says that it has no others."""

    account: str | None
    labels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    knows_labels: bool = True


@dataclass(frozen=True, slots=True)
class Judged:
    """A rule as it is for a subject: on which names, and whether it surely matches them. `why` is
    what makes it a perhaps."""

    rule: Rule
    names: Names
    is_sure: bool = True
    why: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """What is asked of docker_auth: a type, and what it calls the registry, if that is known."""

    type: str
    service: str | None = None
    deep: bool = False


def judge(rule: Rule, subject: Subject, place: Place) -> Judged | None:
    """The rule for this subject; none, if it is never for it."""
    why = ""
    for matches, reason in _conditions(rule, subject, place):
        if matches is False:
            return None
        if matches is None:
            why = why or reason
    names, reason = _names(rule, subject, place)
    return Judged(rule, names, is_sure=not (why or reason), why=why or reason)


def _conditions(rule: Rule, subject: Subject, place: Place) -> Iterator[tuple[bool | None, str]]:
    """Whether each condition but the name is met; None is perhaps, and why."""
    yield _filled(rule.type, place.type, subject, place), "its type is not read"
    yield _account(rule, subject, place), "it is for some accounts only"
    if rule.service is not None:
        met = None
        if place.service is not None:
            met = _filled(rule.service, place.service, subject, place)
        yield met, "it is for one service: name this registry's with --service"
    if rule.ip is not None:
        yield None, "it is for some addresses of callers only, which no grant says"
    if rule.others:
        yield None, f"nothing is known of its condition {rule.others[0]!r}"
    for name, wanted in rule.labels:
        yield _label(subject, name, wanted, place), f"who has the label {name} is not known"


def _account(rule: Rule, subject: Subject, place: Place) -> bool | None:
    if rule.account is None or rule.account in ("/.*/", "/^.*$/"):
        return True
    if subject.account is None:
        return None
    return _filled(rule.account, subject.account, subject, place)


def _label(subject: Subject, name: str, wanted: str, place: Place) -> bool | None:
    found = [_filled(wanted, held, subject, place) for held in subject.labels.get(name, ())]
    if any(found):
        return True
    return False if subject.knows_labels and None not in found else None


def _filled(pattern: str | None, text: str, subject: Subject, place: Place) -> bool | None:
    """Whether a condition's pattern matches a text; None where that is not known."""
    if pattern is None:
        return True
    filled = _fill(pattern, subject, place)
    if filled is None or "${" in filled:
        return None
    read = _read((filled,))
    return read.automaton.matches(text) if isinstance(read, Names) else None


def _fill(pattern: str, subject: Subject, place: Place) -> str | None:
    """The pattern with what is known put in; None where it needs what is not."""
    if "${account}" in pattern and subject.account is None:
        return None
    if subject.account is not None:
        pattern = pattern.replace("${account}", patterns.quoted(subject.account))
    pattern = pattern.replace("${type}", patterns.quoted(place.type))
    if place.service is not None:
        pattern = pattern.replace("${service}", patterns.quoted(place.service))
    return pattern


# Names ------------------------------------------------------------------------------------------


def _names(rule: Rule, subject: Subject, place: Place) -> tuple[Names, str]:
    """Which names the rule is for, and, if that is not known, why."""
    if rule.name is None:
        return ALWAYS, ""
    filled = _fill(rule.name, subject, place)
    if filled is None:
        return ALWAYS, "its name has the account in it, of whom there are many"
    ways = _with_labels(filled, subject)
    if ways is None:
        return ALWAYS, "its name has something in it that is not known"
    found = _read(ways, deep=place.deep)
    return (ALWAYS, f"its name is not read: {found}") if isinstance(found, str) else (found, "")


def _with_labels(pattern: str, subject: Subject) -> tuple[str, ...] | None:
    """The pattern with each label's values put in, as patterns; None where not all are known."""
    if "${" not in pattern:
        return (pattern,)
    used = {f"${{labels:{name}}}": held for name, held in subject.labels.items()}
    used = {mark: held for mark, held in used.items() if mark in pattern}
    count = 1
    for held in used.values():
        count *= len(held)
    if not subject.knows_labels or not used or not 0 < count <= _MOST_WAYS:
        return None
    ways = []
    for chosen in product(*used.values()):
        way = pattern
        for mark, value in zip(used, chosen, strict=True):
            # Left as they are: docker_auth does not quote the values of labels.
            way = way.replace(mark, value)
        ways.append(way)
    return None if any("${" in way for way in ways) else tuple(ways)


@lru_cache(maxsize=4096)
def _read(ways: tuple[str, ...], *, deep: bool = False) -> Names | str:
    """What any of these patterns matches; or why that is not known."""
    try:
        tree = Choice(tuple(_tree(way, deep=deep) for way in ways))
        return Names(Automaton.of(tree), beginnings(tree))
    except Unread as error:
        return str(error)


def _tree(pattern: str, *, deep: bool = False) -> Tree:
    """The tree of a pattern; `deep` takes one level below a name for all that is below it."""
    is_level = pattern == "*" or pattern.endswith("/*")
    if deep and is_level and not patterns.is_regex(pattern) and not pattern.endswith("\\/*"):
        return Row((patterns.read(pattern[:-1]), EVERY, Times(EVERY)))
    return patterns.read(pattern)
