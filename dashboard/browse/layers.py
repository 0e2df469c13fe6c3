"""An image's layers beside the build steps that made them. Values in, values out."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

# "/bin/sh -c #(nop) CMD …" is the old builder's way to write an instruction, "|1 A=b /bin/sh -c"
# its way to write a RUN with arguments; BuildKit marks its own.
_NOP = re.compile(r"^/bin/sh -c #\(nop\)\s*")
_RUN = re.compile(r"^(?:RUN )?(?:\|\d+ .*?)?/bin/sh -c ")
_BUILDKIT = re.compile(r"\s*# buildkit$")


@dataclass(frozen=True, slots=True)
class Layer:
    """A layer as its manifest names it; `size` in compressed bytes."""

    digest: str
    size: int
    media_type: str
    is_shared: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """A build step and the layer it left, if any; `share` is its part of the largest, in percent."""

    command: str
    layer: Layer | None
    number: int = 0
    share: float = 0.0


def align(layers: Sequence[Layer], history: Sequence[Mapping[str, Any]]) -> list[Step]:
    """The steps in order, each with its layer.

    A history whose steps do not match the layers (some tools write none, or lie) is not believed:
    the layers then stand alone. OCI Image specification 1.1, "Image Configuration", `history`.
    """
    largest = max((layer.size for layer in layers), default=0) or 1
    making = [step for step in history if not step.get("empty_layer")]
    if len(making) != len(layers):
        history = [{} for _ in layers]
    steps: list[Step] = []
    left = iter(enumerate(layers, start=1))
    for entry in history:
        command = readable(entry.get("created_by") or entry.get("comment") or "")
        if entry.get("empty_layer"):
            steps.append(Step(command, None))
        else:
            number, layer = next(left)
            steps.append(Step(command, layer, number, round(100 * layer.size / largest, 2)))
    return steps


def readable(command: str) -> str:
    """A build step as its Dockerfile had it, as far as that can be told."""
    command = _BUILDKIT.sub("", command.strip())
    if _NOP.match(command):
        return _NOP.sub("", command).strip()
    return _RUN.sub("RUN ", command)
