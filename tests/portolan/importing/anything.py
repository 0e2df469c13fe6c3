"""Any JSON, with the keys that a source has more often than others.

Made from a number instead of drawn piece by piece: trees of this size cost hypothesis a tenth of a
second each, and an importer has to be shown thousands.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

_ODD = (
    "",
    "a",
    "\ud800",
    "\x00",
    " x ",
    "é",
    "a/b",
    -1,
    0,
    2**70,
    1.5,
    float("nan"),
    True,
    False,
    None,
)
_DEEPEST = 5


def anything(seed: int, keys: Sequence[str], leaves: Sequence[Any]) -> Any:
    """A tree; `leaves` mean something to the source. The first keys are mostly at its top, with
    rows under them."""
    return _Tree(random.Random(seed), keys, (*leaves, *leaves, *_ODD)).whole()


class _Tree:
    def __init__(self, chance: random.Random, keys: Sequence[str], leaves: Sequence[Any]) -> None:
        self._chance, self._keys, self._leaves = chance, keys, leaves

    def whole(self) -> Any:
        if self._chance.random() < 0.1:
            return self._value(0)
        rows = {
            key: [self._mapping(1) for _ in range(self._chance.randrange(5))]
            for key in self._keys[:4]
        }
        return {**rows, **(self._mapping(1) if self._chance.random() < 0.3 else {})}

    def _value(self, depth: int) -> Any:
        sort = self._chance.random()
        if sort < 0.6 or depth > _DEEPEST:
            return self._chance.choice(self._leaves)
        if sort < 0.8:
            return [self._value(depth + 1) for _ in range(self._chance.randrange(4))]
        return self._mapping(depth + 1)

    def _mapping(self, depth: int) -> dict[Any, Any]:
        # Wide at the top only: what is deeper would else be larger than all memory.
        count = self._chance.randrange(len(self._keys) if depth < 2 else 4)
        return {key: self._value(depth) for key in self._chance.sample(self._keys, count)}
