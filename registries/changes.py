"""Changes at a registry itself: tags taken away, images and repositories deleted.

The registry does it or refuses, outside of any transaction. Then what was changed is read from it
again, because it is the truth: rows go, and histories and webhooks are told, by what that shows.
Whoever calls these has authorised.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TypeVar

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from registries import events
from registries.actor import Actor
from registries.connections import PATIENCE
from registries.connectors import CONNECTORS, Ability, Connector, connect
from registries.consequences import NAMED, Consequences, consequences_of
from registries.models import Artifact, Registry, Repository, TagMove
from registries.oci.errors import NotFound, RegistryError
from registries.oci.reference import Digest
from registries.sync.parts import Part
from registries.sync.presence import PROOFS, apply_absences
from registries.sync.readings import Listing
from registries.sync.refresh import Wanted, refresh, refresh_repository

Value = TypeVar("Value")

# Tags that are taken away at once: somebody waits, and each is a request or two.
MOST_TAGS = 100
AT_A_TIME = 4
_ACTION = TagMove.Source.ACTION


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one change. With a `problem` it was not made, and `advice` says what to do.

    `was_gone` says that the registry did not have it any more, `lingers` that it took the order and
    shows the thing all the same: some take their time.
    """

    name: str
    problem: str = ""
    advice: str = ""
    was_gone: bool = False
    lingers: bool = False

    @property
    def is_done(self) -> bool:
        return not self.problem


def abilities_of(registry: Registry) -> frozenset[Ability]:
    """What registries of this kind offer to have changed."""
    return CONNECTORS[registry.kind].abilities


def untag(*, repository: Repository, seen: Mapping[str, str], actor: Actor) -> list[Outcome]:
    """Have tags taken away that still point at the digest at which they were seen (`seen`).

    Each has an outcome of its own, in the order given. Raises ValidationError for too many.
    """
    if len(seen) > MOST_TAGS:
        raise ValidationError(_("At most %d tags are taken away at once.") % MOST_TAGS)
    registry, path = repository.registry, repository.path
    outcomes = _at(registry, lambda connector: _untag_all(connector, path, seen))
    if isinstance(outcomes, RegistryError):
        outcomes = [_refused(tag, outcomes) for tag in seen]
    done = [outcome.name for outcome in outcomes if outcome.is_done]
    taken = [
        events.TagTakenAway(registry.name, timezone.now(), path, outcome.name, seen[outcome.name])
        for outcome in outcomes
        if outcome.is_done and not outcome.was_gone
    ]
    _tell(repository, taken, outcomes, actor)
    if done:
        _read_again(registry, Part(path, tags=frozenset(done)), actor)
    left = set(repository.tags.filter(name__in=done).values_list("name", flat=True))
    return [replace(one, lingers=one.name in left and one.is_done) for one in outcomes]


def delete_image(
    *, artifact: Artifact, seen_tags: int, breaks_indexes: bool, actor: Actor
) -> Outcome:
    """Have a manifest deleted with all its tags.

    Raises ValidationError where other tags than were seen would go, or where an index holds it and
    nobody said that this may break it.
    """
    with_it = consequences_of(artifact)
    _require_as_seen(with_it, seen_tags)
    if with_it.indexes and not breaks_indexes:
        raise ValidationError(
            _("An index holds it: multi-platform images that need it would break."), "index"
        )
    repository, digest = artifact.repository, artifact.manifest.digest
    registry, path = repository.registry, repository.path
    answer = _at(registry, lambda connector: connector.delete_manifest(path, digest))
    outcome = _outcome(digest, answer)
    deleted = events.ImageDeleted(
        registry.name, timezone.now(), path, digest, with_it.tags, with_it.indexes
    )
    _tell(repository, [deleted] if _is_new(outcome) else [], [outcome], actor)
    if not outcome.is_done:
        return outcome
    if with_it.tag_count < NAMED:
        gone = frozenset(map(Digest, (digest, *with_it.referrers)))
        _read_again(registry, Part(path, gone=gone), actor)
    else:
        with suppress(RegistryError):
            refresh_repository(registry, path, source=_ACTION, actor=actor)
    artifact.refresh_from_db(fields=["missing_since"])
    return replace(outcome, lingers=artifact.missing_since is None)


def delete_repository(*, repository: Repository, actor: Actor) -> Outcome:
    """Have a repository deleted with everything it holds."""
    registry, path = repository.registry, repository.path
    answer = _at(registry, lambda connector: connector.delete_repository(path))
    outcome = _outcome(path, answer)
    deleted = events.RepositoryDeleted(
        registry.name, timezone.now(), path, repository.tag_count, repository.artifact_count
    )
    _tell(repository, [deleted] if _is_new(outcome) else [], [outcome], actor)
    if not outcome.is_done:
        return outcome
    asked_at = datetime.now(UTC)
    listing = _at(registry, lambda connector: connector.tags(path))
    if isinstance(listing, NotFound) and listing.is_proof:
        # What the registry said it deleted, and then does not know, is proved gone twice.
        for _proof in range(PROOFS):
            apply_absences(
                registry,
                [Listing(path, asked_at, None)],
                listed=set(),
                source=_ACTION,
                actor=actor,
            )
    elif not isinstance(listing, RegistryError):
        with suppress(RegistryError):
            refresh_repository(registry, path, source=_ACTION, actor=actor)
    repository.refresh_from_db(fields=["missing_since", "tag_count"])
    gone = repository.missing_since is not None or not repository.tag_count
    return replace(outcome, lingers=not gone)


# At the registry --------------------------------------------------------------------------------


def _at(registry: Registry, what: Callable[[Connector], Awaitable[Value]]) -> Value | RegistryError:
    """What comes of asking the registry, its refusal included. Somebody waits: it is asked once."""
    connection = replace(registry.connection(), limits=PATIENCE)

    async def run() -> Value:
        async with connect(registry.kind, connection) as connector:
            return await what(connector)

    try:
        return asyncio.run(run())
    except RegistryError as error:
        return error


async def _untag_all(connector: Connector, path: str, seen: Mapping[str, str]) -> list[Outcome]:
    turns = asyncio.Semaphore(AT_A_TIME)

    async def one(tag: str, digest: str) -> Outcome:
        async with turns:
            return await _untag(connector, path, tag, digest)

    return await asyncio.gather(*(one(tag, digest) for tag, digest in seen.items()))


async def _untag(connector: Connector, path: str, tag: str, digest: str) -> Outcome:
    try:
        head = await connector.head(path, tag)
        if head is not None and head.digest != digest:
            return Outcome(
                tag,
                _("It points at another image by now."),
                _("Look at what it points at, and choose it again."),
            )
        await connector.delete_tag(path, tag)
    except RegistryError as error:
        return _outcome(tag, error)
    return Outcome(tag)


def _outcome(name: str, answer: RegistryError | None) -> Outcome:
    if isinstance(answer, NotFound) and answer.is_proof:
        return Outcome(name, was_gone=True)
    return Outcome(name) if answer is None else _refused(name, answer)


def _refused(name: str, error: RegistryError) -> Outcome:
    return Outcome(name, str(error), error.advice)


# Afterwards -------------------------------------------------------------------------------------


def _is_new(outcome: Outcome) -> bool:
    return outcome.is_done and not outcome.was_gone


@transaction.atomic(durable=True)
def _tell(
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


def _read_again(registry: Registry, part: Part, actor: Actor) -> None:
    """What cannot be read now is read by the next sync; what was done is done."""
    with suppress(RegistryError):
        refresh(registry, [Wanted(actor, parts=(part,))], source=_ACTION)


def _require_as_seen(with_it: Consequences, seen: int) -> None:
    if with_it.tag_count != seen:
        raise ValidationError(
            ngettext(
                "Meanwhile %d tag points at it: look again at what would go.",
                "Meanwhile %d tags point at it: look again at what would go.",
                with_it.tag_count,
            )
            % with_it.tag_count
        )
