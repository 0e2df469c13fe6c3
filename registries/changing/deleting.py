"""Changes at a registry itself: tags taken away, images and repositories deleted.

The registry does it or refuses, outside of any transaction. Then what was changed is read from it
again, because it is the truth: rows go, and histories and webhooks are told, by what that shows.
Whoever calls these has authorised.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime

from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from registries import events
from registries.actor import SYSTEM, Actor
from registries.changing.consequences import NAMED, Consequences, consequences_of
from registries.changing.others import Others, latest_first, others_at
from registries.changing.outcomes import Outcome, asked, outcome_of, refused, tell
from registries.connectors import CONNECTORS, Ability, Connector
from registries.models import Artifact, Registry, Repository, TagMove
from registries.oci.errors import NotFound, RegistryError, Unsupported
from registries.oci.reference import Digest
from registries.sync.parts import Part
from registries.sync.presence import PROOFS, apply_absences
from registries.sync.readings import Listing
from registries.sync.refresh import Wanted, refresh, refresh_repository

# Tags that are taken away at once: somebody waits, and each is a request or two.
MOST_TAGS = 100
AT_A_TIME = 4
_ACTION = TagMove.Source.ACTION


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
    outcomes = asked(registry, lambda connector: _untag_all(connector, path, seen))
    if isinstance(outcomes, RegistryError):
        outcomes = [refused(tag, outcomes) for tag in seen]
    done = [outcome.name for outcome in outcomes if outcome.is_done]
    taken = [
        events.TagTakenAway(registry.name, timezone.now(), path, outcome.name, seen[outcome.name])
        for outcome in outcomes
        if outcome.is_new
    ]
    tell(repository, taken, outcomes, actor)
    if done:
        _read_again(registry, Part(path, tags=frozenset(done)), actor)
    left = set(repository.tags.filter(name__in=done).values_list("name", flat=True))
    return [replace(one, lingers=one.name in left and one.is_done) for one in outcomes]


def delete_image(
    *,
    artifact: Artifact,
    seen_tags: int,
    seen: str | None = None,
    breaks_indexes: bool,
    actor: Actor,
) -> Outcome:
    """Have a manifest deleted with all its tags. `seen` is the seal of what was confirmed; without
    it only the number of tags is compared.

    Raises ValidationError where other tags would go or other indexes break than were seen, here or at
    the registry, and where an index holds it and nobody said that this may break it.
    """
    with_it = consequences_of(artifact)
    _require_as_seen(with_it, seen_tags, seen)
    if with_it.indexes and not breaks_indexes:
        raise ValidationError(
            _("An index holds it: multi-platform images that need it would break."), "index"
        )
    repository, digest = artifact.repository, artifact.manifest.digest
    registry, path = repository.registry, repository.path
    known = latest_first(repository)
    answer = asked(
        registry,
        lambda connector: _delete_manifest(connector, path, digest, with_it, known),
    )
    if isinstance(answer, Others):
        _learn(registry, path, answer)
        raise ValidationError(str(answer))
    outcome = outcome_of(digest, answer)
    if answer is not None and answer.tags_taken:
        return _half_done(repository, outcome, answer.tags_taken, actor)
    deleted = events.ImageDeleted(
        registry.name, timezone.now(), path, digest, with_it.tags, with_it.indexes
    )
    tell(repository, [deleted] if outcome.is_new else [], [outcome], actor)
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
    answer = asked(registry, lambda connector: connector.delete_repository(path))
    outcome = outcome_of(path, answer)
    deleted = events.RepositoryDeleted(
        registry.name, timezone.now(), path, repository.tag_count, repository.artifact_count
    )
    tell(repository, [deleted] if outcome.is_new else [], [outcome], actor)
    if not outcome.is_done:
        return outcome
    asked_at = datetime.now(UTC)
    listing = asked(registry, lambda connector: connector.tags(path))
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


async def _delete_manifest(
    connector: Connector, path: str, digest: str, with_it: Consequences, known: Sequence[str]
) -> Others | None:
    if connector.index_holds:
        await _require_unheld(connector, path, digest, with_it.indexes)
    others = await others_at(connector, path, digest, with_it.every_tag, known)
    if others is None:
        await connector.delete_manifest(path, digest)
    return others


async def _require_unheld(
    connector: Connector, path: str, digest: str, indexes: Sequence[str]
) -> None:
    """Raises Unsupported for an index that is still there; of more than a few the others are not
    asked for."""
    for index in indexes[:AT_A_TIME]:
        if await connector.head(path, index) is not None:
            raise Unsupported(
                f"{connector.label} keeps {path} {digest}: an index holds it.",
                advice="Delete the index first; its platforms can be deleted then.",
            )


def _half_done(
    repository: Repository, outcome: Outcome, tags: Sequence[str], actor: Actor
) -> Outcome:
    """Tell of tags that went before the registry refused the image itself, and read them again."""
    registry, path = repository.registry, repository.path
    said = _("Before that it took these tags away, and they could not be put back: %s.")
    outcome = replace(outcome, problem=f"{outcome.problem} {said % ', '.join(tags)}")
    taken = [
        events.TagTakenAway(registry.name, timezone.now(), path, tag, outcome.name) for tag in tags
    ]
    tell(repository, taken, [outcome], actor)
    _read_again(registry, Part(path, tags=frozenset(tags)), actor)
    return outcome


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
                is_other=True,
            )
        await connector.delete_tag(path, tag)
    except RegistryError as error:
        return outcome_of(tag, error)
    return Outcome(tag)


def _read_again(registry: Registry, part: Part, actor: Actor) -> None:
    """What cannot be read now is read by the next sync; what was done is done."""
    with suppress(RegistryError):
        refresh(registry, [Wanted(actor, parts=(part,))], source=_ACTION)


def _learn(registry: Registry, path: str, others: Others) -> None:
    """Read what we did not know of, so that whoever looks again sees it. It is nobody's doing here."""
    parts = (Part(path, tags=others.tags),) if others.tags else ()
    wanted = Wanted(SYSTEM, whole=() if parts else (path,), parts=parts)
    with suppress(RegistryError):
        refresh(registry, [wanted], source=TagMove.Source.SYNC)


def _require_as_seen(with_it: Consequences, seen_tags: int, seen: str | None) -> None:
    if with_it.tag_count != seen_tags:
        raise ValidationError(
            ngettext(
                "Meanwhile %d tag points at it: look again at what would go.",
                "Meanwhile %d tags point at it: look again at what would go.",
                with_it.tag_count,
            )
            % with_it.tag_count
        )
    if seen is not None and seen != with_it.seal:
        raise ValidationError(
            _(
                "Meanwhile other tags point at it, or other indexes hold it: look again at what"
                " would go."
            )
        )
