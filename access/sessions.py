"""Where people are signed in, and ending that: one's own place by place, another's all at once."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from allauth.usersessions.adapter import DefaultUserSessionsAdapter
from allauth.usersessions.models import UserSession
from django.db import transaction
from django.utils import timezone

from access.events import PersonChanged
from access.models import User
from access.people import require_mastery_of
from access.policy import Rights
from registries.actor import Actor
from registries.events import emit
from registries.transactions import durable


@durable
def end_own(user: User, pk: int, *, actor: Actor) -> bool:
    """Returns False if this person has no such session (any more)."""
    session = UserSession.objects.select_for_update().filter(user=user, pk=pk).first()
    if session is None:
        return False
    _end([session], user, actor)
    return True


@durable
def end_others(user: User, *, but: str, actor: Actor) -> int:
    """One's own but the session with this key. Returns how many there were."""
    others = UserSession.objects.select_for_update().filter(user=user).exclude(session_key=but)
    if sessions := list(others):
        _end(sessions, user, actor)
    return len(sessions)


@durable
def end_all(person: User, *, rights: Rights, actor: Actor) -> int:
    """Another's, for who lost a device. Returns how many there were."""
    require_mastery_of(person, rights)
    sessions = list(UserSession.objects.select_for_update().filter(user=person))
    if sessions:
        _end(sessions, person, actor)
    return len(sessions)


class Sessions(DefaultUserSessionsAdapter):  # type: ignore[misc]  # allauth publishes no types
    """“Sign out everywhere else”, which allauth does, is told like every other end of a session."""

    @transaction.atomic
    def end_sessions(self, sessions: Iterable[UserSession]) -> None:
        """End all of these, which are one person's own."""
        listed = list(sessions)
        if listed:
            person = listed[0].user
            _end(listed, person, Actor("user", str(person.pk), person.get_username()))


def _end(sessions: list[UserSession], person: User, actor: Actor) -> None:
    for session in sessions:
        # Once all is written: a request in between would put the session back into the cache.
        transaction.on_commit(partial(session.end))
    places = ", ".join(sorted({str(session.ip) for session in sessions}))
    told = PersonChanged(
        "", timezone.now(), person.get_username(), {"sessions": places}, {"sessions": "ended"}
    )
    emit([told], actor=actor)
