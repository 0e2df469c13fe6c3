"""What all texts of a pattern begin with: which scopes are worth asking about."""

from __future__ import annotations

from collections.abc import Iterator

from portolan.importing import names
from portolan.importing.docker_auth.patterns import (
    EVERY,
    Characters,
    Choice,
    Edge,
    Row,
    Times,
    Tree,
)

_MOST = 200
_LARGEST_CLASS = 12


def beginnings(tree: Tree) -> tuple[str, ...]:
    """Every text that matches begins with one of these; the empty one says nothing."""
    found, _is_whole = _begin(tree)
    return tuple(sorted(found)) if len(found) <= _MOST else ("",)


def candidates(begins: Iterator[str] | tuple[str, ...]) -> Iterator[str]:
    """Paths of scopes, all of the registry besides, that such names may fill."""
    for text in begins:
        parts = text.split("/")
        for end in range(1, len(parts) + 1):
            above = "/".join(parts[:end])
            if names.is_repository(above):
                yield f"{above}/*"
                yield above


def _begin(tree: Tree) -> tuple[set[str], bool]:
    """The beginnings, and whether they are whole texts: then what follows may be put behind them."""
    match tree:
        case Characters():
            small = not tree.negated and len(tree.named) <= _LARGEST_CLASS
            return (set(tree.named), True) if small else ({""}, False)
        case Edge():
            return {""}, True
        case Choice():
            found = [_begin(part) for part in tree.parts]
            return set().union(*(texts for texts, _it in found)), all(it for _texts, it in found)
        case Row():
            return _row(tree)
        case Times():
            texts, is_whole = _begin(tree.part)
            if tree.least == 0:
                texts = texts | {""}
            return texts, is_whole and tree.most == 1
    raise AssertionError(tree)


def _row(row: Row) -> tuple[set[str], bool]:
    match row.parts:
        case (Times(part=first), inner, Times(part=last)) if first == last == EVERY:
            # A search: it says where a text begins only if it is bound to the beginning.
            bound = _bound(inner)
            return ({""}, False) if bound is None else (_begin(bound)[0], False)
    texts = {""}
    for part in row.parts:
        more, is_whole = _begin(part)
        texts = {text + end for text in texts for end in more}
        if len(texts) > _MOST:
            return {""}, False
        if not is_whole:
            return texts, False
    return texts, True


def _bound(tree: Tree) -> Tree | None:
    """What follows the beginning of the text; none where it may stand elsewhere."""
    match tree:
        case Choice():
            parts = [_bound(part) for part in tree.parts]
            found = tuple(part for part in parts if part is not None)
            return Choice(found) if len(found) == len(parts) else None
        case Row(parts=(Edge(is_end=False), *rest)):
            return Row(tuple(rest))
        case Row(parts=(Row() | Choice() as first, *rest)):
            inner = _bound(first)
            return None if inner is None else Row((inner, *rest))
    return None
