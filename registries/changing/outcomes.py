"""What comes of asking a registry for a change: done or refused, in words, and told of."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from django.utils import timezone

from registries import events
from registries.actor import Actor
from registries.connection_checks import PATIENCE
from registries.connectors import Connector, connect
from registries.models import Registry, Repository
from registries.oci.connection import Connection
from registries.oci.errors import NotFound, RegistryError
from registries.transactions import durable

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one change. With a `problem` it was not made, and `advice` says what to do.

    `was_gone` says that the registry did not have it any more, `lingers` that it took the order and
    shows the thing all the same: some take their time. `is_other` is a problem of another kind: the
    registry was not asked, because the name stands for something else by now.
    """

    name: str
    problem: str = ""
    advice: str = ""
    was_gone: bool = False
    lingers: bool = False
    is_other: bool = False

    @property
    def is_done(self) -> bool:
        return not self.problem

    @property
    def is_new(self) -> bool:
        """Whether it was done by this very order."""
        return self.is_done and not self.was_gone


def asked(
    registry: Registry, what: Callable[[Connector], Awaitable[Value]]
) -> Value | RegistryError:
    """What comes of asking the registry, its refusal included. Somebody waits: it is asked once."""

    async def run(connection: Connection) -> Value:
        async with connect(registry.kind, connection) as connector:
            return await what(connector)

    try:
        return asyncio.run(run(replace(registry.connection(), limits=PATIENCE)))
    except RegistryError as error:
        return error


def outcome_of(name: str, answer: RegistryError | None) -> Outcome:
    """What an answer comes to; what the registry proves not to have needs no deleting any more."""
    if isinstance(answer, NotFound) and answer.is_proof:
        return Outcome(name, was_gone=True)
    return Outcome(name) if answer is None else refused(name, answer)


def refused(name: str, error: RegistryError) -> Outcome:
    """The refusal, with what can be done about it."""
    return Outcome(name, str(error), error.advice)


@durable
def tell(
    repository: Repository,
    made: Sequence[events.Event],
    outcomes: Iterable[Outcome],
    actor: Actor,
) -> None:
    """Keep who had it done, and what was refused to whom."""
    name, path = repository.registry.name, repository.path
    refused = [
        events.ChangeRefused(name, timezone.now(), path, one.name, one.problem)
        for one in outcomes
        if not one.is_done
    ]
    events.emit([*made, *refused], actor=actor)
