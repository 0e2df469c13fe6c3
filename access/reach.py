"""Rows that have a scope of their own (grants, requests, reviews), by where they lie."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import Q

from access.scopes import Extent, Scope


def lying_in(scopes: Iterable[Scope]) -> Q:
    """The condition on rows whose `registry` and `path` lie in any of the scopes; no scope, no row."""
    condition = Q(pk__in=())
    for scope in scopes:
        if scope.registry is None:
            # Not the empty Q(): beside an "or" that would vanish, instead of holding for all.
            return Q(pk__isnull=False)
        condition |= _one(scope)
    return condition


def exactly(scope: Scope) -> Q:
    """The condition on rows that have this very scope."""
    if scope.registry is None:
        return Q(registry__isnull=True)
    return Q(registry__name=scope.registry, path=scope.path)


def _one(scope: Scope) -> Q:
    here = Q(registry__name=scope.registry)
    match scope.extent:
        case Extent.PATTERN:
            return here & Q(path__startswith=scope.prefix)
        case Extent.REPOSITORY:
            return here & Q(path=scope.path)
        case _:
            return here
