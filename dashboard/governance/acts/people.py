"""Roles, teams and who is in them, grants."""

from __future__ import annotations

from typing import Any

from access import claims_to_teams, roles, teams
from access.actions import Action
from access.grants import grant_role, revoke_grants
from access.models import ClaimRule
from access.scopes import Scope
from dashboard.governance.acts.hands import Hands
from dashboard.governance.changes import Change, Verb

# Why a grant goes, as the audit log keeps it.
UNNAMED = "The governance file does not name it."


def role(change: Change, hands: Hands) -> None:
    name, values = change.item.key[0], change.item.values
    by: dict[str, Any] = {"rights": hands.rights, "actor": hands.actor}
    if change.verb is Verb.DELETE:
        roles.remove_role(hands.role(name), **by)
        return
    said: dict[str, Any] = {
        "label": values["label"],
        "description": values["description"],
        "actions": [Action.parse(text) for text in values["actions"]],
    }
    if change.verb is Verb.CREATE:
        roles.create_role(name=name, **said, **by)
    else:
        roles.change_role(hands.role(name), **said, **by)


def team(change: Change, hands: Hands) -> None:
    name, description = change.item.key[0], change.item.values["description"]
    by: dict[str, Any] = {"rights": hands.rights, "actor": hands.actor}
    match change.verb:
        case Verb.CREATE:
            teams.create_team(name=name, description=description, **by)
        case Verb.CHANGE:
            teams.change_team(hands.team(name), description=description, **by)
        case Verb.DELETE:
            teams.remove_team(hands.team(name), **by)


def member(change: Change, hands: Hands) -> None:
    about: dict[str, Any] = {
        "team": hands.team(change.item.values["team"]),
        "user": hands.person(change.item.values["user"]),
        "rights": hands.rights,
        "maintainer": hands.user,
        "actor": hands.actor,
    }
    if change.verb is Verb.DELETE:
        teams.remove_member(**about)
    else:
        teams.add_member(is_maintainer=change.item.values["maintainer"], **about)


def claim_rule(change: Change, hands: Hands) -> None:
    values = change.item.values
    if change.verb is Verb.DELETE:
        found = ClaimRule.objects.get(team__name=values["team"], **_rule(change))
        claims_to_teams.remove_rule(found, rights=hands.rights, actor=hands.actor)
        return
    claims_to_teams.create_rule(
        team=hands.team(values["team"]), **_rule(change), rights=hands.rights, actor=hands.actor
    )


def _rule(change: Change) -> dict[str, str]:
    return {name: change.item.values[name] for name in ("provider", "claim", "value")}


def grant(change: Change, hands: Hands) -> None:
    values = change.item.values
    if change.verb is Verb.DELETE:
        pks = [change.row.pk] if change.row else []
        revoke_grants(pks, reason=UNNAMED, rights=hands.rights, actor=hands.actor)
        return
    grant_role(
        role=hands.role(values["role"]),
        to=hands.holder(values["principal"]),
        scope=Scope.parse(values["scope"]),
        until=values["until"],
        reason=values["reason"],
        rights=hands.rights,
        actor=hands.actor,
    )
