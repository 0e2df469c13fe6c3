"""What rules say of all names in a scope at once, without a list of names.

The rules' automata and that of the scope are walked together over every name that there could be. The
first rule that surely matches decides; what matches perhaps can only take away.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from functools import lru_cache

from portolan.importing import names
from portolan.importing.docker_auth import patterns
from portolan.importing.docker_auth.automata import Automaton, States, representatives
from portolan.importing.docker_auth.rules import ALL, Rule
from portolan.importing.docker_auth.subjects import Judged

# Beyond this nobody understands such rules either.
MOST_WALKED = 20_000


class TooTangled(ValueError):  # noqa: N818  named for what it is
    """The rules tell more cases apart than are walked."""


@lru_cache(maxsize=65_536)
def scope(path: str) -> Automaton:
    """The names that Portolan's scope has: all, below `team/*`, or just one."""
    rest = f"{names.COMPONENT}(/{names.COMPONENT})*".replace("?:", "")
    if path and not path.endswith("/*"):
        return Automaton.of(patterns.regex(f"^{patterns.quoted(path)}$"))
    return Automaton.of(patterns.regex(f"^{patterns.quoted(path.removesuffix('*'))}({rest})$"))


def everywhere(path: str, rules: Sequence[Judged]) -> frozenset[str]:
    """Which of pull, push and delete the rules give on every single name in the scope."""
    automata = [scope(path), *(one.names.automaton for one in rules)]
    given = ALL
    for _name, states in _walk(automata):
        given &= _decided(rules, automata, states)
        if not given:
            break
    return given


def on_name(name: str, rules: Sequence[Judged]) -> frozenset[str]:
    """Which of pull, push and delete the rules give on one name."""
    given = ALL
    for one in rules:
        if name.startswith(one.names.begins) and one.names.automaton.matches(name):
            given &= one.rule.on_repositories
            if one.is_sure:
                return given
    return frozenset()


def _decided(
    rules: Sequence[Judged], automata: Sequence[Automaton], states: Sequence[States]
) -> frozenset[str]:
    given = ALL
    for one, automaton, at in zip(rules, automata[1:], states[1:], strict=True):
        if automaton.accepts(at):
            given &= one.rule.on_repositories
            if one.is_sure:
                return given
    # No rule for it at all.
    return frozenset()


def missing(
    rules: Sequence[Judged], granted: Sequence[tuple[str, frozenset[str]]]
) -> dict[Rule, tuple[frozenset[str], str]]:
    """What rules that surely match give and none of the granted scopes has: the actions, and a name
    that shows it."""
    sure = [one for one in rules if one.is_sure]
    automata = [
        scope(""),
        *(one.names.automaton for one in sure),
        *(scope(path) for path, _it in granted),
    ]
    behind = len(sure) + 1
    found: dict[Rule, tuple[frozenset[str], str]] = {}
    for name, states in _walk(automata):
        first = next(
            (one for at, one in enumerate(sure, 1) if automata[at].accepts(states[at])), None
        )
        if first is None:
            continue
        held: set[str] = set()
        for at, (_path, actions) in enumerate(granted, behind):
            if automata[at].accepts(states[at]):
                held |= actions
        if lacking := first.rule.on_repositories - held:
            known, example = found.get(first.rule, (frozenset(), name))
            found[first.rule] = (known | lacking, example)
    return found


def _walk(automata: Sequence[Automaton]) -> Iterator[tuple[str, tuple[States, ...]]]:
    """Every different place in which the first of the automata accepts, with a name that leads there,
    the shortest first. Raises TooTangled."""
    characters = representatives(automata)
    begin = tuple(one.start() for one in automata)
    waiting, seen = deque([("", begin)]), {begin}
    while waiting:
        name, states = waiting.popleft()
        for character in characters:
            moved = tuple(
                one.step(at, character) if at else at
                for one, at in zip(automata, states, strict=True)
            )
            if not moved[0] or moved in seen:
                continue
            if len(seen) >= MOST_WALKED:
                raise TooTangled
            seen.add(moved)
            waiting.append((name + character, moved))
            if automata[0].accepts(moved[0]):
                yield name + character, moved
