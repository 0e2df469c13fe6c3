"""Trees of patterns as automata, which match in proportion to the text and can be walked together:
“what do these rules say of every name in this scope?” has an exact answer.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from portolan.importing.docker_auth.patterns import (
    Characters,
    Choice,
    Edge,
    Row,
    Times,
    Tree,
    Unread,
)

# Of one pattern: a hundred repeated a hundred times would be more.
MOST_STATES = 4_000
# What names of repositories are made of.
ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789._-/"

# When a way that reads nothing may be gone.
_FREE, _AT_START, _AT_END = 0, 1, 2

States = frozenset[int]


@dataclass(slots=True, eq=False)
class Automaton:
    """States are numbers. Built once, then only asked; what was asked before is remembered."""

    silent: list[list[tuple[int, int]]] = field(default_factory=list)
    reading: list[list[tuple[Characters, int]]] = field(default_factory=list)
    last: int = 0
    _steps: dict[tuple[States, str], States] = field(default_factory=dict)
    _accepting: dict[States, bool] = field(default_factory=dict)

    @classmethod
    def of(cls, tree: Tree) -> Automaton:
        """The automaton of a tree; raises Unread for one that is too large."""
        made = cls()
        made.last = made._build(tree, made._state())
        return made

    def start(self) -> States:
        """Where it is before the first character."""
        return self._closure({0}, at_start=True)

    def step(self, states: States, character: str) -> States:
        """Where it is after one more; nowhere, when nothing can match any more."""
        key = (states, character)
        found = self._steps.get(key)
        if found is None:
            moved = {
                to for one in states for wanted, to in self.reading[one] if character in wanted
            }
            found = self._steps[key] = self._closure(moved)
        return found

    def accepts(self, states: States) -> bool:
        """Whether the text may end here, behind one character at least."""
        found = self._accepting.get(states)
        if found is None:
            found = self._accepting[states] = self.last in self._closure(states, at_end=True)
        return found

    def matches(self, text: str) -> bool:
        """Whether it matches all of this text."""
        if not text:
            return self.last in self._closure({0}, at_start=True, at_end=True)
        states = self.start()
        for character in text:
            states = self.step(states, character)
        return self.accepts(states)

    def distinguished(self) -> set[Characters]:
        """All sorts of characters that it tells from others."""
        return {wanted for ways in self.reading for wanted, _to in ways}

    def _closure(
        self, states: Iterable[int], *, at_start: bool = False, at_end: bool = False
    ) -> States:
        reached = set(states)
        waiting = list(reached)
        while waiting:
            for guard, to in self.silent[waiting.pop()]:
                barred = (guard == _AT_START and not at_start) or (guard == _AT_END and not at_end)
                if to not in reached and not barred:
                    reached.add(to)
                    waiting.append(to)
        return frozenset(reached)

    # Building -------------------------------------------------------------------------------------

    def _state(self) -> int:
        if len(self.silent) >= MOST_STATES:
            raise Unread("it is too large")
        self.silent.append([])
        self.reading.append([])
        return len(self.silent) - 1

    def _way(self, begin: int, to: int, guard: int = _FREE) -> None:
        self.silent[begin].append((guard, to))

    def _build(self, tree: Tree, begin: int) -> int:
        """Adds what the tree says from a state on; gives the state where it ends."""
        match tree:
            case Characters():
                end = self._state()
                self.reading[begin].append((tree, end))
            case Edge():
                end = self._state()
                self._way(begin, end, _AT_END if tree.is_end else _AT_START)
            case Row():
                end = begin
                for part in tree.parts:
                    end = self._build(part, end)
            case Choice():
                end = self._state()
                for part in tree.parts:
                    branch = self._state()
                    self._way(begin, branch)
                    self._way(self._build(part, branch), end)
            case Times():
                end = self._repeat(tree, begin)
        return end

    def _repeat(self, tree: Times, begin: int) -> int:
        at, end = begin, self._state()
        for _ in range(tree.least):
            at = self._build(tree.part, at)
        for _ in range((tree.most or 0) - tree.least):
            self._way(at, end)
            at = self._build(tree.part, at)
        if tree.most is None:
            # A state of its own: what comes back must not go other ways that begin here.
            again = self._state()
            self._way(at, again)
            self._way(self._build(tree.part, again), again)
            at = again
        self._way(at, end)
        return end


def representatives(automata: Sequence[Automaton]) -> str:
    """One character for each sort that these automata tell apart."""
    sorts = sorted(
        {one for automaton in automata for one in automaton.distinguished()},
        key=lambda one: (one.negated, sorted(one.named)),
    )
    found: dict[tuple[bool, ...], str] = {}
    for character in ALPHABET:
        found.setdefault(tuple(character in one for one in sorts), character)
    return "".join(found.values())
