"""What happened, as values, and `emit`: the only business signal of the product.

Emitted inside the transaction of the change, so receivers (audit, webhook outbox) insert their rows
in it or not at all. They must do nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.dispatch import Signal

from registries.actor import Actor

# Sent with `events: tuple[Event, ...]` and `actor: Actor`.
happened = Signal()


@dataclass(frozen=True, slots=True)
class Event:
    """`registry` is its name; `at` is when we learned of it, which is not always when it was."""

    registry: str
    at: datetime


@dataclass(frozen=True, slots=True)
class RegistryImported(Event):
    """The first full sync ended: one event, instead of one for each tag that was there before."""

    repositories: int
    tags: int


@dataclass(frozen=True, slots=True)
class RepositoryAppeared(Event):
    repository: str


@dataclass(frozen=True, slots=True)
class RepositoryGone(Event):
    repository: str


@dataclass(frozen=True, slots=True)
class TagCreated(Event):
    repository: str
    tag: str
    digest: str


@dataclass(frozen=True, slots=True)
class TagMoved(Event):
    repository: str
    tag: str
    old_digest: str
    digest: str


@dataclass(frozen=True, slots=True)
class TagDeleted(Event):
    repository: str
    tag: str
    old_digest: str


@dataclass(frozen=True, slots=True)
class ArtifactGone(Event):
    """A manifest that the registry proved not to have any more, tagged or not."""

    repository: str
    digest: str


@dataclass(frozen=True, slots=True)
class ImageQuarantined(Event):
    repository: str
    digest: str
    tag: str


@dataclass(frozen=True, slots=True)
class ImagePulled(Event):
    repository: str
    digest: str
    tag: str


@dataclass(frozen=True, slots=True)
class TagTakenAway(Event):
    """Somebody had the registry take it away. That it is gone is TagDeleted's to say, once the
    registry was read again; the same holds for the two below."""

    repository: str
    tag: str
    old_digest: str


@dataclass(frozen=True, slots=True)
class ImageDeleted(Event):
    """Somebody had the registry delete a manifest, with these tags; `indexes` held it and lack it now."""

    repository: str
    old_digest: str
    old_tags: tuple[str, ...]
    indexes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RepositoryDeleted(Event):
    """Somebody had the registry delete it with so many tags and manifests."""

    repository: str
    old_tags: int
    old_artifacts: int


@dataclass(frozen=True, slots=True)
class LocksChanged(Event):
    """`part` is `:TAG`, `@DIGEST` or empty for the repository as a whole."""

    repository: str
    part: str
    old_locks: tuple[str, ...]
    new_locks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ChangeRefused(Event):
    """Somebody asked for a change that the registry did not make; `because` is its error's sentence."""

    repository: str
    asked: str
    because: str


@dataclass(frozen=True, slots=True)
class RegistryConnected(Event):
    url: str


@dataclass(frozen=True, slots=True)
class RegistryChanged(Event):
    """`changes` names each changed setting with its old and new value; of secrets, only that."""

    changes: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True, slots=True)
class VendorSettingChanged(Event):
    """Somebody had a setting changed at the vendor itself; `said` is what was done, a sentence."""

    said: str


@dataclass(frozen=True, slots=True)
class VendorWebhookCreated(Event):
    """Somebody had a webhook set up at the vendor."""

    webhook: str


@dataclass(frozen=True, slots=True)
class VendorWebhookRemoved(Event):
    """Somebody had a webhook removed at the vendor."""

    webhook: str


@dataclass(frozen=True, slots=True)
class RegistryRemoved(Event):
    url: str


@dataclass(frozen=True, slots=True)
class MirrorCreated(Event):
    """`registry` is empty where the two places lie in two registries."""

    mirror: str
    new: dict[str, str]


@dataclass(frozen=True, slots=True)
class MirrorChanged(Event):
    mirror: str
    old: dict[str, str]
    new: dict[str, str]


@dataclass(frozen=True, slots=True)
class MirrorRemoved(Event):
    mirror: str
    old: dict[str, str]


@dataclass(frozen=True, slots=True)
class SyncEnded(Event):
    run: int
    state: str


def emit(events: Sequence[Event], *, actor: Actor) -> None:
    """Hand events to the receivers; must be called inside the transaction of the change.

    Raises RuntimeError outside one: an event without its change (or the reverse) is the mistake
    that this module exists to make impossible.
    """
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("Events are emitted inside the transaction that makes them true.")
    if events:
        happened.send(sender=None, events=tuple(events), actor=actor)
