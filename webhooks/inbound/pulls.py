"""Which notifications of pulls are pulls, and of what. Pure: lists in, values out.

docker and containerd ask for a tag by HEAD and then for its digest by GET, and Distribution tells of
both as pulls. A HEAD alone only looked whether there is something newer, so it counts for nothing;
what it knows, the tag, is credited to the GET that follows from the same client. After an index the
client gets the image of its platform: a pull of that image, too, and not another one of a person's.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol, TypeAlias

from registries.actor import Actor
from registries.usage import Pull

# A GET that comes later than this after its HEAD is not its second half.
PAIR = timedelta(seconds=10)

# By digest of an index, the digests of its children.
Children: TypeAlias = Mapping[str, Collection[str]]


class Told(Protocol):
    """As the model has it."""

    @property
    def repository(self) -> str: ...
    @property
    def tag(self) -> str: ...
    @property
    def digest(self) -> str: ...
    @property
    def agent(self) -> str: ...
    @property
    def address(self) -> str: ...
    @property
    def method(self) -> str: ...
    @property
    def occurred_at(self) -> datetime | None: ...
    @property
    def received_at(self) -> datetime: ...


def paired(
    told: Sequence[Told], earlier: Sequence[Told], children: Children, actors: Sequence[Actor]
) -> list[Pull | None]:
    """For each that was told, the pull that it is, None for a HEAD.

    `earlier` are some that were handled before, in which a GET may find its HEAD.
    """
    clients: dict[tuple[str, str, str], list[Told]] = defaultdict(list)
    for it in (*earlier, *told):
        clients[_client(it)].append(it)
    return [
        None if is_look(it) else _pull(it, clients[_client(it)], children, actor)
        for it, actor in zip(told, actors, strict=True)
    ]


def is_look(told: Told) -> bool:
    return told.method == "HEAD"


def happened_at(told: Told) -> datetime:
    """When, by the sender's clock, which may be wrong: never later than we heard of it."""
    return min(told.occurred_at or told.received_at, told.received_at)


def _pull(told: Told, by_client: Sequence[Told], children: Children, actor: Actor) -> Pull:
    # In which order the two were told is left open: senders of several processes reorder them.
    near = [
        it for it in by_client if it is not told and abs(it.received_at - told.received_at) <= PAIR
    ]
    if not (told.agent or told.address):  # nobody knows whether it is the same client
        near = []
    tag = told.tag
    if not tag:
        heads = [it for it in near if is_look(it) and it.tag and it.digest == told.digest]
        tag = max(heads, key=lambda it: it.received_at).tag if heads else ""
    is_part = not tag and any(
        not is_look(it) and told.digest in children.get(it.digest, ()) for it in near
    )
    return Pull(told.repository, tag, told.digest, happened_at(told), actor, is_part)


def _client(told: Told) -> tuple[str, str, str]:
    """The same program at the same address, of the same repository."""
    return told.repository, told.agent, told.address
