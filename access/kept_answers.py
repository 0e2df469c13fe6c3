"""The same change asked for twice is made once: answers by idempotency key, kept for a day.

A key is claimed before the change is begun and answered after it was made. Whoever asks in between,
or after a process died in between, is told so: that a change was made twice is never risked.
(draft-ietf-httpapi-idempotency-key-header-07.)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from access.models import KeptAnswer
from registries.secret import Secret

KEPT_FOR = timedelta(days=1)


class KeyReused(Exception):  # noqa: N818  named for what happened
    """The key came with another request before."""


class StillUnderWay(Exception):  # noqa: N818  named for what happened
    """The first request with this key has no answer yet, or its process died before it had one."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What was answered, as it went out."""

    status: int
    headers: Mapping[str, str]
    body: str


def claim(caller: str, key: str, fingerprint: str) -> KeptAnswer | Answer:
    """The claim for who comes first, and for others the answer that he got. `caller` is told by his
    id: a name may be somebody else's tomorrow. The fingerprint is of all that must be the same.

    Raises KeyReused if the key was used for something else, StillUnderWay without an answer yet.
    """
    found = None
    # Another one's claim may be released between our two statements: then it is our turn.
    while found is None:
        mine = KeptAnswer(caller=caller, key=key, fingerprint=fingerprint)
        KeptAnswer.objects.bulk_create([mine], ignore_conflicts=True)
        found = KeptAnswer.objects.filter(caller=caller, key=key).first()
    if found.pk == mine.pk:
        return found
    if found.fingerprint != fingerprint:
        raise KeyReused
    if found.status is None:
        raise StillUnderWay
    return Answer(found.status, found.headers, found.body.reveal())


def keep(claimed: KeptAnswer, answer: Answer) -> None:
    """What the change was answered with."""
    claimed.status, claimed.headers = answer.status, dict(answer.headers)
    claimed.body = Secret(answer.body)
    claimed.save(update_fields=["status", "headers", "body"])


def release(claimed: KeptAnswer) -> None:
    """Nothing was changed: the key may be used again."""
    claimed.delete()


def forget_old(at: datetime) -> int:
    """Delete what is older than a day; returns how many."""
    deleted, _by_model = KeptAnswer.objects.filter(created_at__lte=at - KEPT_FOR).delete()
    return deleted
