"""Locks at a registry: what it refuses to do with a repository, an image or a tag, until unlocked.

Whoever calls these has authorised.
"""

from __future__ import annotations

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from registries import events
from registries.actor import Actor
from registries.changing.outcomes import Outcome, asked, outcome_of, tell
from registries.connectors import CONNECTORS, Connector
from registries.models import Artifact, Repository, Tag
from registries.oci.outlines import Lock, RepositoryFacts
from registries.transactions import durable

# In the order in which people think of them.
WORDS = {
    Lock.DELETE: _("deleting"),
    Lock.WRITE: _("pushing and moving"),
    Lock.READ: _("pulling"),
    Lock.LIST: _("listing"),
}


def words(locks: int) -> list[str]:
    """What is refused, in words."""
    return [str(word) for lock, word in WORDS.items() if locks & lock]


def names(locks: int) -> tuple[str, ...]:
    """What is refused, for logs and programs: in words that no language changes."""
    return tuple(str(lock.name).lower() for lock in WORDS if locks & lock)


def look(repository: Repository) -> None:
    """Bring a repository's locks up to date, for kinds whose listings do not tell of them.

    What is locked exactly so is asked for with the form: else saving it would undo what somebody
    did at the registry. Where the registry does not answer, what is known stays.
    """
    kind = CONNECTORS[repository.registry.kind]
    if kind.repository_facts is Connector.repository_facts:
        return
    path = repository.path
    facts = asked(repository.registry, lambda connector: connector.repository_facts(path))
    if isinstance(facts, RepositoryFacts) and facts.locks is not None:
        repository.locks = int(facts.locks)
        repository.save(update_fields=["locks"])


def set_locks(*, what: Repository | Artifact | Tag, locks: Lock, actor: Actor) -> Outcome:
    """Have a repository, image or tag locked against exactly this.

    What the registry confirmed is kept here at once; the next sync reads it like everything else.
    """
    repository = what if isinstance(what, Repository) else what.repository
    registry, path = repository.registry, repository.path
    tag = what.name if isinstance(what, Tag) else None
    digest = what.manifest.digest if isinstance(what, Artifact) else None
    answer = asked(
        registry, lambda connector: connector.set_locks(path, locks, tag=tag, digest=digest)
    )
    outcome = outcome_of(tag or digest or path, answer)
    if outcome.is_new:
        part = f":{tag}" if tag else f"@{digest}" if digest else ""
        _keep(what, repository, part, locks, actor)
    else:
        tell(repository, [], [outcome], actor)
    return outcome


@durable
def _keep(
    what: Repository | Artifact | Tag,
    repository: Repository,
    part: str,
    locks: Lock,
    actor: Actor,
) -> None:
    before = Lock(type(what).objects.select_for_update().get(pk=what.pk).locks)
    what.locks = int(locks)
    what.save(update_fields=["locks"])
    if before != locks:
        changed = events.LocksChanged(
            repository.registry.name,
            timezone.now(),
            repository.path,
            part,
            names(before),
            names(locks),
        )
        events.emit([changed], actor=actor)
