"""Registries as lists and the overview show them to somebody: each with what he may know of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from access.actions import Action
from access.policy import Someone, rights_of
from access.scopes import Scope
from dashboard.runs.latest import latest_runs
from dashboard.totals import Held, Totals, held_in
from registries.models import Registry, SyncRun


@dataclass(frozen=True, slots=True)
class Card:
    """A registry with what is seen of it. Who may not read all of it (`may_read`) gets no `run` and
    is told no reason why something went wrong: both name repositories."""

    registry: Registry
    held: Held
    run: SyncRun | None
    may_read: bool
    may_manage: bool


def totals_on(cards: Sequence[Card]) -> Totals:
    """The sums over these cards."""
    return Totals(len(cards), sum((card.held for card in cards), Held()))


def cards_of(registries: Sequence[Registry], somebody: Someone) -> list[Card]:
    """A card each, in order; one query, and two more for who sees only parts."""
    rights = rights_of(somebody)
    readable = {
        registry.pk: registry
        for registry in registries
        if rights.may(Action.REGISTRY_READ, Scope(registry.name))
    }
    runs = latest_runs(readable.values())
    held = held_in(registries, somebody)
    return [
        Card(
            registry,
            held[registry.pk],
            runs.get(registry.pk),
            may_read=registry.pk in readable,
            may_manage=rights.may(Action.REGISTRY_MANAGE, Scope(registry.name)),
        )
        for registry in registries
    ]
