"""Whether somebody would still own everything: told by a plan, before the action refuses it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from django.db.models import Q

from access.models import Membership, User
from access.scopes import EVERYTHING
from dashboard.governance.changes import Change, Verb
from dashboard.governance.document import Item
from dashboard.governance.state import State

SENTENCE = "This would remove the last owner. Make somebody else Owner of everything first."


def loses_last(state: State, changes: Sequence[Change]) -> Change | None:
    """The change after which nobody would own everything; None if none is so."""
    suspect = [one for one in changes if _takes(one)]
    if not suspect:
        return None
    after = _after(state, changes)
    people = {key[0].removeprefix("user:") for key in after if key[0].startswith("user:")}
    teams = {key[0].removeprefix("team:") for key in after if key[0].startswith("team:")}
    members = {
        one.item.key[1] for one in changes if one.section.name == "members"
        and one.verb is Verb.CREATE and one.item.key[0] in teams
    }  # fmt: skip
    left = {
        one.item.key for one in changes
        if one.section.name == "members" and one.verb is Verb.DELETE
    }  # fmt: skip
    held = Membership.objects.filter(team__name__in=teams).values_list(
        "team__name", "user__username"
    )
    members |= {user for team, user in held if (team, user) not in left}
    owners = User.objects.filter(is_active=True).filter(
        Q(is_superuser=True) | Q(username__in=people | members)
    )
    return None if owners.exists() else suspect[0]


def _after(state: State, changes: Iterable[Change]) -> set[tuple[str, ...]]:
    """The keys of the grants that owners are made of, once all is done."""
    there = {row.item.key: row.item for row in state.rows.get("grants", ())}
    for one in changes:
        if one.section.name == "grants":
            if one.verb is Verb.DELETE:
                there.pop(one.item.key, None)
            else:
                there[one.item.key] = one.item
    return {key for key, item in there.items() if _makes(item)}


def _makes(item: Item) -> bool:
    values = item.values
    return (values["role"], values["scope"], values["until"]) == ("owner", str(EVERYTHING), None)


def _takes(change: Change) -> bool:
    if change.section.name == "members":
        return change.verb is Verb.DELETE
    if change.section.name != "grants" or change.row is None:
        return False
    return _makes(change.row.item) and (change.verb is Verb.DELETE or not _makes(change.item))
