"""Service principals, and trust rules for them."""

from __future__ import annotations

from typing import Any

from access import machines, trust_rules
from access.models import TrustRule
from dashboard.governance.acts.hands import Hands
from dashboard.governance.changes import Change, Verb
from dashboard.governance.judging import terms_of


def service_principal(change: Change, hands: Hands) -> None:
    name, values = change.item.key[0], change.item.values
    by = _by(hands)
    if change.verb is Verb.DELETE:
        machines.remove_machine(hands.machine(name), rights=hands.rights, actor=hands.actor)
        return
    said: dict[str, Any] = {
        "description": values["description"],
        "team": hands.team_or_none(values["team"]),
    }
    if change.verb is Verb.CREATE:
        machine = machines.create_machine(name=name, **said, **by)
    else:
        machine = hands.machine(name)
        # Whoever may only stop a machine may do that, where nothing else is asked.
        if {one.name for one in change.fields} - {"disabled"}:
            machine = machines.change_machine(machine, **said, **by)
    if values["disabled"] != (machine.disabled_at is not None):
        switch = machines.disable_machine if values["disabled"] else machines.enable_machine
        switch(machine, **by)


def trust_rule(change: Change, hands: Hands) -> None:
    name, values = change.item.key[0], change.item.values
    by = _by(hands)
    held = change.row.held if change.row else None
    moves = held is not None and held.service_principal.name != values["service_principal"]
    if held is not None and (change.verb is Verb.DELETE or moves):
        # A rule stays with its machine: for another one it is another rule of the same name.
        trust_rules.remove_rule(held, **by)
        held = None
    if change.verb is Verb.DELETE:
        return
    rule: TrustRule
    if held is None:
        machine = hands.machine(values["service_principal"])
        rule = trust_rules.create_rule(
            name=name, machine=machine, terms=terms_of(change.item), **by
        )
    elif {one.name for one in change.fields} - {"disabled"}:
        rule = trust_rules.change_rule(held, terms=terms_of(change.item), **by)
    else:
        rule = held
    if values["disabled"] != (rule.disabled_at is not None):
        switch = trust_rules.disable_rule if values["disabled"] else trust_rules.enable_rule
        switch(rule, **by)


def _by(hands: Hands) -> dict[str, Any]:
    return {"rights": hands.rights, "maintainer": hands.user, "actor": hands.actor}
