"""From notifications to refreshed rows. What they name is read from the registry, once for each
however many named it; what they say of it is not believed.

So it does not matter that some are lost, come twice or out of order: each only asks for a look, and
a look finds what there is.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable, Sequence

from django.db import transaction
from django.utils import timezone

from registries.actor import Actor
from registries.events import ImageQuarantined, emit
from registries.fields import UndecryptableError
from registries.models import ManifestChild, Registry, TagMove
from registries.oci.connection import InvalidConnection
from registries.oci.errors import (
    AddressRefused,
    AuthenticationFailed,
    NotARegistry,
    NotFound,
    RegistryError,
    ServerFailed,
    Throttled,
    TlsFailed,
    Unreachable,
)
from registries.oci.reference import Digest
from registries.sync.parts import Part
from registries.sync.readings import Problem
from registries.sync.refresh import Wanted, left_out, refresh
from registries.usage import count_pulls
from webhooks.inbound import claims
from webhooks.inbound.pulls import PAIR, is_look, paired
from webhooks.models import Notification

log = logging.getLogger(__name__)

State = Notification.State
Verb = Notification.Verb

# What may be otherwise in a while; all else the registry says about this one thing for good.
PASSING = {
    it.code
    for it in (
        *(AddressRefused, AuthenticationFailed, NotARegistry, NotFound, ServerFailed, Throttled),
        *(TlsFailed, Unreachable),
    )
}


def handle(registry: Registry, batch: Sequence[Notification]) -> None:
    """Handle these of one registry; each is settled or put off when this returns."""
    now = timezone.now()
    excluded = left_out(registry, {it.repository for it in batch})
    outside = [it for it in batch if it.repository in excluded]
    claims.settle(outside, State.IGNORED, now, "The registry's settings leave this repository out.")
    inside = [it for it in batch if it.repository not in excluded]
    by_verb: dict[str, list[Notification]] = defaultdict(list)
    for it in inside:
        by_verb[it.verb].append(it)
    _refresh(registry, [it for it in inside if it.verb in (Verb.PUSH, Verb.DELETE)])
    _count(registry, by_verb[Verb.PULL])
    _tell_quarantined(registry, by_verb[Verb.QUARANTINE])


# Pushes and deletes -------------------------------------------------------------------------------


def _refresh(registry: Registry, told: Sequence[Notification]) -> None:
    if not told:
        return
    try:
        tally = refresh(registry, wanted_by(registry, told), source=TagMove.Source.NOTIFICATION)
    except (RegistryError, InvalidConnection, UndecryptableError) as error:
        for it in told:
            claims.put_off(it, timezone.now(), str(error))
        return
    except Exception:
        # Whatever it is, it must not come back for ever; what is tried is counted with the claim.
        log.exception("Notifications of %s could not be handled.", registry.name)
        for it in told:
            claims.put_off(it, timezone.now(), "Portolan failed at it; its log says why.")
        return
    now = timezone.now()
    problems = {it.pk: _problem_of(it, tally.problems) for it in told}
    claims.settle([it for it in told if problems[it.pk] is None], State.DONE, now)
    for it in told:
        problem = problems[it.pk]
        if problem is not None and problem.code in PASSING:
            claims.put_off(it, now, problem.message)
        elif problem is not None:
            claims.settle([it], State.GIVEN_UP, now, problem.message)


def wanted_by(registry: Registry, told: Iterable[Notification]) -> list[Wanted]:
    """What is to be read on account of these: each tag once, for whoever named it last."""
    tags: dict[tuple[str, str], Notification] = {}
    digests: dict[tuple[str, str], Notification] = {}
    whole: dict[str, Notification] = {}
    for it in told:
        if it.tag:
            tags[it.repository, it.tag] = it
        elif it.digest:
            digests[it.repository, it.digest] = it
        else:
            whole[it.repository] = it
    found: dict[Actor, dict[str, _Asked]] = defaultdict(lambda: defaultdict(_Asked))
    for (path, tag), it in tags.items():
        if path not in whole:
            found[actor_of(registry, it)][path].tags.add(tag)
    for (path, digest), it in digests.items():
        asked = found[actor_of(registry, it)][path]
        (asked.gone if it.verb == Verb.DELETE else asked.pushed).add(Digest(digest))
    for path, it in whole.items():
        found[actor_of(registry, it)][path].is_whole = True
    return [
        Wanted(
            actor,
            whole=tuple(path for path, asked in paths.items() if asked.is_whole),
            parts=tuple(asked.as_part(path) for path, asked in paths.items() if asked.has_parts),
        )
        for actor, paths in found.items()
    ]


class _Asked:
    """What is asked of a repository, while it is gathered."""

    def __init__(self) -> None:
        self.is_whole = False
        self.tags: set[str] = set()
        self.pushed: set[Digest] = set()
        self.gone: set[Digest] = set()

    @property
    def has_parts(self) -> bool:
        return bool(self.tags or self.pushed or self.gone)

    def as_part(self, path: str) -> Part:
        return Part(path, frozenset(self.tags), frozenset(self.pushed), frozenset(self.gone))


def actor_of(registry: Registry, told: Notification) -> Actor:
    """Who did it, as the registry claims: a name at that registry, which is no account here."""
    label = f"{told.actor} at {registry.name}" if told.actor else registry.name
    return Actor("registry", str(registry.pk), label[:255])


def _problem_of(told: Notification, problems: Sequence[Problem]) -> Problem | None:
    """What kept this one from being looked at; None if nothing did."""
    reference = told.tag or told.digest
    for problem in problems:
        if not problem.repository:  # the registry as a whole
            return problem
        if problem.repository == told.repository and reference in ("", problem.reference):
            return problem
    return None


# Pulls --------------------------------------------------------------------------------------------


def _count(registry: Registry, told: Sequence[Notification]) -> None:
    """Counted and settled in one transaction, so that each counts once."""
    if not told:
        return
    now = timezone.now()
    earlier = _earlier(registry, told)
    children = _children([*earlier, *told])
    with transaction.atomic():
        mine = claims.settle(told, State.DONE, now)
        told = [it for it in told if it.pk in mine]
        actors = [actor_of(registry, it) for it in told]
        pulls = paired(told, earlier, children, actors)
        known = count_pulls(registry, [pull for pull in pulls if pull is not None])
        looks = [it.pk for it in told if is_look(it)]
        unknown = [
            it.pk
            for it, pull in zip(told, pulls, strict=True)
            if pull is not None and it.digest and (pull.path, pull.digest) not in known
        ]
        _explain(looks, "A HEAD only looks; the GET after it is the pull.")
        _explain(unknown, "The catalog does not have this image.")


def _explain(ids: Sequence[int], reason: str) -> None:
    if ids:
        Notification.objects.filter(pk__in=ids).update(state=State.IGNORED, reason=reason)


def _earlier(registry: Registry, told: Sequence[Notification]) -> list[Notification]:
    """Pulls of the same repositories a moment before: the first halves of some of these."""
    since = min(it.received_at for it in told) - PAIR
    found = Notification.objects.filter(
        registry=registry,
        received_at__gte=since,
        verb=Verb.PULL,
        repository__in={it.repository for it in told},
    )
    return list(found.exclude(pk__in=[it.pk for it in told]).defer("body"))


def _children(pulled: Iterable[Notification]) -> dict[str, set[str]]:
    digests = {it.digest for it in pulled if it.digest and not is_look(it)}
    children: dict[str, set[str]] = defaultdict(set)
    found = ManifestChild.objects.filter(parent__digest__in=digests)
    for parent, child in found.values_list("parent__digest", "digest"):
        children[parent].add(child)
    return children


# Quarantine ---------------------------------------------------------------------------------------


def _tell_quarantined(registry: Registry, told: Sequence[Notification]) -> None:
    """There is nothing to look at: what is in quarantine is not to be had from the registry."""
    for it in told:
        now = timezone.now()
        event = ImageQuarantined(registry.name, now, it.repository, it.digest, it.tag)
        with transaction.atomic():
            if claims.settle([it], State.DONE, now):
                emit([event], actor=actor_of(registry, it))
