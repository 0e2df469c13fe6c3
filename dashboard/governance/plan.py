"""A plan: what a document would change, what stands in its way, and what it leaves alone.

Nothing is changed by it, and however much there is, it takes the same few statements.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.utils import timezone

from access.actions import Action
from access.models import User
from access.policy import Rights
from access.scopes import EVERYTHING
from dashboard.governance import state as there
from dashboard.governance.allowed import lacking
from dashboard.governance.changes import Change, compare
from dashboard.governance.document import Document, Item
from dashboard.governance.judging import judged, problems_of
from dashboard.governance.known import missing, still_used
from dashboard.governance.last_owner import SENTENCE, loses_last
from dashboard.governance.problems import Problem, at_most
from dashboard.governance.secrets import Resolver, once
from dashboard.governance.sections import GRANTS
from dashboard.governance.stored_secrets import Compared


@dataclass(frozen=True, slots=True)
class Plan:
    """`changes` are in the order in which they are done. With `problems` it cannot be applied;
    `notes` are worth reading and stop nothing. `left` is what pruning would remove and this does not.
    """

    document: Document
    prune: bool
    changes: tuple[Change, ...] = ()
    problems: tuple[Problem, ...] = ()
    notes: tuple[Problem, ...] = ()
    left: tuple[Change, ...] = ()

    def as_data(self) -> dict[str, Any]:
        """It as JSON's values; of problems and notes as many as anybody reads."""
        return {
            "changes": [one.as_data() for one in self.changes],
            "problems": [_as_data(one) for one in at_most(self.problems)],
            "notes": [_as_data(one) for one in at_most(self.notes)],
            "left": [one.as_data() for one in self.left],
        }


def plan(
    document: Document,
    *,
    rights: Rights,
    user: User | None = None,
    secrets: Resolver | None = None,
    prune: bool = False,
) -> Plan:
    """What the document would change, for who has these rights.

    `user` is the person, where his teams and maintaining them count; None for tokens and shells.
    With `secrets` the document's are compared with the stored ones; without, those of things that
    are there already are left for the apply. `prune` removes what is not in a section (or a team's
    list) that the document has; of what it does not have at all, everything stays.
    """
    document, problems = _judged(document)
    document, notes = _without_ended(document, timezone.now())
    state = there.read(rights, user)
    compared = Compared(once(secrets) if secrets else None)
    wanted, unnamed = compare(document, state, compared)
    deleted = unnamed if prune else []
    changes = (*wanted, *deleted)
    problems += compared.problems
    barred = {
        (one.section.name, one.item.key): told
        for one, told in lacking(changes, state, rights, user)
    }
    problems += barred.values()
    # Who may not do a thing learns nothing of what it names.
    problems += missing(document, rights, deleted, untold=barred.keys())
    problems += still_used(document, state, deleted)
    # Who does not see all grants cannot tell, and is to learn nothing of them: the action judges.
    judges = rights.may(Action.ACCESS_MANAGE, EVERYTHING)
    if judges and (last := loses_last(state, changes)) is not None:
        problems.append(last.item.problem(SENTENCE))
    return Plan(
        document,
        prune,
        changes,
        tuple(sorted(set(problems))),
        tuple(sorted([*notes, *compared.uncompared])),
        () if prune else tuple(unnamed),
    )


def _judged(document: Document) -> tuple[Document, list[Problem]]:
    """The document in its stored form, and what of it makes no sense by itself."""
    problems: list[Problem] = []
    items: dict[str, tuple[Item, ...]] = {}
    for name, said in document.items.items():
        kept = []
        for item in said:
            try:
                kept.append(judged(item))
            except ValidationError as error:
                problems += problems_of(item, error)
        items[name] = tuple(kept)
    return replace(document, items=items), problems


def _without_ended(document: Document, now: datetime) -> tuple[Document, list[Problem]]:
    """A grant that has ended is one that is not wanted: a file in git gets old by itself, and must
    not stop working on the day after."""
    lasting: list[Item] = []
    ended: list[Item] = []
    for one in document.of(GRANTS):
        until = one.values["until"]
        (ended if until is not None and until <= now else lasting).append(one)
    if not ended:
        return document, []
    notes = [one.problem("It has ended, and can be taken out of the file.") for one in ended]
    return replace(document, items={**document.items, GRANTS.name: tuple(lasting)}), notes


def _as_data(problem: Problem) -> dict[str, Any]:
    return {"line": problem.line, "path": problem.path, "sentence": problem.sentence}


def told(changes: Iterable[Change]) -> list[tuple[object, ...]]:
    """What a person who looked at these changes was told of them; secrets apart."""
    shown = []
    for one in changes:
        fields = tuple(field for field in one.fields if not field.is_secret)
        if fields or one.row is None or not one.fields:
            shown.append(replace(one, fields=fields).told)
    return shown
