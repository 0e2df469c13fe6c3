"""What is different between two images. Values in, values out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dashboard.browse.layers import Step

SAME, ADDED, REMOVED, CHANGED = "same", "added", "removed", "changed"


@dataclass(frozen=True, slots=True)
class LayerChange:
    """A layer of either image and whether it is in both; `share` is its part of the largest."""

    state: str
    step: Step
    share: float


@dataclass(frozen=True, slots=True)
class LayerDifference:
    """The layers of both images: those that went, then the new image's own, in order."""

    changes: Sequence[LayerChange]
    shared_bytes: int
    added_bytes: int
    removed_bytes: int

    @classmethod
    def between(cls, before: Sequence[Step], after: Sequence[Step]) -> LayerDifference:
        old = {step.layer.digest: step for step in before if step.layer}
        new = {step.layer.digest: step for step in after if step.layer}
        largest = max((_size(step) for step in (*old.values(), *new.values())), default=0) or 1
        changes = [
            *((REMOVED, step) for digest, step in old.items() if digest not in new),
            *((SAME if digest in old else ADDED, step) for digest, step in new.items()),
        ]
        return cls(
            [LayerChange(state, step, 100 * _size(step) / largest) for state, step in changes],
            shared_bytes=_bytes(changes, SAME),
            added_bytes=_bytes(changes, ADDED),
            removed_bytes=_bytes(changes, REMOVED),
        )


@dataclass(frozen=True, slots=True)
class ValueChange:
    """A named value before and after; None where it was not there."""

    name: str
    before: str | None
    after: str | None
    is_secret: bool = False

    @property
    def state(self) -> str:
        if self.before is None:
            return ADDED
        if self.after is None:
            return REMOVED
        return SAME if self.before == self.after else CHANGED


def changed_values(before: Mapping[str, str], after: Mapping[str, str]) -> list[ValueChange]:
    """The names whose values are not the same in both, in order."""
    pairs = (
        ValueChange(name, before.get(name), after.get(name)) for name in sorted({*before, *after})
    )
    return [pair for pair in pairs if pair.state != SAME]


def _size(step: Step) -> int:
    return step.layer.size if step.layer else 0


def _bytes(changes: Sequence[tuple[str, Step]], state: str) -> int:
    return sum(_size(step) for kind, step in changes if kind == state)
