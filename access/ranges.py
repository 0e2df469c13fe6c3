"""Paths that lie in scopes, as conditions that an index on (registry, path) answers."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain
from typing import Any

from django.db.models import BooleanField, F, Func, Q
from django.db.models.sql.compiler import SQLCompiler

from access.scopes import Extent, Scope


def paths_in(scopes: Iterable[Scope], path: str = "path") -> Q:
    """The condition on the paths of one registry, whose scopes these are; `path` names the field."""
    exact, ranges = [], []
    for scope in scopes:
        match scope.extent:
            case Extent.PATTERN:
                ranges.append(below(scope.prefix))
            case Extent.REPOSITORY:
                exact.append(scope.path)
            case _:
                return Q()
    one_of = Q(**{f"{path}__in": exact})
    return one_of | Q(_InRanges(path, tuple(ranges))) if ranges else one_of


def below(prefix: str) -> tuple[str, str]:
    """From where, and before what, all paths lie that begin with this prefix and its slash."""
    # "/" + 1 is "0", by byte order (collation C).
    return prefix, f"{prefix[:-1]}0"


class _InRanges(Func):
    """Whether a path lies in one of these (from, before).

    The same as many Q objects, and the same plan; Django takes milliseconds to compile fifty.
    """

    output_field = BooleanField()

    def __init__(self, path: str, ranges: tuple[tuple[str, str], ...]) -> None:
        super().__init__(F(path))
        self.ranges = ranges

    def as_sql(
        self, compiler: SQLCompiler, *_args: Any, **_context: Any
    ) -> tuple[str, tuple[str, ...]]:
        (path,) = (compiler.compile(one)[0] for one in self.get_source_expressions())
        one = f"({path} >= %s AND {path} < %s)"
        return f"({' OR '.join([one] * len(self.ranges))})", tuple(chain.from_iterable(self.ranges))
